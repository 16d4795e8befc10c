import { postgresSource } from 'syncline/postgres'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Catalog } from '#src/model/stream.js'
import { queryPostgres } from '../fixtures/postgres.js'
import { readStream, testContext } from '../fixtures/postgres-reading.js'
import { sharedPostgres } from '../fixtures/postgres-shared.js'

let connectionString: string
const sql = (text: string) => queryPostgres(connectionString, text)
const names = (catalog: Catalog) => catalog.streams.map(({ namespace, name }) => `${namespace}.${name}`)
const discover = (options: object = {}) => postgresSource({ connectionString, ...options }).discover(testContext())

const HOSTILE = [
  'select',
  'With "quotes"',
  "it's",
  'with space',
  '🦆',
  'back\\slash',
  'a.b',
  '$1',
  `${'n'.repeat(62)}1`,
  `${'n'.repeat(62)}2`,
]

describe.each([14, 18] as const)('discovery of PostgreSQL %i', (version) => {
  beforeAll(async () => {
    connectionString = await (await sharedPostgres(version)).createDatabase()
    await sql(`
      CREATE SCHEMA shop; CREATE SCHEMA other; CREATE SCHEMA "Hostile ""names""";
      CREATE TABLE shop.customers (id bigint, region text NOT NULL, email varchar(80), total numeric(12,2), at timestamptz, extra json,
        full_price numeric GENERATED ALWAYS AS (total * 2) STORED, dropped int, PRIMARY KEY (region, id));
      ALTER TABLE shop.customers DROP COLUMN dropped;
      COMMENT ON TABLE shop.customers IS 'Who buys'; COMMENT ON COLUMN shop.customers.email IS 'Where to write';
      INSERT INTO shop.customers SELECT i, 'north', null, i, now(), '{}' FROM generate_series(1, 1000) i;
      CREATE TABLE shop.events (id int PRIMARY KEY, at date) PARTITION BY RANGE (id);
      CREATE TABLE shop.events_low PARTITION OF shop.events FOR VALUES FROM (0) TO (100);
      CREATE TABLE shop.events_high PARTITION OF shop.events FOR VALUES FROM (100) TO (200);
      INSERT INTO shop.events SELECT i, '2024-01-01' FROM generate_series(1, 150) i;
      CREATE VIEW shop.some AS SELECT id FROM shop.customers;
      CREATE MATERIALIZED VIEW shop.stored AS SELECT id FROM shop.customers;
      CREATE TABLE other.points (p point, j json);
      CREATE TABLE other.columnless ();
      CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA other;
      ANALYZE`)
    for (const name of HOSTILE) {
      const quoted = `"Hostile ""names"""."${name.replaceAll('"', '""')}"`
      const column = `"${name.replaceAll('"', '""')}"`
      await sql(
        `CREATE TABLE ${quoted} (${column} int PRIMARY KEY, v text); INSERT INTO ${quoted} VALUES (1, 'a'), (2, 'b')`,
      )
    }
  })

  test('tables, roots of partitions, views and materialized views, none of the system', async () => {
    expect(names(await discover({ schemas: ['shop', 'other'] }))).toEqual([
      'other.columnless',
      'other.points',
      'shop.customers',
      'shop.events',
      'shop.some',
      'shop.stored',
    ])
    expect(names(await discover()).some((name) => /^(pg_|information_schema)/.test(name))).toBe(false)
  })

  test('types, nullability, comments, keys and estimates', async () => {
    const { streams } = await discover({ tables: ['customers', 'shop.events', { namespace: 'other', name: 'points' }] })
    expect(streams).toEqual([
      expect.objectContaining({ name: 'points', syncModes: ['full_refresh'] }),
      {
        namespace: 'shop',
        name: 'customers',
        comment: 'Who buys',
        primaryKey: ['region', 'id'],
        estimatedRecords: 1000,
        syncModes: ['full_refresh', 'incremental'],
        schema: {
          fields: [
            { name: 'id', type: { kind: 'int64' }, nullable: false },
            { name: 'region', type: { kind: 'string' }, nullable: false },
            { name: 'email', type: { kind: 'string' }, nullable: true, comment: 'Where to write' },
            { name: 'total', type: { kind: 'decimal', precision: 12, scale: 2 }, nullable: true },
            { name: 'at', type: { kind: 'timestamp', zone: true }, nullable: true },
            { name: 'extra', type: { kind: 'json' }, nullable: true },
            { name: 'full_price', type: { kind: 'decimal' }, nullable: true },
          ],
        },
      },
      expect.objectContaining({ name: 'events', primaryKey: ['id'], estimatedRecords: 150 }),
    ])
  })

  test('what belongs to an extension only where it is named', async () => {
    expect(names(await discover({ schemas: ['other'] }))).not.toContain('other.pg_stat_statements')
    expect(names(await discover({ tables: ['other.pg_stat_statements'] }))).toEqual(['other.pg_stat_statements'])
  })

  test.each(HOSTILE)('the name %j, of a table, a column and a cursor', async (name) => {
    const source = postgresSource({ connectionString, schemas: ['Hostile "names"'], sliceBytes: 8192 })
    const choice = { name, namespace: 'Hostile "names"' }
    const full = await readStream(source, choice)
    expect(full.rows).toEqual([
      { [name]: 1, v: 'a' },
      { [name]: 2, v: 'b' },
    ])
    const first = await readStream(source, { ...choice, syncMode: 'incremental', cursorField: name })
    expect(first.rows).toHaveLength(2)
    const second = await readStream(source, {
      ...choice,
      syncMode: 'incremental',
      cursorField: name,
      state: first.state,
    })
    expect(second.rows).toEqual([])
  })

  test('only what the user may read: tables, schemas, single columns', async () => {
    const role = `narrow_${version}`
    await sql(`DROP ROLE IF EXISTS ${role}; CREATE ROLE ${role} LOGIN PASSWORD 'p'; GRANT USAGE ON SCHEMA shop TO ${role};
      GRANT SELECT (id, email) ON shop.customers TO ${role}; GRANT SELECT ON shop.events, other.points TO ${role}`)
    const url = new URL(connectionString)
    url.username = role
    url.password = 'p'
    const source = postgresSource({ connectionString: url.href, sliceBytes: 8192 })
    const { streams } = await source.discover(testContext())
    expect(streams.map(({ name, schema }) => [name, schema.fields.map((field) => field.name)])).toEqual([
      ['customers', ['id', 'email']],
      ['events', ['id', 'at']],
    ])
    expect(streams[0]).not.toHaveProperty('primaryKey')
    expect((await readStream(source, { name: 'customers' })).rows).toHaveLength(1000)
    // The partitions themselves may not be read: the root is.
    const events = await readStream(source, { name: 'events' })
    expect(events.rows).toHaveLength(150)
    expect(events.slices).toBe(1)
  })

  test('row security of the root holds', async () => {
    const role = `secured_${version}`
    await sql(`DROP ROLE IF EXISTS ${role}; CREATE ROLE ${role} LOGIN PASSWORD 'p';
      CREATE TABLE secured (id int) PARTITION BY RANGE (id); CREATE TABLE secured_1 PARTITION OF secured FOR VALUES FROM (0) TO (10);
      INSERT INTO secured VALUES (1), (2), (3); ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
      CREATE POLICY p ON secured USING (id <> 2); GRANT SELECT ON secured, secured_1 TO ${role}`)
    const url = new URL(connectionString)
    url.username = role
    url.password = 'p'
    const read = await readStream(postgresSource({ connectionString: url.href }), { name: 'secured' })
    expect(read.rows).toEqual([{ id: 1 }, { id: 3 }])
    expect(read.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('Row security') }])
    // Without a policy nothing is shown, and nothing fails.
    await sql('DROP POLICY p ON secured')
    const none = await readStream(postgresSource({ connectionString: url.href }), { name: 'secured' })
    expect(none.rows).toEqual([])
    expect(none.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining('Row security') }])
    expect((await readStream(postgresSource({ connectionString }), { name: 'secured' })).lines).toEqual([])
  })

  test('a database without tables has no streams', async () => {
    const empty = await (await sharedPostgres(version)).createDatabase()
    const source = postgresSource({ connectionString: empty })
    await source.check(testContext())
    expect(await source.discover(testContext())).toEqual({ streams: [] })
  })

  test('1,600 columns', async () => {
    const columns = Array.from({ length: 1600 }, (_, i) => `c${i} int`)
    await sql(`CREATE TABLE wide (${columns.join(', ')}); INSERT INTO wide (c0, c1599) VALUES (1, 2)`)
    const { rows } = await readStream(postgresSource({ connectionString, tables: ['wide'] }), { name: 'wide' })
    expect(rows).toEqual([expect.objectContaining({ c0: 1, c1: null, c1599: 2 })])
    const choice = { name: 'wide', syncMode: 'incremental', cursorField: 'c1599' } as const
    const source = postgresSource({ connectionString, tables: ['wide'] })
    const first = await readStream(source, choice)
    expect((await readStream(source, { ...choice, state: first.state })).rows).toEqual([])
  })
})
