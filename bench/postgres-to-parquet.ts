// PostgreSQL to local Parquet against draining the same binary COPY, in pairs, in one run. ROWS, ROUNDS and BIG_ROWS change the size.
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startPostgres } from '../test/fixtures/postgres.js'
import { LINEITEM_DDL, lineitemRows } from './lineitem.js'

const run = promisify(execFile)
const rows = Number(process.env['ROWS'] ?? 2_000_000)
const bigRows = Number(process.env['BIG_ROWS'] ?? 8_000_000)
const rounds = Number(process.env['ROUNDS'] ?? 5)
const print = (line: string) => process.stdout.write(`${line}\n`)

async function child<T>(script: string, ...args: string[]): Promise<T> {
  const path = fileURLToPath(new URL(script, import.meta.url))
  const { stdout } = await run(process.execPath, ['--import', 'tsx', path, ...args], { maxBuffer: 1e7 })
  return JSON.parse(stdout) as T
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

interface Sync {
  milliseconds: number
  records: number
  bytes: number
  peakMb: number
  delayP99Ms: number
}

const server = await startPostgres({ settings: { fsync: 'off', max_wal_size: '4GB' } })
const directory = await mkdtemp(join(tmpdir(), 'syncline-bench-'))
try {
  const connectionString = server.connectionString
  const sync = async (table: string, expected: number) => {
    const result = await child<Sync>('./sync.ts', connectionString, join(directory, table), table)
    await rm(join(directory, table), { recursive: true, force: true })
    if (result.records !== expected) throw new Error(`${result.records} of ${expected} records arrived`)
    return result
  }
  print(`seeding ${rows} rows`)
  await server.query(LINEITEM_DDL)
  await server.query(lineitemRows(rows))
  await server.query('VACUUM ANALYZE lineitem')
  const ratios: number[] = []
  let peak = 0
  let delay = 0
  for (let round = 1; round <= rounds; round++) {
    const drain = await child<{ milliseconds: number; bytes: number }>('./drain.ts', connectionString, 'lineitem')
    const drain2 = await child<{ milliseconds: number; bytes: number }>('./drain.ts', connectionString, 'lineitem', '2')
    const result = await sync('lineitem', rows)
    const ratio = result.milliseconds / drain.milliseconds
    ratios.push(ratio)
    peak = Math.max(peak, result.peakMb)
    delay = Math.max(delay, result.delayP99Ms)
    print(
      `round ${round}: drain ${drain.milliseconds.toFixed(0)} ms (two connections ${drain2.milliseconds.toFixed(0)} ms), ` +
        `sync ${result.milliseconds.toFixed(0)} ms, ratio ${ratio.toFixed(2)}, ${(result.bytes / 1e6).toFixed(0)} MB, ` +
        `peak ${result.peakMb} MB, event loop p99 ${result.delayP99Ms} ms`,
    )
  }
  print(
    `ratio to the drain: median ${median(ratios).toFixed(2)} (at most 2.2); peak ${peak} MB (under 450); event loop p99 ${delay} ms (under 20)`,
  )
  if (bigRows > 0) {
    print(`seeding ${bigRows} rows`)
    await server.query(LINEITEM_DDL.replace('TABLE lineitem', 'UNLOGGED TABLE lineitem_big'))
    await server.query(lineitemRows(bigRows).replace('INTO lineitem', 'INTO lineitem_big'))
    const big = await sync('lineitem_big', bigRows)
    print(
      `${bigRows} rows: ${big.milliseconds.toFixed(0)} ms, peak ${big.peakMb} MB, ${(big.peakMb / peak).toFixed(2)} times the peak of ${rows} rows (at most 1.10), event loop p99 ${big.delayP99Ms} ms`,
    )
  }
} finally {
  await server.stop()
  await rm(directory, { recursive: true, force: true })
}
