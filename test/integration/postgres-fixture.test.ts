import { expect, test } from 'vitest'
import { queryPostgres, startPostgres } from '../fixtures/postgres.js'
import { sharedPostgres } from '../fixtures/postgres-shared.js'

test.each([14, 18] as const)('the shared PostgreSQL %i makes databases', async (version) => {
  const server = await sharedPostgres(version)
  const database = await server.createDatabase()
  const [row] = await queryPostgres<{ server_version_num: string }>(database, 'SHOW server_version_num')
  expect(Math.floor(Number(row!.server_version_num) / 10_000)).toBe(version)
  const rows = await queryPostgres<{ encoding: string }>(database, 'SHOW server_encoding')
  expect(rows).toEqual([{ server_encoding: 'UTF8' }])
})

test('a PostgreSQL of its own takes settings, and is gone after stop', async () => {
  const server = await startPostgres({ settings: { max_connections: 7 } })
  try {
    expect(await server.query('SHOW max_connections')).toEqual([{ max_connections: '7' }])
  } finally {
    await server.stop()
  }
  expect(() => process.kill(server.pid, 0)).toThrow('ESRCH')
})
