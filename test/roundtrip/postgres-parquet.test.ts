import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { type FieldType, Pipeline } from 'syncline'
import { filesystemDestination } from 'syncline/filesystem'
import { postgresSource } from 'syncline/postgres'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { fieldOf } from '#src/connectors/postgres/types.js'
import { dateText, timestampText, timeText } from '#src/model/calendar.js'
import { sharedPostgres } from '../fixtures/postgres-shared.js'
import { duckdb, parquetFiles, visibleFiles } from '../fixtures/read-lake.js'
import { agrees, equal } from './agreement.js'
import { columnsOf, connect, fillTable, OWN_TYPES, printed, valuesOf } from './postgres-database.js'
import { TYPE_CASES } from './postgres-values.js'

const SEED = Number(process.env['SYNCLINE_SEED'] ?? Date.now() % 2 ** 31)
const ROWS = 300

let directory: string
let files: string[]
let types: readonly FieldType[]
let truth: readonly (readonly (string | null)[])[]

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'syncline-roundtrip-'))
  const connectionString = await (await sharedPostgres()).createDatabase()
  const client = await connect(connectionString)
  try {
    await client.query(OWN_TYPES)
    const values = TYPE_CASES.map((each, index) => valuesOf(each, ROWS, SEED + index))
    await fillTable(client, 'all_types', TYPE_CASES, values)
    truth = await printed(client, 'all_types', TYPE_CASES)
    types = (await columnsOf(client, 'all_types')).slice(1).map((column) => fieldOf(column).type)
  } finally {
    await client.end()
  }
  await new Pipeline({
    name: 'roundtrip',
    source: postgresSource({ connectionString, schemas: ['public'], tables: ['all_types'] }),
    destination: filesystemDestination({ directory }),
  }).run()
  files = (await visibleFiles(directory, 'public/')).map((path) => join(directory, path))
})

afterAll(() => rm(directory, { recursive: true, force: true }))

type Read = { readonly [column: string]: unknown }

function expectAgreement(
  rows: readonly Read[],
  convert: (value: unknown, type: FieldType) => unknown,
  same: (got: unknown, expected: unknown, type: FieldType) => boolean,
): void {
  expect(rows.map(({ id }) => Number(id))).toEqual(Array.from({ length: ROWS }, (_, index) => index + 1))
  const wrong: unknown[] = []
  for (const [row, record] of rows.entries()) {
    const { changes } = JSON.parse(String(record['_airbyte_meta'])) as { changes: { field: string; reason: string }[] }
    const reasons = new Map(changes.map(({ field, reason }) => [field, reason]))
    for (const [index, each] of TYPE_CASES.entries()) {
      const type = types[index]!
      const raw = record[`c${index}`] ?? null
      const got = raw === null ? null : convert(raw, type)
      const text = truth[row]![index]!
      const reason = reasons.get(`c${index}`)
      if (!agrees(each, text, got, reason, (value, expected) => same(value, expected, type))) {
        wrong.push({ type: each.type, printed: text, got, reason })
      }
    }
  }
  expect(wrong.slice(0, 20)).toEqual([])
}

it(`Parquet holds what PostgreSQL prints, by DuckDB (SYNCLINE_SEED=${SEED})`, async () => {
  const columns = types.map((type, index) => `${duckdbExpression(`c${index}`, type)} AS c${index}`)
  const rows = await duckdb(`SELECT id, "_airbyte_meta", ${columns.join(', ')} FROM ${parquetFiles(files)} ORDER BY id`)
  expectAgreement(rows, (value, type) => fromDuckdb(String(value), type), equal)
})

it(`Parquet holds what PostgreSQL prints, by hyparquet (SYNCLINE_SEED=${SEED})`, async () => {
  const rows: Read[] = []
  for (const path of files) {
    // Dates and timestamps stay numbers: JavaScript's Date would lose microseconds and far years.
    const parsers = {
      dateFromDays: (days: number) => days as never,
      timestampFromMicroseconds: (micros: bigint) => micros as never,
    }
    rows.push(
      ...(await parquetReadObjects({ file: await asyncBufferFromFile(path), utf8: false, parsers: parsers as never })),
    )
  }
  rows.sort((a, b) => Number(a['id']) - Number(b['id']))
  expectAgreement(rows, fromHyparquet, (got, expected, type) =>
    // It makes doubles of decimals; DuckDB reads all digits.
    typeof got === 'number' && type.kind === 'decimal' ? near(got, Number(expected)) : equal(got, expected),
  )
})

it('keeps one reason per value that became null', async () => {
  const [row] = await duckdb(
    `SELECT sum(len(json_extract("_airbyte_meta", '$.changes[*].field'))) AS n FROM ${parquetFiles(files)}`,
  )
  expect(Number(row!['n'])).toBeGreaterThan(10)
})

function duckdbExpression(column: string, { kind }: FieldType): string {
  if (kind === 'binary') return `hex(${column})`
  if (kind === 'date') return `${column} - DATE '1970-01-01'`
  if (kind === 'timestamp') return `epoch_us(${column})`
  return column
}

const FLOATS: { readonly [text: string]: number } = { nan: Number.NaN, inf: Infinity, '-inf': -Infinity }

function fromDuckdb(text: string, type: FieldType): unknown {
  switch (type.kind) {
    case 'boolean':
      return text === 'true'
    case 'int16':
    case 'int32':
      return Number(text)
    case 'int64':
      return BigInt(text)
    case 'float32':
      return Math.fround(FLOATS[text] ?? Number(text))
    case 'float64':
      return FLOATS[text] ?? Number(text)
    case 'binary':
      return Uint8Array.from(Buffer.from(text, 'hex'))
    case 'date':
      return dateText(Number(text))
    case 'decimal':
      // It prints no zero in front of the point.
      return text.replace(/^(-?)\./, '$10.')
    case 'time':
      return type.zone || !text.includes('.') ? text : text.replace(/\.?0+$/, '')
    case 'timestamp':
      return timestampText(BigInt(text), type.zone)
    default:
      return text
  }
}

function fromHyparquet(value: unknown, type: FieldType): unknown {
  switch (type.kind) {
    case 'date':
      return dateText(value as number)
    case 'time':
      return type.zone ? value : timeText(value as bigint)
    case 'timestamp':
      return timestampText(value as bigint, type.zone)
    case 'binary':
      return Uint8Array.from(value as Uint8Array)
    default:
      return value
  }
}

const near = (a: number, b: number) => a === b || Math.abs(a - b) <= 1e-14 * Math.abs(b)
