import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineSource } from '#src/source/define-source.js'
import { stream } from '#src/source/stream-definition.js'
import { configured, context, read } from './reading.js'

const Colour = z.object({ id: z.int(), name: z.string() })

describe('full refresh', () => {
  const give: Record<string, () => unknown> = {
    'an array': () => colours,
    'an iterable': () => new Set(colours),
    'a function that returns an array': () => () => colours,
    'an async function': () => async () => colours,
    'a generator': () =>
      function* () {
        yield* colours
      },
    'an async generator': () =>
      async function* () {
        for (const colour of colours) {
          await sleep(0)
          yield colour
        }
      },
  }
  const colours = [
    { id: 1, name: 'red' },
    { id: 2, name: 'green' },
  ]

  test.each(Object.entries(give))('reads %s as one slice of one epoch, again and again', async (_, records) => {
    const source = defineSource({
      name: 'colours',
      streams: { colours: stream({ schema: Colour, records: records() as typeof colours }) },
    })
    for (let run = 0; run < 2; run++) {
      const { rows, messages, state } = await read(source, 'colours', { restart: true })
      expect(rows).toEqual([
        { id: 1n, name: 'red' },
        { id: 2n, name: 'green' },
      ])
      expect(messages.at(-1)).toMatchObject({ type: 'slice_done', records: 2 })
      expect(state).toEqual({ done: true })
    }
  })

  test('what was read to its end is only planned; what was not is read anew', async () => {
    const source = defineSource({ name: 'c', streams: { colours: stream({ schema: Colour, records: colours }) } })
    const done = await read(source, 'colours', { state: { done: true } })
    expect([done.rows, done.restarted]).toEqual([[], false])
    const broken = await read(source, 'colours', { state: null })
    expect([broken.rows.length, broken.restarted]).toEqual([2, true])
    const restarted = await read(source, 'colours', { state: { done: true }, restart: true })
    expect([restarted.rows.length, restarted.restarted]).toEqual([2, false])
  })

  test('slices of two readings are never the same', async () => {
    const source = defineSource({ name: 'c', streams: { colours: stream({ schema: Colour, records: colours }) } })
    const ids = new Set<string>()
    for (let run = 0; run < 2; run++) {
      for (const message of (await read(source, 'colours', { restart: true })).messages) {
        if (message.type === 'slice_done') ids.add(message.slice)
      }
    }
    expect(ids.size).toBe(2)
  })

  test('only the selected fields are read', async () => {
    const source = defineSource({ name: 'c', streams: { colours: stream({ schema: Colour, records: colours }) } })
    expect((await read(source, 'colours', { fields: ['name'] })).rows).toEqual([{ name: 'red' }, { name: 'green' }])
  })
})

describe('rejected records', () => {
  test('keep their place, their text and a reason without values', async () => {
    const schema = z.object({ id: z.int(), email: z.email(), tags: z.record(z.string(), z.array(z.int())) })
    const records = [
      { id: 1, email: 'a@b.cd', tags: {} },
      { id: 2, email: 'secret-value', tags: { 'secret-key': [1, 'secret-item'] } },
      null,
      { id: 3n, email: 'c@d.ef', tags: {} },
      { id: 4, email: 'e@f.gh', tags: { a: [1] } },
    ] as unknown as z.input<typeof schema>[]
    const source = defineSource({ name: 's', streams: { people: stream({ schema, records }) } })
    const { rows, rejected, messages } = await read(source, 'people')
    expect(rows).toEqual([
      { id: 1n, email: 'a@b.cd', tags: '{}' },
      { id: 4n, email: 'e@f.gh', tags: '{"a":[1]}' },
    ])
    expect(rejected.map(({ position, reason, record }) => ({ position, reason, record }))).toEqual([
      {
        position: 1,
        reason: 'email: invalid_format (email); tags.*[1]: invalid_type (expected number)',
        record: '{"id":2,"email":"secret-value","tags":{"secret-key":[1,"secret-item"]}}',
      },
      { position: 2, reason: 'record: invalid_type (expected object)', record: 'null' },
      { position: 3, reason: 'id: invalid_type (expected number)', record: '{"id":3,"email":"c@d.ef","tags":{}}' },
    ])
    expect(JSON.stringify(rejected.map(({ reason }) => reason))).not.toContain('secret')
    expect(messages.map(({ type }) => type)).toEqual([
      'batch',
      'rejected',
      'rejected',
      'rejected',
      'batch',
      'slice_done',
    ])
    expect(messages.at(-1)).toMatchObject({ records: 5 })
  })

  test('an asynchronous schema is awaited', async () => {
    const schema = z.object({ id: z.int().refine(async (id) => id !== 2) })
    const source = defineSource({
      name: 's',
      streams: { ids: stream({ schema, records: [{ id: 1 }, { id: 2 }, { id: 3 }] }) },
    })
    const { rows, rejected } = await read(source, 'ids')
    expect(rows).toEqual([{ id: 1n }, { id: 3n }])
    expect(rejected).toMatchObject([{ position: 1, reason: 'id: custom' }])
  })
})

describe('errors', () => {
  const failing = (records: () => never) =>
    defineSource({ name: 's', streams: { colours: stream({ schema: Colour, records }) } })

  test('of the host are SOURCE_FAILED and keep their own message to themselves', async () => {
    const source = failing(() => {
      throw new Error('password=hunter2')
    })
    const error = await read(source, 'colours').catch((caught) => caught)
    expect(error).toMatchObject({ code: 'SOURCE_FAILED', phase: 'read', stream: { name: 'colours' } })
    expect(error.message).not.toContain('hunter2')
    expect(error.cause.message).toBe('password=hunter2')
  })

  test('in the middle come after what was read', async () => {
    const schema = Colour
    const source = defineSource({
      name: 's',
      streams: {
        colours: stream({
          schema,
          *records() {
            yield { id: 1, name: 'red' }
            throw new Error('broken')
          },
        }),
      },
    })
    await expect(read(source, 'colours')).rejects.toMatchObject({ code: 'SOURCE_FAILED' })
  })

  test('a function that gives nothing to iterate', async () => {
    await expect(
      read(
        failing(() => undefined as never),
        'colours',
      ),
    ).rejects.toMatchObject({ code: 'SOURCE_RECORD_INVALID' })
  })

  test('an abort ends a wait that never ends, with its reason, and the generator is left', async () => {
    const stop = new AbortController()
    let left = false
    const source = defineSource({
      name: 's',
      streams: {
        colours: stream({
          schema: Colour,
          async *records({ signal }) {
            try {
              yield { id: 1, name: 'red' }
              setImmediate(() => stop.abort(new Error('enough')))
              await new Promise((_, reject) => signal.addEventListener('abort', reject))
            } finally {
              left = true
            }
          },
        }),
      },
    })
    await expect(read(source, 'colours', { context: { ...context, signal: stop.signal } })).rejects.toThrow('enough')
    await sleep(0)
    expect(left).toBe(true)
  })

  test('a reader that leaves early frees the generator', async () => {
    let left = false
    const source = defineSource({
      name: 's',
      streams: {
        numbers: stream({
          schema: z.object({ n: z.int() }),
          *records() {
            try {
              for (let n = 0; ; n++) yield { n }
            } finally {
              left = true
            }
          },
        }),
      },
    })
    const streamToRead = await configured(source, 'numbers')
    const reading = await source.open(
      { scopes: [{ scope: 'numbers', streams: [{ stream: streamToRead, restart: true }] }], until: 'now' },
      context,
    )
    let rows = 0
    for await (const slice of reading.slices(context)) {
      if ('planned' in slice) continue
      for await (const message of reading.read(slice, undefined, context)) {
        if (message.type === 'batch') rows += message.length
        break
      }
    }
    expect([rows > 0, left]).toEqual([true, true])
  })

  test('a long synchronous source leaves the event loop its turns', async () => {
    const source = defineSource({
      name: 's',
      streams: {
        numbers: stream({
          schema: z.object({ n: z.int() }),
          *records() {
            for (let n = 0; n < 200_000; n++) yield { n }
          },
        }),
      },
    })
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    const { rows } = await read(source, 'numbers')
    clearInterval(timer)
    expect(rows).toHaveLength(200_000)
    expect(turns).toBeGreaterThan(5)
  })
})

describe('definitions that cannot work', () => {
  const invalid = expect.objectContaining({ code: 'CONFIG_INVALID' })
  const cursorInvalid = expect.objectContaining({ code: 'CONFIG_CURSOR_INVALID' })
  const unchecked = stream as (options: unknown) => ReturnType<typeof stream>

  test.each<[string, unknown, unknown]>([
    ['no zod schema', { schema: {}, records: [] }, invalid],
    ['a key that is no field', { schema: Colour, primaryKey: ['no'], records: [] }, invalid],
    [
      'a key that may be missing',
      { schema: z.object({ id: z.int().optional() }), primaryKey: ['id'], records: [] },
      invalid,
    ],
    ['a cursor that is no field', { schema: Colour, cursorField: 'no', records: [] }, cursorInvalid],
    [
      'a cursor that may be null',
      { schema: z.object({ at: z.int().nullable() }), cursorField: 'at', records: [] },
      cursorInvalid,
    ],
    [
      'a cursor without order',
      { schema: z.object({ on: z.boolean() }), cursorField: 'on', records: [] },
      cursorInvalid,
    ],
    ['ordered by nothing', { schema: Colour, ordered: true, records: [] }, invalid],
    ['no records', { schema: Colour }, invalid],
    ['a text as records', { schema: Colour, records: 'abc' }, invalid],
    ['an iterator that can be read once', { schema: Colour, records: [][Symbol.iterator]() }, invalid],
  ])('%s', (_, options, error) => {
    expect(() => unchecked(options)).toThrow(error as Error)
  })

  test('a misspelt option, with the name that was meant', () => {
    expect(() => unchecked({ schema: Colour, records: [], primarykey: ['id'] })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', hint: 'Did you mean primaryKey?' }),
    )
    const colours = stream({ schema: Colour, records: [] })
    expect(() => defineSource({ name: 's', stream: { colours } } as never)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', hint: 'Did you mean streams?' }),
    )
    expect(() => defineSource(undefined as never)).toThrow(invalid)
  })

  test('a source without a name, without streams, or with something else as a stream', () => {
    const colours = stream({ schema: Colour, records: [] })
    expect(() => defineSource({ name: '', streams: { colours } })).toThrow(invalid)
    expect(() => defineSource({ name: 's', streams: {} })).toThrow(invalid)
    expect(() => defineSource({ name: 's', streams: { colours: {} as typeof colours } })).toThrow(invalid)
  })
})

test('check asks the host and explains', async () => {
  const colours = stream({ schema: Colour, records: [] })
  await defineSource({ name: 's', streams: { colours } }).check(context)
  const asked = defineSource({ name: 's', streams: { colours }, check: () => Promise.reject(new Error('token=abc')) })
  const error = await asked.check(context).then(
    () => undefined,
    (caught) => caught,
  )
  expect(error).toMatchObject({ code: 'SOURCE_FAILED', phase: 'check', connector: 's' })
  expect(error.message).not.toContain('abc')
})
