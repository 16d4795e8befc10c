import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import type { FieldType, TableShape } from 'syncline'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { BatchBuilder } from '#src/model/batch-builder.js'
import { createByteBudget } from '#src/pipeline/budget.js'
import type { FormatSession } from '#src/toolkit/formats/file-format.js'
import { parquetFormat } from '#src/toolkit/formats/parquet/parquet-format.js'
import { type ParquetOptions, parquetSchema } from '#src/toolkit/formats/parquet/parquet-options.js'
import { testContext } from '../../fixtures/lake-run.js'
import { duckdb, parquetFiles } from '../../fixtures/read-lake.js'

let directory: string
const sessions: FormatSession[] = []
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'syncline-parquet-'))
})
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close()
  await rm(directory, { recursive: true })
})

function session(options: Partial<ParquetOptions> = {}): FormatSession {
  const made = parquetFormat(parquetSchema.parse({ type: 'parquet', ...options })).session()
  sessions.push(made)
  return made
}

const table = (types: { readonly [name: string]: FieldType }): TableShape => ({
  stream: { name: 'rows' },
  role: 'main',
  name: 'rows',
  fields: Object.entries(types).map(([name, type]) => ({ name, type })),
})

const INTS = table({ id: { kind: 'int64' }, text: { kind: 'string' } })

function columns(shape: TableShape, rows: readonly object[]) {
  const builder = new BatchBuilder(shape.stream, {
    fields: shape.fields.map((field) => ({ ...field, nullable: true })),
  })
  for (const row of rows) builder.append(row as Record<string, unknown>)
  const { columns: built, valueChanges } = builder.finish()
  expect(valueChanges).toEqual([])
  return built
}

const intRows = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => ({ id: BigInt(from + i), text: `row ${(from + i) % 10}` }))

/** Writes batches into one file and gives its path. */
async function write(
  made: FormatSession,
  shape: TableShape,
  batches: readonly (readonly object[])[],
  budget = createByteBudget(64 << 20),
): Promise<string> {
  const path = join(directory, `${Math.random()}.parquet`)
  const file = await open(path, 'w')
  try {
    const output = async (bytes: Uint8Array) => void (await file.write(bytes))
    const encoder = made.encoder(shape, output, budget, testContext())
    for (const rows of batches) await encoder.write(columns(shape, rows), testContext())
    await encoder.finish(testContext())
    expect(encoder.records).toBe(batches.reduce((sum, rows) => sum + rows.length, 0))
    expect(encoder.bytes).toBe((await file.stat()).size)
    expect(budget.used).toBe(0)
  } finally {
    await file.close()
  }
  return path
}

async function hyparquet(path: string) {
  const file = await asyncBufferFromFile(path)
  return { metadata: await parquetMetadataAsync(file), rows: await parquetReadObjects({ file, utf8: true }) }
}

test('a file of several row groups reads as it was written, by two readers', async () => {
  const path = await write(session({ rowGroupRows: 1000 }), INTS, [
    intRows(0, 700),
    intRows(700, 2500),
    intRows(2500, 2501),
  ])
  const { metadata, rows } = await hyparquet(path)
  expect(metadata.row_groups.map(({ num_rows }) => num_rows)).toEqual([1000n, 1000n, 501n])
  expect(metadata.num_rows).toBe(2501n)
  expect(rows.length).toBe(2501)
  expect(rows.every(({ id, text }, i) => id === BigInt(i) && text === `row ${i % 10}`)).toBe(true)
  const [sum] = await duckdb(
    `SELECT count(*) AS n, sum(id) AS s, count(DISTINCT id) AS d FROM ${parquetFiles([path])} WHERE text = 'row ' || id % 10`,
  )
  expect(sum).toEqual({ n: '2501', s: String((2500 * 2501) / 2), d: '2501' })
  // Statistics of every row group are right, so that readers skip those that they do not need.
  const ranges = metadata.row_groups.map(({ columns: [id] }) => [
    id?.meta_data?.statistics?.min_value,
    id?.meta_data?.statistics?.max_value,
  ])
  expect(ranges).toEqual([
    [0n, 999n],
    [1000n, 1999n],
    [2000n, 2500n],
  ])
})

test.each(['uncompressed', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4'] as const)('codec %s', async (compression) => {
  const path = await write(session({ compression, rowGroupRows: 400 }), INTS, [intRows(0, 1000)])
  const [row] = await duckdb(`SELECT count(*) AS n, sum(id) AS s, min(text) AS t FROM ${parquetFiles([path])}`)
  expect(row).toEqual({ n: '1000', s: '499500', t: 'row 0' })
  const codecs = await duckdb(`SELECT DISTINCT compression AS c FROM parquet_metadata('${path}')`)
  expect(codecs).toEqual([{ c: compression === 'lz4' ? 'LZ4_RAW' : compression.toUpperCase() }])
})

test('types are those that readers know: decimals, microseconds with and without zone, dates, bytes', async () => {
  const shape = table({
    money: { kind: 'decimal', precision: 15, scale: 2 },
    wide: { kind: 'decimal', precision: 38, scale: 0 },
    at: { kind: 'timestamp', zone: true },
    local: { kind: 'timestamp', zone: false },
    day: { kind: 'date' },
    clock: { kind: 'time', zone: false },
    bytes: { kind: 'binary' },
    key: { kind: 'uuid' },
    document: { kind: 'json' },
    small: { kind: 'int16' },
    single: { kind: 'float32' },
    flag: { kind: 'boolean' },
  })
  const row = {
    money: '-9999999999999.99',
    wide: '99999999999999999999999999999999999999',
    at: '2026-01-02T03:04:05.678901Z',
    local: '1969-12-31T23:59:59.999999',
    day: '0001-01-01',
    clock: '23:59:59.999999',
    bytes: Uint8Array.of(0, 1, 255),
    key: '6b1f2a7c-6a1b-4f57-9f5e-2d1f0a3c4b5d',
    document: '{"a":12345678901234567890}',
    small: -32768,
    single: 0.5,
    flag: true,
  }
  const path = await write(session(), shape, [[row, {}]])
  const types = await duckdb(
    `SELECT column_name AS n, column_type AS t FROM (DESCRIBE SELECT * FROM ${parquetFiles([path])})`,
  )
  expect(Object.fromEntries(types.map(({ n, t }) => [n, t]))).toEqual({
    money: 'DECIMAL(15,2)',
    wide: 'DECIMAL(38,0)',
    at: 'TIMESTAMP WITH TIME ZONE',
    local: 'TIMESTAMP',
    day: 'DATE',
    clock: 'TIME',
    bytes: 'BLOB',
    key: 'VARCHAR',
    document: 'VARCHAR',
    small: 'SMALLINT',
    single: 'FLOAT',
    flag: 'BOOLEAN',
  })
  const [read, empty] = await duckdb(`SELECT * FROM ${parquetFiles([path])}`)
  expect(read).toMatchObject({
    money: row.money,
    wide: row.wide,
    at: '2026-01-02 03:04:05.678901+00',
    local: '1969-12-31 23:59:59.999999',
    day: row.day,
    clock: row.clock,
    bytes: '\\x00\\x01\\xFF',
    key: row.key,
    document: row.document,
    small: '-32768',
    single: '0.5',
    flag: 'true',
  })
  expect(Object.values(empty!).every((value) => value === null)).toBe(true)
})

test('a file without rows has the columns', async () => {
  const path = await write(session(), INTS, [])
  const { metadata, rows } = await hyparquet(path)
  expect(rows).toEqual([])
  expect(metadata.schema.slice(1).map(({ name }) => name)).toEqual(['id', 'text'])
  const types = await duckdb(`SELECT column_type AS t FROM (DESCRIBE SELECT * FROM ${parquetFiles([path])})`)
  expect(types.map(({ t }) => t)).toEqual(['BIGINT', 'VARCHAR'])
})

describe('dictionaries', () => {
  const shape = table({
    few: { kind: 'string' },
    many: { kind: 'string' },
    code: { kind: 'decimal', precision: 9, scale: 2 },
  })
  const rows = Array.from({ length: 6000 }, (_, i) => ({ few: `v${i % 7}`, many: `value ${i}`, code: `${i % 3}.50` }))
  const withDictionary = async (options: Partial<ParquetOptions>) => {
    const { metadata } = await hyparquet(await write(session({ rowGroupRows: 3000, ...options }), shape, [rows]))
    return metadata.row_groups.map(({ columns: chunks }) =>
      chunks
        .filter(({ meta_data }) => meta_data!.encodings.includes('RLE_DICTIONARY'))
        .map(({ meta_data }) => meta_data!.path_in_schema[0]),
    )
  }

  test('columns whose values repeat get one, the others do not', async () => {
    expect(await withDictionary({})).toEqual([
      ['few', 'code'],
      ['few', 'code'],
    ])
  })

  test('all or none on demand', async () => {
    expect(await withDictionary({ dictionary: true })).toEqual([
      ['few', 'many', 'code'],
      ['few', 'many', 'code'],
    ])
    expect(await withDictionary({ dictionary: false })).toEqual([[], []])
  })
})

describe('the byte budget, D5', () => {
  test('ten open files stay inside it: row groups are closed early, and no row is lost', async () => {
    const budget = createByteBudget(2 << 20)
    const made = session({ blockSize: '64MB' })
    let most = 0
    const files = await Promise.all(
      Array.from({ length: 10 }, async (_, n) => {
        const parts: Uint8Array[] = []
        const encoder = made.encoder(INTS, async (bytes) => void parts.push(bytes), budget, testContext())
        return { n, parts, encoder }
      }),
    )
    for (let from = 0; from < 40_000; from += 2000) {
      await Promise.all(
        files.map(({ encoder }) => encoder.write(columns(INTS, intRows(from, from + 2000)), testContext())),
      )
      most = Math.max(most, budget.used)
    }
    expect(most).toBeGreaterThan(0)
    // A waiter may pass when nobody has anything left to give: one batch over.
    expect(most).toBeLessThanOrEqual(budget.limit + 64 * 1024)
    for (const { encoder } of files) await encoder.finish(testContext())
    expect(budget.used).toBe(0)
    for (const { parts, n } of files) {
      const bytes = new Uint8Array(Buffer.concat(parts)).buffer
      const rows = await parquetReadObjects({ file: bytes, columns: ['id'] })
      expect(rows.length, `file ${n}`).toBe(40_000)
      expect(rows.every(({ id }, i) => id === BigInt(i))).toBe(true)
    }
  })

  test('a batch larger than the whole budget passes alone', async () => {
    const budget = createByteBudget(64 << 10)
    const path = await write(
      session(),
      table({ text: { kind: 'string' } }),
      [[{ text: 'x'.repeat(5 << 20) }], [{ text: 'y' }]],
      budget,
    )
    const [row] = await duckdb(`SELECT max(length(text)) AS n, count(*) AS c FROM ${parquetFiles([path])}`)
    expect(row).toEqual({ n: String(5 << 20), c: '2' })
  })

  test('a file that is given up holds nothing', async () => {
    const budget = createByteBudget(64 << 20)
    const encoder = session().encoder(INTS, async () => {}, budget, testContext())
    await encoder.write(columns(INTS, intRows(0, 5000)), testContext())
    expect(budget.used).toBeGreaterThan(0)
    encoder.abort()
    encoder.abort()
    expect(budget.used).toBe(0)
  })
})

describe('failures', () => {
  test('what the output says reaches the writer, and later calls fail too', async () => {
    const full = new Error('no space')
    const made = session({ rowGroupRows: 10 })
    const encoder = made.encoder(INTS, () => Promise.reject(full), createByteBudget(1 << 20), testContext())
    await encoder.write(columns(INTS, intRows(0, 10)), testContext())
    await expect(encoder.finish(testContext())).rejects.toBe(full)
    await expect(encoder.write(columns(INTS, intRows(0, 1)), testContext())).rejects.toBe(full)
    encoder.abort()
  })

  test('an aborted write rejects with the reason, and the rows taken before it can still be finished', async () => {
    const abort = new AbortController()
    const parts: Uint8Array[] = []
    const encoder = session().encoder(
      INTS,
      async (bytes) => void parts.push(bytes),
      createByteBudget(1 << 20),
      testContext('run', abort.signal),
    )
    await encoder.write(columns(INTS, intRows(0, 10)), testContext('run', abort.signal))
    abort.abort(new Error('stop'))
    await encoder.finish(testContext())
    const rows = await parquetReadObjects({ file: new Uint8Array(Buffer.concat(parts)).buffer })
    expect(rows.length).toBe(10)
  })

  test('a closed session takes nothing more and leaves no thread', async () => {
    const made = session()
    await write(made, INTS, [intRows(0, 10)])
    await made.close()
    await expect(write(made, INTS, [intRows(0, 10)])).rejects.toMatchObject({ code: 'DESTINATION_FAILED' })
  })
})
