import { type Destination, Pipeline } from 'syncline'
import { postgresSource } from 'syncline/postgres'
import { memoryDestination, memoryStore, readMemoryTable } from 'syncline/testing'
import { expect, test } from 'vitest'
import { queryPostgres } from '../fixtures/postgres.js'
import { sharedPostgres } from '../fixtures/postgres-shared.js'

test('a stream that takes too long to plan fails alone', async () => {
  const connectionString = await (await sharedPostgres()).createDatabase()
  await queryPostgres(
    connectionString,
    `CREATE TABLE fine AS SELECT id, id AS c FROM generate_series(1, 10) id;
     CREATE VIEW endless AS SELECT id, c FROM fine WHERE pg_sleep(60) IS NOT NULL`,
  )
  const store = memoryStore()
  const destination: Destination = memoryDestination(store)
  const pipeline = new Pipeline({
    name: 'slow',
    source: postgresSource({ connectionString, statementTimeout: 300 }),
    destination,
    namespace: 'destination',
    streams: { endless: { syncMode: 'incremental', cursorField: 'c' }, fine: {} },
    retry: { attempts: 2, initial: 1 },
  })
  const result = await pipeline.run({ onStreamFailure: 'report' })
  expect(result.streams).toMatchObject([
    { stream: { name: 'endless' }, status: 'failed', error: { code: 'SOURCE_TIMEOUT' } },
    { stream: { name: 'fine' }, status: 'succeeded', records: 10 },
  ])
  expect(readMemoryTable(store, { name: 'fine' })).toHaveLength(10)
})
