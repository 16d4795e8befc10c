import type pg from 'pg'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { copyBatches } from '#src/connectors/postgres/copy-reader.js'
import { fieldOf } from '#src/connectors/postgres/types.js'
import type { Batch } from '#src/model/batch.js'
import type { PostgresDatabases } from '../fixtures/postgres.js'
import { sharedPostgres } from '../fixtures/postgres-shared.js'
import { columnsOf, connect, OWN_TYPES, queryOf } from '../roundtrip/postgres-database.js'

let postgres: PostgresDatabases
let database: string
const clients: pg.Client[] = []

beforeAll(async () => {
  postgres = await sharedPostgres()
  database = await postgres.createDatabase()
  const client = await connect(database)
  await client.query(OWN_TYPES)
  await client.query(`CREATE TABLE long AS SELECT i AS id, md5(i::text) || repeat('x', 100) AS text
    FROM generate_series(1, 300000) AS i`)
  await client.end()
})

afterEach(async () => {
  for (const client of clients.splice(0)) await client.end().catch(() => {})
})

async function open(): Promise<pg.Client> {
  const client = await connect(database)
  clients.push(client)
  return client
}

interface Asked {
  readonly rest?: string
  readonly signal?: AbortSignal
  readonly batchRows?: number
  readonly batchBytes?: number
}

async function reading(client: pg.Client, table: string, { rest = '', signal, ...limits }: Asked = {}) {
  const columns = await columnsOf(client, table)
  const schema = { fields: columns.map(fieldOf) }
  const options = { ...limits, signal: signal ?? new AbortController().signal }
  return copyBatches(client, queryOf(columns, `"${table}" ${rest}`), { name: table }, schema, columns, options)
}

async function all(batches: AsyncIterable<Batch>): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = []
  for await (const batch of batches) for (const row of batch.rows()) rows.push({ ...row })
  return rows
}

async function count(batches: AsyncGenerator<Batch, { rows: number }>): Promise<{ seen: number; rows: number }> {
  let seen = 0
  for (;;) {
    const next = await batches.next()
    if (next.done) return { seen, rows: next.value.rows }
    seen += next.value.length
  }
}

async function gone(pid: number): Promise<void> {
  for (;;) {
    const [row] = await postgres.query('SELECT count(*)::int AS n FROM pg_stat_activity WHERE pid = $1', [pid])
    if (row!['n'] === 0) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const pidOf = async (client: pg.Client): Promise<number> =>
  (await client.query('SELECT pg_backend_pid() AS pid')).rows[0].pid

describe('reading by COPY', () => {
  it('counts the rows, and leaves the connection to the next query', async () => {
    const client = await open()
    for (let round = 0; round < 3; round++) {
      expect(await count(await reading(client, 'long'))).toEqual({ seen: 300_000, rows: 300_000 })
      expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    }
  })

  it('lets the host have its turns', async () => {
    const client = await open()
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    try {
      await count(await reading(client, 'long'))
    } finally {
      clearInterval(timer)
    }
    expect(turns).toBeGreaterThan(10)
  })

  it('reads no more from the server than the consumer can take', async () => {
    const client = await open()
    const batches = await reading(client, 'long', { rest: 'CROSS JOIN generate_series(1, 10)', batchRows: 1000 })
    const { stream } = (client as unknown as { connection: { stream: { bytesRead: number; destroy(): void } } })
      .connection
    await batches.next()
    await new Promise((resolve) => setTimeout(resolve, 200))
    const { bytesRead } = stream
    expect(bytesRead).toBeLessThan(4 * 2 ** 20)
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(stream.bytesRead).toBe(bytesRead)
    await batches.return({ rows: 0 })
    await client.end()
  })

  it('gives the connection to its owner to destroy when the consumer leaves early', async () => {
    const client = await open()
    const pid = await pidOf(client)
    for await (const batch of await reading(client, 'long')) {
      expect(batch.length).toBeGreaterThan(0)
      break
    }
    await client.end()
    await gone(pid)
  })

  it('ends at once on abort, whether rows flow or not', async () => {
    for (const rest of ['CROSS JOIN generate_series(1, 1000)', 'WHERE pg_sleep(3600) IS NULL']) {
      const client = await open()
      const pid = await pidOf(client)
      const controller = new AbortController()
      const batches = await reading(client, 'long', { rest, signal: controller.signal })
      const reason = new Error('enough')
      setTimeout(() => controller.abort(reason), 100)
      await expect(count(batches)).rejects.toBe(reason)
      await client.end()
      await postgres.query('SELECT pg_terminate_backend($1)', [pid])
      await gone(pid)
    }
  })

  it('does not begin when the signal is aborted already', async () => {
    const client = await open()
    const batches = await reading(client, 'long', { signal: AbortSignal.abort(new Error('before')) })
    await expect(batches.next()).rejects.toThrow('before')
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  })

  it('passes an error of the server on, without the values in it', async () => {
    const client = await open()
    // Else a scan may begin where another session's is, and meet the bad row early.
    await client.query('SET synchronize_seqscans = off')
    const batches = await reading(client, 'long', { rest: 'WHERE 1 / (250000 - id) IS NOT NULL', batchRows: 1000 })
    let seen = 0
    const failing = (async () => {
      for await (const batch of batches) seen += batch.length
    })()
    await expect(failing).rejects.toMatchObject({ code: 'SOURCE_FAILED', stream: { name: 'long' } })
    await expect(failing).rejects.not.toThrow('division')
    expect(seen).toBeGreaterThan(200_000)
    // The server had ended the copy by itself, so the connection is of use.
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  })

  it('says so when the connection breaks', async () => {
    const client = await open()
    const pid = await pidOf(client)
    const batches = await reading(client, 'long', { rest: 'CROSS JOIN generate_series(1, 1000)' })
    await batches.next()
    await postgres.query('SELECT pg_terminate_backend($1)', [pid])
    await expect(count(batches)).rejects.toMatchObject({ code: 'SOURCE_CONNECTION_LOST', retry: 'automatic' })
  })

  it('leaves notices and notifications to the driver', async () => {
    const client = await open()
    await client.query(`CREATE FUNCTION loud(int) RETURNS bool LANGUAGE plpgsql AS
      $$ BEGIN RAISE NOTICE 'row %, % long', $1, repeat('very ', 20000); PERFORM pg_notify('rows', $1::text); RETURN true; END $$`)
    await client.query('LISTEN rows')
    const notices: string[] = []
    const notifications: string[] = []
    client.on('notice', ({ message = '' }) => notices.push(message))
    client.on('notification', ({ payload = '' }) => notifications.push(payload))
    const { seen } = await count(await reading(client, 'long', { rest: 'WHERE id <= 30 AND loud(id)', batchRows: 7 }))
    await client.query('SELECT 1')
    expect(seen).toBe(30)
    const ids = Array.from({ length: 30 }, (_, index) => `${index + 1}`)
    expect(notices.map((notice) => /^row (\d+), .*long$/.exec(notice)?.[1])).toEqual(ids)
    expect(notifications).toEqual(ids)
  })

  it('bounds its batches by rows and by bytes', async () => {
    const client = await open()
    const sizes = async (limits: Asked) => {
      const found: number[] = []
      for await (const batch of await reading(client, 'long', { rest: 'ORDER BY id LIMIT 1000', ...limits })) {
        found.push(batch.length)
      }
      return found
    }
    expect(await sizes({ batchRows: 300 })).toEqual([300, 300, 300, 100])
    const byBytes = await sizes({ batchBytes: 20_000 })
    expect(byBytes.reduce((a, b) => a + b)).toBe(1000)
    for (const size of byBytes) expect(size).toBeLessThan(150)
  })
})

describe('tables out of the ordinary', () => {
  it('without columns', async () => {
    const client = await open()
    await client.query('CREATE TABLE nothing (); INSERT INTO nothing SELECT FROM generate_series(1, 40000)')
    expect(await count(await reading(client, 'nothing'))).toEqual({ seen: 40_000, rows: 40_000 })
  })

  it('without rows', async () => {
    const client = await open()
    await client.query('CREATE TABLE no_rows (a int, b text)')
    expect(await count(await reading(client, 'no_rows'))).toEqual({ seen: 0, rows: 0 })
  })

  it('with 1,600 columns', async () => {
    const client = await open()
    const types = ['int', 'bigint', 'bool', 'text']
    const columns = Array.from({ length: 1600 }, (_, index) => `c${index} ${types[index % 4]}`)
    await client.query(`CREATE TABLE wide (${columns.join(', ')})`)
    await client.query(
      `INSERT INTO wide (c0, c401, c1598, c1599) SELECT i, -i, i % 2 = 0, 'last ' || i FROM generate_series(1, 300) AS i`,
    )
    const rows = await all(await reading(client, 'wide', { rest: 'ORDER BY c0' }))
    expect(rows.length).toBe(300)
    for (const [index, row] of rows.entries()) {
      const id = index + 1
      expect(Object.entries(row).filter(([, value]) => value !== null)).toEqual([
        ['c0', id],
        ['c401', BigInt(-id)],
        ['c1598', id % 2 === 0],
        ['c1599', `last ${id}`],
      ])
    }
  })

  it('with a value of 50 MB', async () => {
    const client = await open()
    await client.query(`CREATE TABLE large AS SELECT i AS id, repeat(chr(8364), CASE i WHEN 2 THEN 17500000 ELSE 1 END) AS text,
      convert_to(repeat('b', i), 'UTF8') AS bytes FROM generate_series(1, 3) AS i`)
    const rows = await all(await reading(client, 'large', { rest: 'ORDER BY id' }))
    expect(rows.map(({ text }) => (text as string).length)).toEqual([1, 17_500_000, 1])
    expect(/^€+$/.test(rows[1]!['text'] as string)).toBe(true)
    expect(rows.map(({ bytes }) => Buffer.from(bytes as Uint8Array).toString())).toEqual(['b', 'bb', 'bbb'])
  })

  it('with names that need quotes', async () => {
    const client = await open()
    await client.query(`CREATE TABLE odd ("select" int, "with ""quotes""" numeric(5,2), "Ünï 😀" inet, " " text[]);
      INSERT INTO odd VALUES (1, 2.5, '::1', '{a}')`)
    expect(await all(await reading(client, 'odd'))).toEqual([
      { select: 1, 'with "quotes"': '2.50', 'Ünï 😀': '::1', ' ': '["a"]' },
    ])
  })

  it('with composites, nested and in arrays, in which every digit is kept', async () => {
    const client = await open()
    await client.query(`CREATE TYPE person AS (name text, home address, past address[]);
      CREATE TABLE people (id int, home address, stricter address_domain, person person, homes address[]);
      INSERT INTO people VALUES
        (1, ROW('a "b"', 7, '{{12345678901234567890.10,NULL}}', 'happy'), ROW(NULL, NULL, NULL, NULL), ROW('p', ROW('s', 1, '{NaN}', NULL), '{}'),
          ARRAY[ROW('x', 1, NULL, 'so so')::address, NULL]),
        (2, NULL, NULL, NULL, NULL)`)
    const columns = await columnsOf(client, 'people')
    expect(columns.map((column) => fieldOf(column).type)).toEqual([
      { kind: 'int32' },
      { kind: 'json' },
      { kind: 'json' },
      { kind: 'json' },
      { kind: 'array', items: { kind: 'json' } },
    ])
    expect(await all(await reading(client, 'people', { rest: 'ORDER BY id' }))).toEqual([
      {
        id: 1,
        home: '{"street":"a \\"b\\"","number":7,"geo \\"point\\"":[[12345678901234567890.10,null]],"mood":"happy"}',
        stricter: '{"street":null,"number":null,"geo \\"point\\"":null,"mood":null}',
        person: '{"name":"p","home":{"street":"s","number":1,"geo \\"point\\"":["NaN"],"mood":null},"past":[]}',
        homes: '[{"street":"x","number":1,"geo \\"point\\"":null,"mood":"so so"},null]',
      },
      { id: 2, home: null, stricter: null, person: null, homes: null },
    ])
  })

  it('with json null and SQL null', async () => {
    const client = await open()
    await client.query(`CREATE TABLE nulls (a json, b jsonb); INSERT INTO nulls VALUES ('null', 'null'), (NULL, NULL)`)
    expect(await all(await reading(client, 'nulls', { rest: 'ORDER BY a IS NULL' }))).toEqual([
      { a: 'null', b: 'null' },
      { a: null, b: null },
    ])
  })
})
