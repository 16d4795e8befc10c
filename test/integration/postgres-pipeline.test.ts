import { Pipeline } from 'syncline'
import { postgresSource } from 'syncline/postgres'
import { forSeeds, memoryDestination, memoryStore, type Random, readMemoryTable } from 'syncline/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seeds } from '../faults/seeds.js'
import { queryPostgres } from '../fixtures/postgres.js'
import { sharedPostgres } from '../fixtures/postgres-shared.js'
import { startTcpProxy, type TcpProxy } from '../fixtures/tcp-proxy.js'

const ROWS = 3000
let connectionString: string
let proxy: TcpProxy
const sql = (text: string) => queryPostgres(connectionString, text)

beforeAll(async () => {
  connectionString = await (await sharedPostgres()).createDatabase()
  proxy = await startTcpProxy({ port: Number(new URL(connectionString).port) })
  await sql(`CREATE TABLE whole (id int PRIMARY KEY, v int, filler text);
    CREATE TABLE growing (id int PRIMARY KEY, changed timestamptz, filler text); CREATE INDEX ON growing (changed)`)
})
afterAll(() => proxy?.close())

/** A world of its own per seed; both tables hold `ROWS` rows. */
async function reset(): Promise<void> {
  await sql(`TRUNCATE whole, growing;
    INSERT INTO whole SELECT i, 0, repeat('x', 400) FROM generate_series(1, ${ROWS}) i;
    INSERT INTO growing SELECT i, '2026-01-01'::timestamptz + (i / 5) * interval '1 second', repeat('x', 400) FROM generate_series(1, ${ROWS}) i`)
}

function pipeline(store: ReturnType<typeof memoryStore>): Pipeline {
  return new Pipeline({
    name: 'cut',
    source: postgresSource({ connectionString: proxy.through(connectionString), sliceBytes: '256KB', connections: 2 }),
    destination: memoryDestination(store),
    streams: {
      whole: { syncMode: 'full_refresh', destinationSyncMode: 'overwrite' },
      growing: { syncMode: 'incremental', destinationSyncMode: 'append', cursorField: 'changed' },
    },
    retry: { attempts: 20, initial: 5, max: 50 },
  })
}

/** Breaks connections now and then: all of them, or those of one moment. */
function mischief(random: Random): () => void {
  let strikes = random.int(1, 5)
  const timer = setInterval(
    () => {
      if (strikes-- <= 0) return clearInterval(timer)
      if (random.chance(0.5)) proxy.cut()
      else proxy.cutAfter(random.int(1, 400_000))
    },
    random.int(15, 60),
  )
  return () => clearInterval(timer)
}

describe('a pipeline whose connections break', () => {
  test('D1 D4 D6 D8: ends with what the database holds, nothing lost, nothing twice', async () => {
    let broken = 0
    await forSeeds(seeds(4), async (random) => {
      await reset()
      const store = memoryStore()
      for (let run = 0; run < 3; run++) {
        const stop = mischief(random)
        const one = pipeline(store)
        one.on('retry:scheduled', () => broken++)
        const result = await one.run({ onStreamFailure: 'report' }).finally(stop)
        proxy.cutAfter(Number.POSITIVE_INFINITY)
        expect(result.status).toBe('succeeded')
        const numbers = (name: string, field: string) =>
          readMemoryTable(store, { namespace: 'public', name }).map((row) => Number(row[field]))
        const held = async (query: string) => (await sql(query)).map(({ n }) => Number(n)).sort((a, b) => a - b)
        const sorted = (values: number[]) => values.sort((a, b) => a - b)
        expect(sorted(numbers('whole', 'id'))).toEqual(await held('SELECT id AS n FROM whole'))
        expect(sorted(numbers('growing', 'id'))).toEqual(await held('SELECT id AS n FROM growing'))
        expect(new Set(numbers('whole', 'v'))).toEqual(new Set([run]))
        // Ties at the boundary, and rows above it.
        await sql(`UPDATE whole SET v = v + 1;
          INSERT INTO growing SELECT max(id) + 1, max(changed), 'tie' FROM growing;
          INSERT INTO growing SELECT m + i, c + i * interval '1 microsecond', 'new' FROM generate_series(1, 300) i,
            (SELECT max(id) AS m, max(changed) AS c FROM growing) s`)
      }
      expect(store.violations).toEqual([])
    })
    expect(broken).toBeGreaterThan(0)
  })
})
