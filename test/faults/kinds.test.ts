import {
  type Normalizer,
  Pipeline,
  type ProjectedColumn,
  type RecordSchema,
  SynclineError,
  type TableShape,
} from 'syncline'
import {
  CallModel,
  forSeeds,
  hooks,
  killAt,
  MEMORY_ROWS,
  MemoryTables,
  memoryDestination,
  memorySource,
  memoryStore,
  type OnCall,
  type StoredRow,
  seededRandom,
} from 'syncline/testing'
import { describe, expect, test } from 'vitest'
import { seeds } from './seeds.js'

const SCHEMA: RecordSchema = {
  fields: [
    { name: 'id', type: { kind: 'int64' }, nullable: false },
    { name: 'text', type: { kind: 'string' }, nullable: true },
  ],
}

function filled(rows: number, changeLog = false, names: readonly string[] = ['things']): MemoryTables {
  const tables = new MemoryTables()
  for (const name of names) {
    const table = tables.table({ name, schema: SCHEMA, primaryKey: ['id'], changeLog })
    for (let id = 1; id <= rows; id++) table.insert({ id: BigInt(id), text: `${name} ${id}` })
  }
  return tables
}

function rowsOf(store: ReturnType<typeof memoryStore>, name: string): StoredRow[] {
  const table = [...store.tables.values()].find(({ shape }) => shape.name === name)
  return table?.rows.filter(({ deleted }) => !deleted).map(({ values }) => values) ?? []
}

const idsOf = (rows: readonly StoredRow[]) => rows.map(({ id }) => Number(id)).sort((a, b) => a - b)
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1)
const fast = { cadence: { bytes: 1, milliseconds: 1 }, retry: { attempts: 3, initial: 0, max: 0 } }

/** One table with the fields as they are and the id of the row: all of it data, so that bytes may pass undecoded. */
const projecting: Normalizer = {
  name: 'projecting',
  open(stream) {
    const columns: ProjectedColumn[] = [
      ...stream.schema.fields.map(({ name, type }) => ({ name, type, from: 'field', field: name }) as const),
      { name: '_row_id', type: { kind: 'string' }, from: 'row_id' },
    ]
    const fields = columns.map(({ name, type }) => ({ name, type }))
    const table: TableShape = { stream: { name: stream.name }, role: 'main', ...stream.target, fields }
    return {
      projection: () => ({ columns }),
      normalize: () => {
        throw new Error('nothing is to be decoded')
      },
      tables: () => [table],
      schema: () => null,
    }
  },
  join: (a) => a,
}

describe('kinds of streams', () => {
  test('D4 D9: a native format passes through, also after kills', async () => {
    await forSeeds(seeds(), async (random) => {
      const tables = filled(20)
      const store = memoryStore()
      const model = new CallModel()
      const run = async (onCall: OnCall) => {
        const pipeline = new Pipeline({
          name: 'native',
          normalizer: projecting,
          source: memorySource(tables, { native: true, slices: 4, onCall }),
          destination: memoryDestination(store, { native: true, onCall }),
          ...fast,
        })
        return pipeline.run()
      }
      const fault = killAt(random.int(1, 120))
      await Promise.race([run(fault.onCall), fault.struck])
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
      Object.assign(store.open, { loads: 0, writers: 0 })
      const passed: unknown[] = []
      const watch: OnCall = (name, phase, details) => {
        if (name === 'reading.read.next' && phase === 'after') passed.push(details['message'])
      }
      const result = await run(hooks(model.onCall, watch))
      expect(result.status).toBe('succeeded')
      expect(idsOf(rowsOf(store, 'things'))).toEqual(upTo(20))
      const texts = rowsOf(store, 'things').map(({ id, text }) => [Number(id), text])
      expect(texts.sort((a, b) => Number(a[0]) - Number(b[0]))).toEqual(upTo(20).map((id) => [id, `things ${id}`]))
      expect(new Set(rowsOf(store, 'things').map((row) => row['_row_id'])).size).toBe(20)
      expect(passed).not.toContain('batch')
      expect([...model.finish(), ...store.violations, ...tables.violations]).toEqual([])
    })
  })

  test('a native format is agreed on by name', () => {
    expect(memorySource(filled(1), { native: true }).nativeFormats).toEqual([MEMORY_ROWS])
    expect(memoryDestination(memoryStore(), { native: true }).capabilities.nativeFormats).toEqual([MEMORY_ROWS])
  })

  test('D10: rejected records and values that do not fit are counted and stored', async () => {
    const tables = filled(10)
    const things = tables.tables[0]!
    things.insert({ id: 11n, text: 'x' }, { rejected: { code: 'SOURCE_RECORD_INVALID', reason: 'too odd' } })
    things.insert({ id: 12n, text: 'x' }, { nulled: { text: 'cannot be represented' } })
    const store = memoryStore()
    const pipeline = new Pipeline({
      name: 'odd',
      source: memorySource(tables, { batchRows: 4 }),
      destination: memoryDestination(store),
      ...fast,
    })
    const result = await pipeline.run()
    expect(result).toMatchObject({ status: 'succeeded', records: 11, rejected: 1 })
    const rows = rowsOf(store, 'things')
    expect(idsOf(rows)).toEqual([...upTo(10), 12])
    const odd = rows.find(({ id }) => id === 12n)!
    expect(odd['text']).toBeNull()
    expect(String(odd['_airbyte_meta'])).toContain('cannot be represented')
    const [rejected, ...more] = rowsOf(store, '_syncline_rejected')
    expect(more).toEqual([])
    expect(Object.values(rejected!).map(String).join()).toContain('too odd')
    expect(store.violations).toEqual([])
  })

  test('D4: a stream of a shared scope that fails is left behind, and begins anew in the next run', async () => {
    await forSeeds(seeds(), async (random) => {
      const tables = filled(12, true, ['good', 'bad'])
      const store = memoryStore()
      const streams = {
        good: { syncMode: 'incremental', destinationSyncMode: 'append_dedup' },
        bad: { syncMode: 'incremental', destinationSyncMode: 'append_dedup' },
      } as const
      let left = random.int(1, 8)
      const fails: OnCall = (name, phase, { slice }) => {
        if (name !== 'reading.read.next' || phase !== 'before' || !String(slice).startsWith('bad@') || --left !== 0)
          return
        throw new SynclineError('SOURCE_PERMISSION_DENIED', 'Not this one.', { stream: { name: 'bad' } })
      }
      const run = (onCall: OnCall) =>
        new Pipeline({
          name: 'shared',
          source: memorySource(tables, { slices: random.int(1, 3), ordered: random.chance(0.5), onCall }),
          destination: memoryDestination(store, { onCall }),
          streams,
          concurrency: random.int(1, 3),
          ...fast,
        }).run({ onStreamFailure: 'report' })
      const first = await run(fails)
      expect(first.streams.map(({ stream, status }) => [stream.name, status])).toEqual([
        ['good', 'succeeded'],
        ['bad', left <= 0 ? 'failed' : 'succeeded'],
      ])
      expect(idsOf(rowsOf(store, 'good'))).toEqual(upTo(12))
      if (left <= 0) expect(rowsOf(store, 'bad')).toEqual([])
      for (const table of tables.tables) table.insert({ id: 13n, text: 'later' })
      const second = await run(() => {})
      expect(second.status).toBe('succeeded')
      for (const name of ['good', 'bad']) expect(idsOf(rowsOf(store, name)), name).toEqual(upTo(13))
      expect([...store.violations, ...tables.violations]).toEqual([])
    })
  })

  test('D3 D7: continuous: changes arrive until the abort, and the log is acknowledged as far as it is published', async () => {
    const random = seededRandom(1)
    const tables = filled(5, true)
    const store = memoryStore()
    const model = new CallModel()
    const controller = new AbortController()
    const pipeline = new Pipeline({
      name: 'continuous',
      source: memorySource(tables, { onCall: model.onCall }),
      destination: memoryDestination(store, { onCall: model.onCall }),
      streams: { things: { syncMode: 'incremental', destinationSyncMode: 'append_dedup' } },
      ...fast,
    })
    const running = pipeline.run({ mode: 'continuous', signal: controller.signal })
    for (let id = 6; id <= 30; id++) {
      tables.tables[0]!.insert({ id: BigInt(id), text: 'later' })
      if (random.chance(0.3)) await new Promise((resolve) => setTimeout(resolve, 2))
    }
    await expect.poll(() => idsOf(rowsOf(store, 'things')).length, { timeout: 20_000 }).toBe(30)
    await expect.poll(() => tables.freed, { timeout: 20_000 }).toBe(30)
    controller.abort()
    expect((await running).status).toBe('cancelled')
    expect(idsOf(rowsOf(store, 'things'))).toEqual(upTo(30))
    expect([...model.finish(), ...store.violations, ...tables.violations]).toEqual([])
    expect(store.open).toEqual({ loads: 0, writers: 0 })
  })
})
