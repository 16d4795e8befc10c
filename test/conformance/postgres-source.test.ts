import { postgresSource } from 'syncline/postgres'
import { type SourceFixture, sourceConformance } from 'syncline/testing'
import { describe, it } from 'vitest'
import { queryPostgres } from '../fixtures/postgres.js'
import { sharedPostgres } from '../fixtures/postgres-shared.js'

const WORLD = `
  CREATE TABLE orders (id int PRIMARY KEY, changed timestamptz(6), note text);
  INSERT INTO orders SELECT i, '2026-01-01T00:00:00Z'::timestamptz + (i / 4) * interval '1 second', repeat('x', 300)
    FROM generate_series(1, 200) i;
  CREATE INDEX ON orders (changed);
  CREATE TABLE keyless (changed int, v numeric);
  INSERT INTO keyless SELECT i / 7, i FROM generate_series(1, 60) i;
  CREATE TABLE parts (id int, changed int) PARTITION BY LIST (id);
  CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
  CREATE TABLE parts_2 PARTITION OF parts DEFAULT;
  INSERT INTO parts SELECT i, i FROM generate_series(1, 20) i;
  CREATE TABLE empty (id int, changed date);
  CREATE VIEW latest AS SELECT id, changed FROM orders WHERE id > 150;
  ANALYZE`

// One more row at the highest value, and one above it.
const MORE: { readonly [name: string]: string } = {
  orders: `INSERT INTO orders SELECT max(id) + 1, max(changed) FROM orders;
    INSERT INTO orders SELECT max(id) + 1, max(changed) + interval '1 microsecond' FROM orders`,
  keyless: `INSERT INTO keyless SELECT * FROM keyless ORDER BY changed DESC LIMIT 1; INSERT INTO keyless SELECT max(changed) + 1 FROM keyless`,
  parts: `INSERT INTO parts SELECT max(id) + 1, max(changed) FROM parts`,
  empty: `INSERT INTO empty VALUES (1, '2026-01-01')`,
  latest: `INSERT INTO orders SELECT max(id) + 1, max(changed) FROM orders`,
}

for (const [name, options] of [
  ['postgres', {}],
  ['postgres, small slices, one connection', { sliceBytes: 16_384, connections: 1 }],
] as const) {
  sourceConformance(
    { describe, it },
    {
      name,
      async create(): Promise<SourceFixture> {
        const connectionString = await (await sharedPostgres()).createDatabase()
        await queryPostgres(connectionString, WORLD)
        const source = postgresSource({ connectionString, applicationName: 'conformance', ...options })
        return {
          source: {
            ...source,
            // The suite reads incrementally what has a cursor by default; a database names none.
            async discover(context) {
              const { streams } = await source.discover(context)
              return { streams: streams.map((stream) => ({ ...stream, defaultCursorField: 'changed' })) }
            },
          },
          addRecords: async (stream) => void (await queryPostgres(connectionString, MORE[stream.name]!)),
          endEpochs: async () => {
            const others = `datname = current_database() AND application_name = 'conformance'`
            await queryPostgres(
              connectionString,
              `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE ${others}`,
            )
          },
        }
      },
    },
  )
}
