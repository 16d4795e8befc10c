import { postgresSource } from 'syncline/postgres'
import { beforeAll, describe, expect, test } from 'vitest'
import { queryPostgres } from '../fixtures/postgres.js'
import {
  json,
  openReading,
  planned,
  readSlice,
  readStream,
  scopeOf,
  testContext,
} from '../fixtures/postgres-reading.js'
import { sharedPostgres } from '../fixtures/postgres-shared.js'

let connectionString: string
const sql = (text: string) => queryPostgres(connectionString, text)
const ids = (rows: readonly Record<string, unknown>[]) => rows.map(({ id }) => Number(id)).sort((a, b) => a - b)
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

describe.each([14, 18] as const)('full refresh of PostgreSQL %i', (version) => {
  beforeAll(async () => {
    connectionString = await (await sharedPostgres(version)).createDatabase()
    await sql(`
      CREATE TABLE numbers (id int PRIMARY KEY, filler text);
      INSERT INTO numbers SELECT i, repeat('x', 500) FROM generate_series(1, 5000) i;
      CREATE TABLE empty (id int);
      CREATE TABLE columnless ();
      INSERT INTO columnless DEFAULT VALUES;
      INSERT INTO columnless DEFAULT VALUES;
      CREATE VIEW few AS SELECT id FROM numbers WHERE id <= 10;
      CREATE MATERIALIZED VIEW stored AS SELECT id, filler FROM numbers;
      CREATE TABLE parted (id int, part int) PARTITION BY LIST (part);
      CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
      CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2) PARTITION BY RANGE (id);
      CREATE TABLE parted_2a PARTITION OF parted_2 FOR VALUES FROM (0) TO (2000);
      CREATE TABLE parted_2b (part int, id int);
      ALTER TABLE parted_2 ATTACH PARTITION parted_2b FOR VALUES FROM (2000) TO (9999);
      INSERT INTO parted SELECT i, 1 + i % 2 FROM generate_series(1, 3000) i;
      CREATE TABLE parent (id int);
      CREATE TABLE child (more int) INHERITS (parent);
      INSERT INTO parent VALUES (1);
      INSERT INTO child VALUES (2, 0);
    `)
  })

  test.each(['numbers', 'stored'])('slices of a table give each row once: %s', async (name) => {
    const source = postgresSource({ connectionString, sliceBytes: '256KB' })
    const read = await readStream(source, { name })
    expect(read.slices).toBeGreaterThan(8)
    expect(ids(read.rows)).toEqual(numbers(5000))
  })

  test('partitions are read by their root, each row once, small ones in one slice', async () => {
    const one = await readStream(postgresSource({ connectionString }), { name: 'parted' })
    expect(one.slices).toBe(1)
    expect(ids(one.rows)).toEqual(numbers(3000))
    const many = await readStream(postgresSource({ connectionString, sliceBytes: 8192 }), { name: 'parted' })
    expect(many.slices).toBeGreaterThan(10)
    expect(ids(many.rows)).toEqual(numbers(3000))
    expect(many.rows.every(({ id, part }) => part === 1 + (Number(id) % 2))).toBe(true)
  })

  test('a table that others inherit from is read with them', async () => {
    const read = await readStream(postgresSource({ connectionString }), { name: 'parent' })
    expect(ids(read.rows)).toEqual([1, 2])
  })

  test('a foreign table', async () => {
    const { port, pathname, username, password } = new URL(connectionString)
    await sql(`CREATE EXTENSION postgres_fdw;
      CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '${port}', dbname '${pathname.slice(1)}');
      CREATE USER MAPPING FOR CURRENT_USER SERVER elsewhere OPTIONS (user '${username}', password '${password}');
      CREATE FOREIGN TABLE far (id int, filler text) SERVER elsewhere OPTIONS (table_name 'numbers')`)
    const source = postgresSource({ connectionString })
    expect(ids((await readStream(source, { name: 'far' })).rows)).toEqual(numbers(5000))
    const first = await readStream(source, { name: 'far', syncMode: 'incremental', cursorField: 'id' })
    expect(ids(first.rows)).toEqual(numbers(5000))
  })

  test('views, an empty table and a table without columns', async () => {
    const source = postgresSource({ connectionString })
    expect(ids((await readStream(source, { name: 'few' })).rows)).toEqual(numbers(10))
    expect((await readStream(source, { name: 'empty' })).rows).toEqual([])
    expect((await readStream(source, { name: 'columnless' })).rows).toHaveLength(2)
  })

  test('D4: all slices see the same moment, whatever happens meanwhile', async () => {
    const source = postgresSource({ connectionString, sliceBytes: '256KB', connections: 2 })
    await sql('CREATE TABLE busy AS SELECT * FROM numbers')
    const reading = await openReading(source, [{ name: 'busy' }])
    const slices = await planned(reading)
    const rows: Record<string, unknown>[] = []
    for (const slice of slices) {
      await sql(`UPDATE busy SET filler = 'moved' WHERE id % 7 = 0; DELETE FROM busy WHERE id % 5 = 0;
        INSERT INTO busy VALUES (9999, 'late')`)
      rows.push(...(await readSlice(reading, slice)).rows)
    }
    await reading.close(testContext())
    expect(ids(rows)).toEqual(numbers(5000))
    expect(rows.some(({ filler }) => filler === 'moved')).toBe(false)
  })

  test('D4: proofs count within their snapshot only; a complete generation needs none', async () => {
    const source = postgresSource({ connectionString, sliceBytes: '1MB' })
    const first = await openReading(source, [{ name: 'numbers' }])
    const slices = await planned(first)
    expect(first.restarted).toEqual([])
    const proofs = []
    for (const slice of slices) proofs.push((await readSlice(first, slice)).proof)
    await first.close(testContext())
    const half = json(first.advance!(undefined, proofs[0]!, scopeOf(slices[0]!)))
    const all = json(proofs.reduce((state, proof) => first.advance!(state, proof, 's'), half))

    const interrupted = await openReading(source, [{ name: 'numbers', state: half }])
    expect(interrupted.restarted).toEqual([{ namespace: 'public', name: 'numbers' }])
    expect(await planned(interrupted)).toHaveLength(slices.length)
    await interrupted.close(testContext())

    const complete = await openReading(source, [{ name: 'numbers', state: all }])
    expect(complete.restarted).toEqual([])
    expect(await planned(complete)).toEqual([])
    await complete.close(testContext())

    const again = await openReading(source, [{ name: 'numbers', state: all, restart: true }])
    expect(again.restarted).toEqual([])
    expect(await planned(again)).toHaveLength(slices.length)
    await again.close(testContext())
  })
})
