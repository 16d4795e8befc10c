import type { Catalog, RecordSchema, Stream } from 'syncline'
import { describe, expect, it } from 'vitest'
import { configureStreams, requireFields, requireMode } from '#src/pipeline/configure.js'
import type { StreamChoice } from '#src/pipeline/options.js'

const schema: RecordSchema = {
  fields: [
    { name: 'id', type: { kind: 'int64' }, nullable: false },
    { name: 'name', type: { kind: 'string' }, nullable: true },
    { name: 'at', type: { kind: 'timestamp', zone: true }, nullable: true },
  ],
}
const stream = (name: string, namespace?: string, more: Partial<Stream> = {}): Stream => ({
  name,
  ...(namespace !== undefined && { namespace }),
  schema,
  syncModes: ['full_refresh', 'incremental'],
  ...more,
})
const catalog: Catalog = {
  streams: [stream('a', 'x'), stream('a', 'y'), stream('b', 'x', { primaryKey: ['id'] }), stream('dotted.name', 'x')],
}
const choice = (ref: StreamChoice['stream'], more: Partial<StreamChoice> = {}): StreamChoice => ({
  stream: ref,
  syncMode: 'full_refresh',
  destinationSyncMode: 'overwrite',
  ...more,
})
const configure = (streams: readonly StreamChoice[] | undefined, more = {}) =>
  configureStreams(catalog, { streams, namespace: 'source', prefix: '', ...more }, anyCase).map(({ stream }) => stream)
const anyCase = { identifiers: { maxBytes: 63, caseSensitive: true } }
const code = (call: () => unknown) => {
  try {
    call()
  } catch (error) {
    return (error as { code?: string }).code
  }
  return undefined
}

describe('configured streams', () => {
  it('are all streams when none is chosen', () => {
    expect(configure(undefined).map(({ scope, target }) => [scope, target])).toEqual([
      ['x.a', { namespace: 'x', name: 'a' }],
      ['y.a', { namespace: 'y', name: 'a' }],
      ['x.b', { namespace: 'x', name: 'b' }],
      ['x.dotted\\.name', { namespace: 'x', name: 'dotted.name' }],
    ])
  })

  it('are found by name, by namespace.name and by both parts', () => {
    expect(
      configure([choice('b'), choice('x.a'), choice('dotted.name'), choice({ namespace: 'y', name: 'a' })]),
    ).toHaveLength(4)
  })

  it.each([
    ['an ambiguous name', [choice('a')], 'CONFIG_STREAM_AMBIGUOUS'],
    ['a stream twice', [choice('b'), choice('x.b')], 'CONFIG_STREAM_AMBIGUOUS'],
    ['an unknown name', [choice('nothing')], 'CONFIG_STREAM_UNKNOWN'],
    [
      'incremental without a cursor',
      [choice('b', { syncMode: 'incremental', destinationSyncMode: 'append' })],
      'CONFIG_CURSOR_REQUIRED',
    ],
    [
      'append_dedup without a key',
      [choice('x.a', { destinationSyncMode: 'append_dedup' })],
      'CONFIG_PRIMARY_KEY_REQUIRED',
    ],
    ['an unknown selected field', [choice('b', { fields: ['nope'] })], 'CONFIG_FIELD_UNKNOWN'],
  ])('refuse %s', (_what, streams, expected) => {
    expect(code(() => configure(streams))).toBe(expected)
  })

  it('suggest the closest name', () => {
    expect(() => configure([choice('dotted.nam')])).toThrow(
      expect.objectContaining({ hint: "Did you mean 'dotted.name'?" }),
    )
  })

  it('refuse two streams for one table', () => {
    expect(code(() => configure(undefined, { namespace: 'destination' }))).toBe('CONFIG_NAME_COLLISION')
  })

  it('refuse streams that differ only in case where the destination cannot tell them apart', () => {
    const both: Catalog = { streams: [stream('Users', 'x'), stream('users', 'x')] }
    const options = { streams: undefined, namespace: 'source', prefix: '' } as const
    expect(configureStreams(both, options, anyCase)).toHaveLength(2)
    const blind = { identifiers: { maxBytes: 63, caseSensitive: false } }
    expect(code(() => configureStreams(both, options, blind))).toBe('CONFIG_NAME_COLLISION')
  })

  it('map namespaces by a format, with a prefix', () => {
    const [only] = configure([choice('b')], { namespace: { format: 'production_${SOURCE_NAMESPACE}' }, prefix: 'p_' })
    expect(only?.target).toEqual({ namespace: 'production_x', name: 'p_b' })
  })

  it('keep key and cursor among the selected fields', () => {
    const [only] = configure([choice('b', { fields: ['name'], syncMode: 'incremental', cursorField: 'at' })])
    expect(only?.schema.fields.map(({ name }) => name)).toEqual(['id', 'name', 'at'])
  })

  it('tell a removed cursor or key from one that never was there', () => {
    const [selected] = configureStreams(
      { streams: [stream('c', 'x')] },
      { streams: [choice('c', { syncMode: 'incremental', cursorField: 'gone' })], namespace: 'source', prefix: '' },
      anyCase,
    )
    const before: RecordSchema = {
      fields: [...schema.fields, { name: 'gone', type: { kind: 'int64' }, nullable: true }],
    }
    expect(code(() => requireFields(selected!, undefined))).toBe('CONFIG_FIELD_UNKNOWN')
    expect(code(() => requireFields(selected!, before))).toBe('SOURCE_CURSOR_MISSING')
  })

  it('refuse a pair of modes that the destination cannot do', () => {
    const append = { syncMode: 'full_refresh', destinationSyncMode: 'append' } as const
    const destination = { name: 'hook', capabilities: { modes: [append] } }
    const overwrite = choice({ namespace: 'x', name: 'a' })
    expect(() => requireMode(overwrite, destination, overwrite)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_MODE_UNSUPPORTED',
        connector: 'hook',
        message: 'hook cannot do full_refresh with overwrite, as x.a asks.',
        hint: 'It can do full_refresh with append: set syncMode and destinationSyncMode of x.a.',
      }),
    )
    expect(code(() => requireMode(overwrite, destination))).toBe('CONFIG_MODE_UNSUPPORTED')
    expect(code(() => requireMode(append, destination))).toBeUndefined()
  })

  it('name the field that a misspelt one was meant to be, and few of many', () => {
    const fields = Array.from({ length: 1600 }, (_, i) => ({ ...schema.fields[1]!, name: `column ${i}` }))
    const wide = { streams: [stream('w', 'x', { schema: { fields } })] }
    const chosen = { streams: [choice('w', { fields: ['colum 7'] })], namespace: 'source', prefix: '' } as const
    expect(() => configureStreams(wide, chosen, anyCase)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_FIELD_UNKNOWN',
        hint: expect.stringMatching(/^Did you mean column 7\? Its fields are column 0, .* column 19 and 1580 more\.$/),
      }),
    )
  })
})
