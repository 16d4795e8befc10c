import fc from 'fast-check'
import type { Json } from 'syncline'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineSource } from '#src/source/define-source.js'
import { stream } from '#src/source/stream-definition.js'
import { configured, context, read } from './reading.js'

const Row = z.object({ id: z.int(), at: z.int() })
type Row = z.infer<typeof Row>

/** A source over a table that the test changes. What `records` was asked for is noted. */
function table(options: { readonly ordered: boolean; readonly filtered: boolean }) {
  const rows: Row[] = []
  const asked: (number | undefined)[] = []
  const source = defineSource({
    name: 'table',
    streams: {
      rows: stream({
        schema: Row,
        primaryKey: ['id'],
        cursorField: 'at',
        ordered: options.ordered,
        records({ cursor }) {
          asked.push(cursor)
          const found = options.filtered ? rows.filter((row) => cursor === undefined || row.at >= cursor) : [...rows]
          return options.ordered ? found.sort((a, b) => a.at - b.at) : found
        },
      }),
    },
  })
  const run = (state: Json | undefined) => read(source, 'rows', { syncMode: 'incremental', state })
  return { rows, asked, source, run }
}

const kinds = [
  { ordered: true, filtered: true },
  { ordered: true, filtered: false },
  { ordered: false, filtered: true },
  { ordered: false, filtered: false },
]

describe.each(kinds)('D6: ordered $ordered, filtered $filtered', (kind) => {
  test('a run goes on from the boundary, without loss and without doubles', async () => {
    const { rows, asked, run } = table(kind)
    rows.push({ id: 1, at: 10 }, { id: 2, at: 20 }, { id: 3, at: 20 })
    const first = await run(undefined)
    expect(first.rows).toEqual([
      { id: 1n, at: 10n },
      { id: 2n, at: 20n },
      { id: 3n, at: 20n },
    ])
    // One more with the boundary's value, one beyond, and one of the boundary that was changed in place.
    rows.push({ id: 4, at: 20 }, { id: 5, at: 30 })
    const second = await run(first.state)
    expect(second.rows).toEqual([
      { id: 4n, at: 20n },
      { id: 5n, at: 30n },
    ])
    const third = await run(second.state)
    expect(third.rows).toEqual([])
    expect(third.state).toEqual(second.state)
    expect(asked).toEqual([undefined, 20, 30])
  })

  test('nothing at all leaves the state as it was', async () => {
    const { run } = table(kind)
    const first = await run(undefined)
    expect(first.state ?? null).toBeNull()
    expect((await run(first.state)).rows).toEqual([])
  })

  test('equal records at the boundary count one by one', async () => {
    const { rows, run } = table(kind)
    rows.push({ id: 1, at: 10 }, { id: 1, at: 10 })
    const first = await run(undefined)
    expect(first.rows).toHaveLength(2)
    rows.push({ id: 1, at: 10 })
    const second = await run(first.state)
    expect(second.rows).toEqual([{ id: 1n, at: 10n }])
    expect((await run(second.state)).rows).toEqual([])
  })

  test('whatever is added at or beyond the boundary between runs, each record comes exactly once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(fc.nat(3), { maxLength: 6 }), { maxLength: 6 }), async (additions) => {
        const { rows, run } = table(kind)
        const seen: bigint[] = []
        let state: Json | undefined
        let at = 0
        for (const steps of additions) {
          for (const step of steps) {
            at += step
            rows.push({ id: rows.length, at })
          }
          const result = await run(state)
          seen.push(...result.rows.map((row) => row['id'] as bigint))
          state = result.state
        }
        expect(seen.sort((a, b) => Number(a - b))).toEqual(rows.map(({ id }) => BigInt(id)))
      }),
      { numRuns: 60 },
    )
  })
})

describe('ordered', () => {
  function counting(count: number, perValue: number) {
    const asked: (number | undefined)[] = []
    const source = defineSource({
      name: 'counting',
      streams: {
        rows: stream({
          schema: Row,
          cursorField: 'at',
          ordered: true,
          *records({ cursor = 0 }) {
            asked.push(cursor)
            for (let id = cursor * perValue; id < count; id++) yield { id, at: Math.floor(id / perValue) }
          },
        }),
      },
    })
    return { source, asked }
  }

  test('D6: checkpoints keep records of one value together, and each goes on without loss and without doubles', async () => {
    const { source } = counting(60_000, 7)
    const { states, rows } = await read(source, 'rows', { syncMode: 'incremental' })
    expect(rows).toHaveLength(60_000)
    expect(states.length).toBeGreaterThan(4)
    for (const { rows: before, state } of states.slice(0, -1)) {
      expect(before % 7).toBe(0)
      const rest = await read(source, 'rows', { syncMode: 'incremental', state })
      expect(rest.rows[0]).toEqual({ id: BigInt(before), at: BigInt(Math.floor(before / 7)) })
      expect(rest.rows).toHaveLength(60_000 - before)
    }
  })

  test('an attempt goes on after a checkpoint of its slice, with its count', async () => {
    const { source, asked } = counting(20_000, 3)
    const rowsStream = await configured(source, 'rows', { syncMode: 'incremental' })
    const reading = await source.open(
      { scopes: [{ scope: 'rows', streams: [{ stream: rowsStream, restart: false }] }], until: 'now' },
      context,
    )
    const slices = reading.slices(context)[Symbol.asyncIterator]()
    const { value: slice } = await slices.next()
    if (slice === undefined || 'planned' in slice) throw new Error('A slice was expected.')
    const all: unknown[] = []
    let checkpoint:
      | { rows: number; after: { type: 'checkpoint'; slice: string; records: number; position: Json } }
      | undefined
    for await (const message of reading.read(slice, undefined, context)) {
      if (message.type === 'batch') all.push(...message.rows())
      else if (message.type === 'checkpoint') checkpoint ??= { rows: all.length, after: message }
    }
    expect(checkpoint!.after.records).toBe(checkpoint!.rows)
    const rest: unknown[] = []
    for await (const message of reading.read(slice, checkpoint!.after, context)) {
      if (message.type === 'batch') rest.push(...message.rows())
      else if (message.type === 'slice_done') expect(message.records).toBe(20_000)
    }
    expect(rest).toEqual(all.slice(checkpoint!.rows))
    expect(asked).toHaveLength(2)
  })

  test('D6: a record out of order fails the stream', async () => {
    const records = [
      { id: 1, at: 2 },
      { id: 2, at: 1 },
    ]
    const source = defineSource({
      name: 's',
      streams: { rows: stream({ schema: Row, cursorField: 'at', ordered: true, records }) },
    })
    await expect(read(source, 'rows', { syncMode: 'incremental' })).rejects.toMatchObject({
      code: 'SOURCE_RECORD_INVALID',
      stream: { name: 'rows' },
    })
    expect((await read(source, 'rows')).rows).toHaveLength(2)
  })

  test('the same state gives the same slice, another state another one', async () => {
    const { source } = counting(3, 1)
    const sliceOf = async (state: Json | undefined) => {
      const last = (await read(source, 'rows', { syncMode: 'incremental', state })).messages.at(-1)
      return last?.type === 'slice_done' ? last.slice : undefined
    }
    const { state } = await read(source, 'rows', { syncMode: 'incremental' })
    expect(await sliceOf(undefined)).toBe(await sliceOf(undefined))
    expect(await sliceOf(state)).toBe(await sliceOf(state))
    expect(await sliceOf(state)).not.toBe(await sliceOf(undefined))
  })
})

describe('not ordered', () => {
  test('D6: the cursor moves only when everything was read', async () => {
    const records = [
      { id: 1, at: 9 },
      { id: 2, at: 1 },
      { id: 3, at: 5 },
    ]
    const source = defineSource({ name: 's', streams: { rows: stream({ schema: Row, cursorField: 'at', records }) } })
    const { states, state } = await read(source, 'rows', { syncMode: 'incremental' })
    expect(states).toHaveLength(1)
    expect(state).toMatchObject({ cursor: 9 })
  })
})

describe('cursors', () => {
  const cases: [string, z.ZodObject, unknown[], unknown][] = [
    ['numbers', z.object({ at: z.number() }), [0.5, 2, 10.25], 10.25],
    ['bigints', z.object({ at: z.bigint() }), [1n, 9007199254740993n], { bigint: '9007199254740993' }],
    ['dates', z.object({ at: z.iso.date() }), ['2026-01-31', '2026-02-01'], '2026-02-01'],
    ['texts', z.object({ at: z.string() }), ['B', 'a'], 'a'],
    [
      'uuids',
      z.object({ at: z.uuid() }),
      ['0197B000-0000-7000-8000-000000000000', '0197c000-0000-7000-8000-000000000000'],
      '0197c000-0000-7000-8000-000000000000',
    ],
    ['Dates', z.object({ at: z.date() }), [new Date(1), new Date(2)], { date: '1970-01-01T00:00:00.002Z' }],
    [
      'instants, whatever their precision and offset',
      z.object({ at: z.iso.datetime({ offset: true }) }),
      ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000001Z', '2026-01-01T01:00:01+01:00', '2026-01-01T00:00:02Z'],
      '2026-01-01T00:00:02Z',
    ],
  ]

  test.each(cases)('%s are compared by their value, kept in full and given back', async (_, schema, values, saved) => {
    const asked: unknown[] = []
    const source = defineSource({
      name: 's',
      streams: {
        rows: stream({
          schema: schema as z.ZodObject<{ at: z.ZodString }>,
          cursorField: 'at',
          ordered: true,
          records({ cursor }) {
            asked.push(cursor)
            return values.map((at) => ({ at })) as { at: string }[]
          },
        }),
      },
    })
    const first = await read(source, 'rows', { syncMode: 'incremental' })
    expect(first.rows).toHaveLength(values.length)
    expect(first.state).toMatchObject({ cursor: saved })
    const second = await read(source, 'rows', {
      syncMode: 'incremental',
      state: JSON.parse(JSON.stringify(first.state)),
    })
    expect(second.rows).toEqual([])
    expect(asked).toEqual([undefined, values.at(-1)])
  })

  const noCursor = defineSource({ name: 's', streams: { rows: stream({ schema: Row, records: [{ id: 1, at: 2 }] }) } })
  const ownCursor = defineSource({
    name: 's',
    streams: { rows: stream({ schema: Row, cursorField: 'at', records: [] }) },
  })

  test('of the pipeline, where the stream has none', async () => {
    const { state } = await read(noCursor, 'rows', { syncMode: 'incremental', cursorField: 'id' })
    expect(state).toMatchObject({ cursor: 1 })
  })

  test('that are missing, unknown or not the own one are refused', async () => {
    const incremental = { syncMode: 'incremental' } as const
    await expect(read(noCursor, 'rows', incremental)).rejects.toMatchObject({ code: 'CONFIG_CURSOR_REQUIRED' })
    await expect(read(noCursor, 'rows', { ...incremental, cursorField: 'no' })).rejects.toMatchObject({
      code: 'CONFIG_CURSOR_INVALID',
    })
    await expect(read(ownCursor, 'rows', { ...incremental, cursorField: 'id' })).rejects.toMatchObject({
      code: 'CONFIG_CURSOR_INVALID',
    })
  })

  test('a state of another type of cursor is no state', async () => {
    for (const state of [{ cursor: 'x', boundary: [] }, { cursor: 1 }, { nonsense: 1 }, 7]) {
      await expect(read(ownCursor, 'rows', { syncMode: 'incremental', state })).rejects.toMatchObject({
        code: 'SOURCE_STATE_INVALID',
      })
    }
  })

  test('D6: a state of another cursor field is no state', async () => {
    const { state } = await read(noCursor, 'rows', { syncMode: 'incremental', cursorField: 'id' })
    const other = read(noCursor, 'rows', { syncMode: 'incremental', cursorField: 'at', state })
    await expect(other).rejects.toMatchObject({ code: 'SOURCE_STATE_INVALID' })
  })

  test('D6: too many records with the last value fail, and say why', async () => {
    const source = defineSource({
      name: 's',
      streams: {
        rows: stream({
          schema: Row,
          cursorField: 'at',
          *records() {
            for (let id = 0; id <= 100_000; id++) yield { id, at: 1 }
          },
        }),
      },
    })
    await expect(read(source, 'rows', { syncMode: 'incremental' })).rejects.toMatchObject({
      code: 'CONFIG_CURSOR_INVALID',
    })
  })
})

describe('rejected records', () => {
  test.each([true, false])('are reported once where their cursor can be read (ordered: %s)', async (ordered) => {
    const schema = z.object({ at: z.int(), name: z.string() })
    const records = [
      { at: 1, name: 'a' },
      { at: 2, name: 5 },
      { at: 3, name: 'c' },
      { at: 3, name: 6 },
    ] as unknown as z.input<typeof schema>[]
    const source = defineSource({
      name: 's',
      streams: { rows: stream({ schema, cursorField: 'at', ordered, records }) },
    })
    const first = await read(source, 'rows', { syncMode: 'incremental' })
    expect([first.rows.length, first.rejected.length]).toEqual([2, 2])
    const second = await read(source, 'rows', { syncMode: 'incremental', state: first.state })
    expect([second.rows.length, second.rejected.length]).toEqual([0, 0])
  })

  test('without a readable cursor do not move it', async () => {
    const records = [
      { id: 1, at: 1 },
      { id: 2, at: '9' },
      { id: 3, at: 2 },
    ] as Row[]
    const source = defineSource({
      name: 's',
      streams: { rows: stream({ schema: Row, cursorField: 'at', ordered: true, records }) },
    })
    const { rows, rejected, state } = await read(source, 'rows', { syncMode: 'incremental' })
    expect([rows.length, rejected.length]).toEqual([2, 1])
    expect(state).toMatchObject({ cursor: 2 })
  })
})
