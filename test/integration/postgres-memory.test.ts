import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pipeline } from 'syncline'
import { filesystemDestination } from 'syncline/filesystem'
import { postgresSource } from 'syncline/postgres'
import { expect, test } from 'vitest'
import { queryPostgres } from '../fixtures/postgres.js'
import { sharedPostgres } from '../fixtures/postgres-shared.js'
import { duckdb, parquetFiles, visibleFiles } from '../fixtures/read-lake.js'

const COLUMNS = `i AS id, (i % 7 = 0) AS flag, (i % 100)::int2 AS small, CASE WHEN i % 3 > 0 THEN i * 1000003::bigint END AS large,
  CASE WHEN i % 5 > 0 THEN (i % 90000)::numeric(15, 2) / 7 ELSE 0 END::numeric(15, 2) AS price, i::float8 / 3 AS ratio,
  CASE WHEN i % 11 > 0 THEN repeat(md5(i::text), i % 4) END AS name, timestamptz '2026-01-01' + i * interval '1 second' AS at`

test('rows that are read into memory of earlier batches come out as they are in the database', async () => {
  const connectionString = await (await sharedPostgres()).createDatabase()
  const rows = 120_000
  await queryPostgres(
    connectionString,
    `CREATE TABLE reused AS SELECT ${COLUMNS} FROM generate_series(1, ${rows}) AS i`,
  )
  const directory = await mkdtemp(join(tmpdir(), 'syncline-memory-'))
  try {
    const result = await new Pipeline({
      name: 'memory',
      source: postgresSource({ connectionString, schemas: ['public'] }),
      destination: filesystemDestination({ directory, format: { type: 'parquet', rowGroupRows: 10_000 } }),
    }).run()
    expect(result.records).toBe(rows)
    const files = (await visibleFiles(directory)).map((path) => join(directory, path))
    const sums = `count(*) AS rows, count(large) AS larges, count(name) AS names, sum(id) AS ids, sum(small) AS smalls, sum(large)::text AS large,
      sum(price) AS prices, sum(length(name)) AS lengths, min(name) AS first, max(name) AS last`
    const there = await duckdb(
      `SELECT ${sums}, sum(flag::int) AS flags, sum(epoch_us("at")) AS moments FROM ${parquetFiles(files)}`,
    )
    const here = await queryPostgres(
      connectionString,
      `SELECT ${sums.replace('min(name)', 'min(name COLLATE "C")').replace('max(name)', 'max(name COLLATE "C")')},
        sum(flag::int) AS flags, sum((extract(epoch FROM at) * 1000000)::bigint) AS moments FROM reused`,
    )
    expect(there.map((row) => Object.values(row).map(String))).toEqual(
      here.map((row) => Object.values(row).map(String)),
    )
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
