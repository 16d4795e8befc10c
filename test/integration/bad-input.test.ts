import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { isSynclineError, Pipeline, type PipelineOptions } from 'syncline'
import { filesystemDestination } from 'syncline/filesystem'
import { type PostgresSourceOptions, postgresSource } from 'syncline/postgres'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sharedPostgres } from '../fixtures/postgres-shared.js'
import { duckdb, parquetFiles, visibleFiles } from '../fixtures/read-lake.js'

let client: pg.Client
let connectionString: string
let directory: string

beforeAll(async () => {
  connectionString = await (await sharedPostgres()).createDatabase()
  client = new pg.Client({ connectionString })
  await client.connect()
})
afterAll(() => client.end())
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'syncline-bad-input-'))
  return () => rm(directory, { recursive: true, force: true })
})

const pipeline = (options: Partial<PipelineOptions> = {}, source: Partial<PostgresSourceOptions> = {}) =>
  new Pipeline({
    name: 'bad-input',
    source: postgresSource({ connectionString, ...source } as PostgresSourceOptions),
    destination: filesystemDestination({ directory }),
    ...options,
  })

async function failure(run: () => unknown): Promise<{ code: string; hint?: string; message: string }> {
  try {
    await run()
  } catch (error) {
    if (isSynclineError(error)) return error as never
    throw error
  }
  throw new Error('It did not fail.')
}

/** Every row of a table in the lake. */
async function rows(namespace: string, name: string, columns = '*') {
  const under = join(directory, namespace, name)
  const files = (await visibleFiles(under)).map((path) => join(under, path))
  return duckdb(`SELECT ${columns} FROM ${parquetFiles(files)}`)
}

describe('a mistake of the host', () => {
  beforeAll(() => client.query('CREATE TABLE orders (id int PRIMARY KEY, at timestamptz, body json, shape point)'))

  const orders = (settings: object) => ({ streams: { orders: settings } }) as Partial<PipelineOptions>

  test.each<[string, () => unknown, string, RegExp]>([
    ['a misspelt option of the pipeline', () => pipeline({ prefx: 'a' } as object), 'CONFIG_INVALID', /prefix/],
    [
      'a misspelt option of the source',
      () => pipeline({}, { shemas: ['public'] } as object),
      'CONFIG_INVALID',
      /schemas/,
    ],
    [
      'a misspelt option of the destination',
      () => filesystemDestination({ directory, fromat: {} } as never),
      'CONFIG_INVALID',
      /format/,
    ],
    ['a missing table', () => pipeline({ streams: { order: {} } }).run(), 'CONFIG_STREAM_UNKNOWN', /orders/],
    [
      'a cursor field that is not there',
      () => pipeline(orders({ syncMode: 'incremental', cursorField: 'when' })).run(),
      'CONFIG_FIELD_UNKNOWN',
      /\bat\b/,
    ],
    [
      'a cursor of json',
      () => pipeline(orders({ syncMode: 'incremental', cursorField: 'body' })).run(),
      'CONFIG_CURSOR_INVALID',
      /./,
    ],
    [
      'a cursor that has no order',
      () => pipeline(orders({ syncMode: 'incremental', cursorField: 'shape' })).run(),
      'CONFIG_CURSOR_INVALID',
      /./,
    ],
    [
      'incremental without a cursor',
      () => pipeline(orders({ syncMode: 'incremental' })).run(),
      'CONFIG_CURSOR_REQUIRED',
      /cursorField/,
    ],
    [
      'a mode that the lake cannot do',
      () => pipeline(orders({ destinationSyncMode: 'append_dedup', primaryKey: ['id'] })),
      'CONFIG_MODE_UNSUPPORTED',
      /append/,
    ],
    ['an unknown key', () => pipeline(orders({ primaryKey: ['nr'] })).run(), 'CONFIG_FIELD_UNKNOWN', /\bid\b/],
    ['an unknown selected field', () => pipeline(orders({ fields: ['nr'] })).run(), 'CONFIG_FIELD_UNKNOWN', /\bid\b/],
  ])('%s', async (_what, run, code, hint) => {
    const error = await failure(run)
    expect(error.code).toBe(code)
    expect(`${error.message} ${error.hint}`).toMatch(hint)
    expect(await readdir(directory)).toEqual([])
  })
})

describe('what databases hold', () => {
  const long = 'n'.repeat(62)
  const names = [
    `${long}1`,
    `${long}2`,
    'with "quotes"',
    'with spaces',
    "it's",
    'émoji 🎉',
    'select',
    '../../etc',
    '.',
    'UPPER',
    'a.b',
    '_private',
    '%2e',
  ]

  test('names of every kind: each table its own rows, each column its own values', async () => {
    await client.query('CREATE SCHEMA names')
    for (const [index, name] of names.entries()) {
      const quoted = pg.escapeIdentifier(name)
      await client.query(`CREATE TABLE names.${quoted} (${quoted} int, "n${index}" text)`)
      await client.query(`INSERT INTO names.${quoted} VALUES (${index}, 'row of ${index}')`)
    }
    const result = await pipeline({}, { schemas: ['names'] }).run()
    expect(result.records).toBe(names.length)
    const found = new Map<number, Record<string, string | null>>()
    const files = await visibleFiles(directory)
    expect(files).toHaveLength(names.length)
    for (const file of files) {
      const [row] = await duckdb(`SELECT * FROM ${parquetFiles([join(directory, file)])}`)
      const index = names.findIndex((_, i) => row![`n${i}`] === `row of ${i}`)
      found.set(index, row!)
    }
    expect([...found.keys()].sort((a, b) => a - b)).toEqual(names.map((_, index) => index))
    for (const [index, row] of found) expect(Object.values(row)).toContain(`${index}`)
  })

  test('an empty table, a table without columns, 1,600 columns, a value of 50 MB', async () => {
    await client.query('CREATE SCHEMA sizes; CREATE TABLE sizes.empty (id int, name text); CREATE TABLE sizes.bare ()')
    await client.query('INSERT INTO sizes.bare DEFAULT VALUES; INSERT INTO sizes.bare DEFAULT VALUES')
    const columns = Array.from({ length: 1600 }, (_, i) => `c${i}`)
    await client.query(`CREATE TABLE sizes.wide (${columns.map((name) => `${name} int`).join(', ')})`)
    await client.query(
      `INSERT INTO sizes.wide SELECT ${columns.map((_, i) => i).join(', ')} FROM generate_series(1, 3)`,
    )
    await client.query(
      `CREATE TABLE sizes.large AS SELECT 1 AS id, repeat('x', 50 * 1024 * 1024) AS body UNION ALL SELECT 2, 'small'`,
    )
    const result = await pipeline({ budgetBytes: '16MB' }, { schemas: ['sizes'] }).run()
    expect(Object.fromEntries(result.streams.map(({ stream, records }) => [stream.name, records]))).toEqual({
      empty: 0,
      bare: 2,
      wide: 3,
      large: 2,
    })
    expect(await rows('sizes', 'empty')).toEqual([])
    expect(await rows('sizes', 'bare', 'count(*) AS n')).toEqual([{ n: '2' }])
    expect(await rows('sizes', 'wide', 'sum(c0) AS a, sum(c1599) AS b')).toEqual([{ a: '0', b: `${3 * 1599}` }])
    expect(await rows('sizes', 'large', 'length(body) AS n')).toEqual(
      expect.arrayContaining([{ n: `${50 * 1024 * 1024}` }, { n: '5' }]),
    )
  })
})
