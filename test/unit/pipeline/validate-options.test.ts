import type { PipelineOptions } from 'syncline'
import { describe, expect, test } from 'vitest'
import { validateOptions, validateRunOptions } from '#src/pipeline/validate-options.js'

const nothing = async () => {}
const source = { name: 's', check: nothing, discover: nothing, open: nothing } as unknown as PipelineOptions['source']
const destination = {
  name: 'd',
  capabilities: {},
  check: nothing,
  open: nothing,
} as unknown as PipelineOptions['destination']
const least = { name: 'p', source, destination }

const settings = (options: object) => validateOptions({ ...least, ...options } as PipelineOptions)

function refused(options: unknown): { message: string; hint: string } {
  try {
    validateOptions(options as PipelineOptions)
  } catch (error) {
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', phase: 'configure' })
    return error as { message: string; hint: string }
  }
  throw new Error('The options were taken.')
}

test('defaults', () => {
  expect(validateOptions(least)).toEqual({
    name: 'p',
    source,
    destination,
    normalizer: undefined,
    state: undefined,
    namespace: 'source',
    prefix: '',
    streams: undefined,
    schemaPolicy: 'evolve',
    valuePolicy: 'null',
    budgetBytes: 128 * 1024 ** 2,
    concurrency: 2,
    cadence: {},
    retry: { attempts: 5, initial: 1000, factor: 2, max: 60_000 },
    closeTimeout: 30_000,
  })
})

test('what the host gives is passed on untouched', () => {
  expect(settings({}).source).toBe(source)
  expect(settings({}).destination).toBe(destination)
})

test.each([
  [8 * 1024 ** 2, 8 * 1024 ** 2],
  ['256MB', 256 * 1024 ** 2],
  ['1.5 gb', 1.5 * 1024 ** 3],
])('a budget of %s', (given, bytes) => {
  expect(settings({ budgetBytes: given }).budgetBytes).toBe(bytes)
})

test('a partial cadence leaves the rest to the destination', () => {
  expect(settings({ cadence: { bytes: '1MB' } }).cadence).toEqual({ bytes: 1024 ** 2 })
})

describe('streams', () => {
  test('by key, with the default of each mode', () => {
    expect(settings({ streams: { a: {}, 'b.c': { syncMode: 'incremental', cursorField: 'x' } } }).streams).toEqual([
      { stream: 'a', syncMode: 'full_refresh', destinationSyncMode: 'overwrite' },
      { stream: 'b.c', syncMode: 'incremental', destinationSyncMode: 'append', cursorField: 'x' },
    ])
  })

  test('as a list, without loss', () => {
    const streams = [
      { namespace: 'a.b', name: 'c', fields: ['x'] },
      { name: 'd', destinationSyncMode: 'append' },
    ]
    expect(settings({ streams }).streams).toEqual([
      {
        stream: { namespace: 'a.b', name: 'c' },
        syncMode: 'full_refresh',
        destinationSyncMode: 'overwrite',
        fields: ['x'],
      },
      { stream: { name: 'd' }, syncMode: 'full_refresh', destinationSyncMode: 'append' },
    ])
  })
})

describe('refused', () => {
  test.each<[string, object, string, string]>([
    ['a misspelt option', { ...least, normaliser: 1 }, 'normaliser: unknown option', 'Did you mean normalizer?'],
    [
      'a misspelt inner option',
      { ...least, retry: { attempt: 1 } },
      'retry.attempt: unknown option',
      'Did you mean retry.attempts?',
    ],
    [
      'a misspelt stream option',
      { ...least, streams: { a: { cursorfield: 'x' } } },
      'streams.a.cursorfield: unknown option',
      'Did you mean streams.a.cursorField?',
    ],
    [
      'a misspelt option in a list',
      { ...least, streams: [{ name: 'a' }, { nam: 'b' }] },
      'streams[1].nam: unknown option',
      'Did you mean streams[1].name?',
    ],
    [
      'a misspelt namespace option',
      { ...least, namespace: { fromat: 'x' } },
      'namespace.fromat: unknown option',
      'Did you mean namespace.format?',
    ],
    [
      'an unknown variable in a namespace',
      { ...least, namespace: { format: 'x_${SOURCE_NAMESPCE}' } },
      'namespace.format: unknown variable',
      '',
    ],
    ['no name', { source, destination }, 'name: ', ''],
    ['an empty name', { ...least, name: '' }, 'name: ', ''],
    ['something else as a source', { ...least, source: { name: 's' } }, 'source: expected a source', ''],
    ['something else as a state store', { ...least, state: {} }, 'state: expected a state store', ''],
    ['a budget without a unit', { ...least, budgetBytes: '256' }, 'budgetBytes: expected bytes', ''],
    ['a budget that is too small', { ...least, budgetBytes: 1 }, 'budgetBytes: expected bytes', ''],
    ['no concurrency', { ...least, concurrency: 0 }, 'concurrency: ', ''],
    ['an unknown mode', { ...least, streams: { a: { syncMode: 'cdc' } } }, 'streams.a.syncMode: ', ''],
    ['an empty key', { ...least, streams: { a: { primaryKey: [] } } }, 'streams.a.primaryKey: ', ''],
  ])('%s', (_, options, message, hint) => {
    const error = refused(options)
    expect(error.message).toContain(message)
    expect(error.hint).toContain(hint)
  })

  test('everything at once', () => {
    const { message } = refused({ ...least, name: '', concurrency: 1.5, nonsense: true })
    for (const name of ['name', 'concurrency', 'nonsense']) expect(message).toContain(`${name}: `)
  })

  test('no options at all', () => {
    expect(refused(undefined).message).toContain('options: ')
  })

  test('without the values', () => {
    const { message, hint } = refused({
      ...least,
      name: 5,
      prefix: { a: 'secret' },
      streams: { a: { syncMode: 'secret' } },
    })
    expect(message + hint).not.toContain('secret')
  })
})

test('options of a run', () => {
  const { signal } = new AbortController()
  validateRunOptions({ signal, mode: 'once', onStreamFailure: 'report' })
  validateRunOptions({ signal: undefined })
  for (const options of [{ abortSignal: signal }, { signal: 5 }, { mode: 'always' }, { onStreamFailure: 'ignore' }]) {
    const [name] = Object.keys(options)
    expect(() => validateRunOptions(options)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(`of run(): ${name}: `) }),
    )
  }
})
