import { postgresSource } from 'syncline/postgres'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Slice } from '#src/model/slice.js'
import { type PostgresDatabases, queryPostgres } from '../fixtures/postgres.js'
import { openReading, planned, readSlice, readStream, testContext } from '../fixtures/postgres-reading.js'
import { sharedPostgres } from '../fixtures/postgres-shared.js'
import { startTcpProxy, type TcpProxy } from '../fixtures/tcp-proxy.js'

const ROWS = 6000
let shared: PostgresDatabases
let connectionString: string
let proxy: TcpProxy
const sql = (text: string) => queryPostgres(connectionString, text)

/** Connections of this file's sources, by what they are doing. */
async function sessions(): Promise<{ pid: number; state: string; query: string }[]> {
  return (await queryPostgres(
    connectionString,
    `SELECT pid, state, query FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'under test' ORDER BY backend_start`,
  )) as never
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (await condition()) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error('It did not happen.')
}

const gone = () => until(async () => (await sessions()).length === 0)
const source = (options: object = {}) =>
  postgresSource({
    connectionString: proxy.through(connectionString),
    applicationName: 'under test',
    sliceBytes: '256KB',
    ...options,
  })

beforeAll(async () => {
  shared = await sharedPostgres()
  connectionString = await shared.createDatabase()
  await sql(`CREATE TABLE numbers (id int PRIMARY KEY, filler text);
    INSERT INTO numbers SELECT i, repeat('x', 500) FROM generate_series(1, ${ROWS}) i;
    CREATE VIEW endless AS SELECT generate_series(1, 2000000000) AS id;
    CREATE VIEW sleeping AS SELECT pg_sleep(3600)::text AS slept;`)
})
beforeEach(async () => {
  proxy = await startTcpProxy({ port: Number(new URL(connectionString).port) })
})
afterEach(() => proxy.close())

describe('a broken connection', () => {
  test('D4: while a slice is read: it is read again, in the same snapshot', async () => {
    await sql('CREATE TABLE updated AS SELECT * FROM numbers')
    const reading = await openReading(source({ connections: 2 }), [{ name: 'updated' }])
    const slices = await planned(reading)
    const keeper = (await sessions())[0]!.pid
    await sql(`UPDATE updated SET filler = repeat('y', 500)`)
    const ids: unknown[] = []
    for (const [i, slice] of slices.entries()) {
      if (i % 3 === 1) {
        const attempt = reading.read(slice, undefined, testContext())
        await attempt[Symbol.asyncIterator]().next()
        for (const { pid } of (await sessions()).filter((session) => session.pid !== keeper)) {
          await sql(`SELECT pg_terminate_backend(${pid})`)
        }
        await attempt[Symbol.asyncIterator]().return?.(undefined)
      }
      // A reader that was idle may not have noticed yet: then the error is one that is tried again.
      const { rows } = await readSlice(reading, slice).catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'SOURCE_CONNECTION_LOST', retry: 'automatic' })
        return readSlice(reading, slice)
      })
      expect(rows.every(({ filler }) => String(filler).startsWith('x'))).toBe(true)
      ids.push(...rows.map(({ id }) => id))
    }
    await reading.close(testContext())
    expect(new Set(ids).size).toBe(ROWS)
    expect(ids).toHaveLength(ROWS)
    await gone()
  })

  test('of all at once: the snapshot is gone, and reading says so', async () => {
    const reading = await openReading(source(), [{ name: 'numbers' }])
    const slices = await planned(reading)
    await readSlice(reading, slices[0]!)
    proxy.cut()
    await until(async () => (await sessions()).length === 0)
    await expect(readSlice(reading, slices[1]!)).rejects.toMatchObject({
      code: 'SOURCE_EPOCH_LOST',
      retry: 'automatic',
    })
    await expect(planned(reading)).rejects.toMatchObject({ retry: 'automatic' })
    await reading.close(testContext())
  })

  test('in the middle of a COPY: an error that is tried again', async () => {
    const reading = await openReading(source({ sliceBytes: '64MB' }), [{ name: 'numbers' }])
    const [slice] = await planned(reading)
    proxy.cutAfter(500_000)
    await expect(readSlice(reading, slice!)).rejects.toMatchObject({
      code: 'SOURCE_CONNECTION_LOST',
      retry: 'automatic',
    })
    await reading.close(testContext())
    await gone()
  })

  test('while opening', async () => {
    proxy.cutAfter(1)
    await expect(source().check(testContext())).rejects.toMatchObject({ code: 'SOURCE_CONNECTION_LOST' })
    proxy.refuse()
    await expect(source().check(testContext())).rejects.toMatchObject({ retry: 'automatic' })
    proxy.accept()
    await source().check(testContext())
  })
})

describe('the keeper of the snapshot ends', () => {
  test('D4: a reader that has the snapshot passes it on', async () => {
    await sql('CREATE TABLE halved AS SELECT * FROM numbers')
    const reading = await openReading(source({ connections: 3 }), [{ name: 'halved' }])
    const slices = await planned(reading)
    await sql(`DELETE FROM halved WHERE id % 2 = 0`)
    const ids: unknown[] = []
    for (const [i, slice] of slices.entries()) {
      if (i % 4 === 0) {
        const keeper = (await sessions())[0]!
        expect(keeper.state).toBe('idle in transaction')
        await sql(`SELECT pg_terminate_backend(${keeper.pid})`)
        await until(async () => (await sessions())[0]?.pid !== keeper.pid)
      }
      ids.push(...(await readSlice(reading, slice)).rows.map(({ id }) => id))
    }
    expect(new Set(ids).size).toBe(ROWS)
    expect(ids).toHaveLength(ROWS)
    await reading.close(testContext())
    await gone()
  })

  test('and nobody else has it', async () => {
    const reading = await openReading(source(), [{ name: 'numbers' }])
    await sql(`SELECT pg_terminate_backend(${(await sessions())[0]!.pid})`)
    await until(async () => (await sessions()).length === 0)
    await expect(planned(reading)).rejects.toMatchObject({ retry: 'automatic' })
    await expect(planned(reading)).rejects.toMatchObject({ code: 'SOURCE_EPOCH_LOST' })
    await reading.close(testContext())
  })

  test('server settings that end idle sessions do not apply to it', async () => {
    const database = new URL(connectionString).pathname.slice(1)
    await sql(`ALTER DATABASE ${database} SET idle_in_transaction_session_timeout = 100;
      ALTER DATABASE ${database} SET transaction_timeout = 200; ALTER DATABASE ${database} SET statement_timeout = 60000`)
    try {
      const reading = await openReading(source(), [{ name: 'numbers' }])
      const slices = await planned(reading)
      await new Promise((resolve) => setTimeout(resolve, 500))
      expect((await readSlice(reading, slices[0]!)).rows.length).toBeGreaterThan(0)
      expect(await sessions()).toHaveLength(2)
      await reading.close(testContext())
    } finally {
      await sql(`ALTER DATABASE ${database} RESET ALL`)
    }
  })
})

describe('locks', () => {
  test('nothing truncates or rewrites a table between the snapshot and its last slice', async () => {
    const reading = await openReading(source({ connections: 1 }), [{ name: 'numbers' }])
    const slices = await planned(reading)
    await expect(sql(`SET lock_timeout = 100; TRUNCATE numbers`)).rejects.toThrow('lock timeout')
    await expect(sql(`SET lock_timeout = 100; ALTER TABLE numbers ADD COLUMN more int`)).rejects.toThrow('lock timeout')
    let rows = 0
    for (const slice of slices) rows += (await readSlice(reading, slice)).rows.length
    expect(rows).toBe(ROWS)
    await reading.close(testContext())
  })

  test('the lock is taken before the snapshot: a table truncated while waiting for it is seen empty, or not at all', async () => {
    await sql('CREATE TABLE short_lived AS SELECT 1 AS id')
    const catalog = await source().discover(testContext())
    const truncating = sql(
      `BEGIN; TRUNCATE short_lived; INSERT INTO short_lived VALUES (2), (3); SELECT pg_sleep(0.5); COMMIT`,
    )
    await until(async () => {
      const locks = await sql(
        `SELECT FROM pg_locks WHERE relation = 'short_lived'::regclass AND mode = 'AccessExclusiveLock'`,
      )
      return locks.length > 0
    })
    const reading = await openReading(source(), [{ name: 'short_lived' }], testContext(), catalog)
    await truncating
    const [slice] = await planned(reading)
    expect((await readSlice(reading, slice!)).rows).toEqual([{ id: 2 }, { id: 3 }])
    await reading.close(testContext())
  })
})

test('a run that waits for a locked table says so', async () => {
  await sql('CREATE TABLE held AS SELECT 1 AS id')
  const catalog = await source().discover(testContext())
  const holding = sql('BEGIN; LOCK TABLE held; SELECT pg_sleep(6); COMMIT')
  await until(async () => (await sql(`SELECT FROM pg_locks WHERE relation = 'held'::regclass`)).length > 0)
  const context = testContext()
  const reading = await openReading(source(), [{ name: 'held' }], context, catalog)
  await holding
  expect(context.lines.map(({ level, message }) => [level, message])).toContainEqual([
    'warn',
    'Waiting for a table that another session locks.',
  ])
  await reading.close(context)
})

test('somebody who waits to change a table does not stop the run for ever', async () => {
  await sql('CREATE TABLE awaited AS SELECT 1 AS id; CREATE TABLE beside AS SELECT 1 AS id')
  const reading = await openReading(source(), [{ name: 'beside' }, { name: 'awaited' }])
  const altering = sql('ALTER TABLE awaited ADD COLUMN more int')
  await until(
    async () => (await sql(`SELECT FROM pg_locks WHERE NOT granted AND relation = 'awaited'::regclass`)).length > 0,
  )
  const items = reading.slices(testContext())[Symbol.asyncIterator]()
  const { value } = await items.next()
  expect((await readSlice(reading, value as Slice)).rows).toEqual([{ id: 1 }])
  await items.next()
  await expect(items.next()).rejects.toMatchObject({ code: 'SOURCE_TIMEOUT', retry: 'automatic' })
  await reading.close(testContext())
  await altering
  await gone()
})

test('fewer connections than wished for are enough', async () => {
  await sql(
    `DROP ROLE IF EXISTS few; CREATE ROLE few LOGIN PASSWORD 'p' CONNECTION LIMIT 2; GRANT SELECT ON numbers TO few`,
  )
  const url = new URL(connectionString)
  url.username = 'few'
  url.password = 'p'
  const few = source({ connectionString: url.href, connections: 4 })
  const reading = await openReading(few, [{ name: 'numbers' }])
  const slices = await planned(reading)
  const reads = await Promise.all(slices.map((slice) => readSlice(reading, slice)))
  expect(reads.flatMap(({ rows }) => rows)).toHaveLength(ROWS)
  await reading.close(testContext())
  await gone()
})

describe('what cannot be locked before the snapshot', () => {
  test('a materialized view that is refreshed in between is not taken for empty', async () => {
    await sql('CREATE MATERIALIZED VIEW refreshed AS SELECT id FROM numbers WHERE id < 4')
    const reading = await openReading(source(), [{ name: 'refreshed' }])
    await sql('REFRESH MATERIALIZED VIEW refreshed')
    await expect(planned(reading)).rejects.toMatchObject({ code: 'SOURCE_EPOCH_LOST', retry: 'automatic' })
    await reading.close(testContext())
    const again = await openReading(source(), [{ name: 'refreshed' }])
    const [slice] = await planned(again)
    await expect(sql('SET lock_timeout = 100; REFRESH MATERIALIZED VIEW refreshed')).rejects.toThrow('lock timeout')
    expect((await readSlice(again, slice!)).rows).toHaveLength(3)
    await again.close(testContext())
  })
})

describe('D7: abort', () => {
  test.each(['endless', 'sleeping'])('releases every connection, also of a statement that runs: %s', async (name) => {
    const abort = new AbortController()
    const context = testContext(abort.signal)
    const reading = await openReading(source(), [{ name }, { name: 'numbers' }], context)
    const slices = await planned(reading, context)
    const reads = slices.slice(0, 3).map((slice: Slice) => readSlice(reading, slice, context))
    const outcome = Promise.allSettled(reads)
    await until(async () => (await sessions()).some(({ state, query }) => state === 'active' && query.includes(name)))
    abort.abort(new Error('enough'))
    expect((await outcome)[0]).toMatchObject({ status: 'rejected', reason: { message: 'enough' } })
    await reading.close(testContext())
    await gone()
  })

  test('ends the wait for a free connection', async () => {
    const abort = new AbortController()
    const reading = await openReading(source({ connections: 1 }), [{ name: 'endless' }, { name: 'numbers' }])
    const slices = await planned(reading)
    const first = reading.read(slices[0]!, undefined, testContext())[Symbol.asyncIterator]()
    const reads = [first.next(), readSlice(reading, slices[1]!, testContext(abort.signal))]
    setTimeout(() => abort.abort(new Error('enough')), 100)
    await expect(reads[1]).rejects.toThrow('enough')
    await reads[0]
    await first.return?.(undefined)
    expect((await readSlice(reading, slices[1]!)).rows.length).toBeGreaterThan(0)
    await reading.close(testContext())
    await gone()
  })

  test('while the network stands still', async () => {
    const abort = new AbortController()
    const context = testContext(abort.signal)
    const reading = await openReading(source(), [{ name: 'numbers' }], context)
    const [slice] = await planned(reading, context)
    proxy.stall()
    const read = readSlice(reading, slice!, context)
    setTimeout(() => abort.abort(new Error('enough')), 50)
    await expect(read).rejects.toThrow('enough')
    await reading.close(testContext())
    proxy.resume()
    await gone()
  })

  test('leaving a slice early and closing free everything', async () => {
    const reading = await openReading(source({ connections: 2 }), [{ name: 'numbers' }])
    const slices = await planned(reading)
    for await (const _ of reading.read(slices[0]!, undefined, testContext())) break
    expect((await readSlice(reading, slices[0]!)).rows.length).toBeGreaterThan(0)
    await reading.close(testContext())
    await gone()
  })
})

test('one stream that cannot be read does not stop the others', async () => {
  await sql('CREATE TABLE fleeting (id int); CREATE TABLE lasting AS SELECT 1 AS id')
  const catalog = await source().discover(testContext())
  await sql('DROP TABLE fleeting')
  const reading = await openReading(source(), [{ name: 'fleeting' }, { name: 'lasting' }], testContext(), catalog)
  const slices = await planned(reading)
  expect(slices).toHaveLength(2)
  await expect(readSlice(reading, slices[0]!)).rejects.toMatchObject({
    code: 'SOURCE_STREAM_MISSING',
    stream: { namespace: 'public', name: 'fleeting' },
  })
  expect((await readSlice(reading, slices[1]!)).rows).toEqual([{ id: 1 }])
  await reading.close(testContext())
})

test('a column or a right that is taken away', async () => {
  await sql(`CREATE TABLE changing (id int, v text); DROP ROLE IF EXISTS fault_reader; CREATE ROLE fault_reader LOGIN PASSWORD 'p';
    GRANT SELECT ON changing TO fault_reader`)
  const url = new URL(connectionString)
  url.username = 'fault_reader'
  url.password = 'p'
  const reader = source({ connectionString: proxy.through(url.href) })
  const catalog = await reader.discover(testContext())
  const attempt = async () => {
    const reading = await openReading(reader, [{ name: 'changing' }], testContext(), catalog)
    const slices = await planned(reading)
    return readSlice(reading, slices[0]!).finally(() => reading.close(testContext()))
  }
  expect((await attempt()).rows).toEqual([])
  await sql('ALTER TABLE changing DROP COLUMN v')
  await expect(attempt()).rejects.toMatchObject({ code: 'SOURCE_FIELD_MISSING' })
  await sql('ALTER TABLE changing ADD COLUMN v text; REVOKE SELECT ON changing FROM fault_reader')
  await expect(attempt()).rejects.toMatchObject({ code: 'SOURCE_PERMISSION_DENIED' })
  await expect(readStream(source(), { name: 'changing', fields: ['v'] })).resolves.toMatchObject({ rows: [] })
})
