import { createServer, type Server, type Socket } from 'node:net'
import pg from 'pg'
import { type PostgresSourceOptions, postgresSource } from 'syncline/postgres'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Authority, type KeyPair, makeAuthority } from '../fixtures/certificates.js'
import { type PostgresDatabases, type PostgresServer, queryPostgres, startPostgres } from '../fixtures/postgres.js'
import { readStream, testContext } from '../fixtures/postgres-reading.js'
import { sharedPostgres } from '../fixtures/postgres-shared.js'

const check = (options: PostgresSourceOptions, signal?: AbortSignal) =>
  postgresSource(options).check(testContext(signal))

let shared: PostgresDatabases
let connectionString: string
let parts: { host: string; port: number; user: string; password: string; database: string }

beforeAll(async () => {
  shared = await sharedPostgres()
  connectionString = await shared.createDatabase()
  const url = new URL(connectionString)
  parts = {
    host: url.hostname,
    port: Number(url.port),
    user: url.username,
    password: url.password,
    database: url.pathname.slice(1),
  }
  await queryPostgres(connectionString, `CREATE TABLE t (id int); INSERT INTO t VALUES (1)`)
})

describe('ways to connect', () => {
  afterEach(() => vi.unstubAllEnvs())

  test('fields, a connection string, both, and a pool', async () => {
    await check(parts)
    await check({ connectionString })
    await check({ connectionString: connectionString.replace(parts.password, 'wrong'), password: parts.password })
    const pool = new pg.Pool({ connectionString, max: 3 })
    try {
      for (let times = 0; times < 12; times++) await check({ pool })
      const client = await pool.connect()
      expect(client.listenerCount('error')).toBeLessThan(4)
      client.release()
      const read = await readStream(postgresSource({ pool }), { name: 't' })
      expect(read.rows).toEqual([{ id: 1 }])
      expect(pool.idleCount).toBe(pool.totalCount)
      const { rows } = await pool.query('SHOW DateStyle')
      expect(rows).toEqual([{ DateStyle: 'ISO, MDY' }])
    } finally {
      await pool.end()
    }
  })

  test('parsers that the host has set for the whole process do not matter', async () => {
    const { TEXT, INT8 } = pg.types.builtins
    const before = [TEXT, INT8].map((type) => [type, pg.types.getTypeParser(type)] as const)
    try {
      for (const [type] of before) pg.types.setTypeParser(type, () => 'of the host')
      const source = postgresSource(parts)
      expect((await readStream(source, { name: 't' })).rows).toEqual([{ id: 1 }])
      const first = await readStream(source, { name: 't', syncMode: 'incremental', cursorField: 'id' })
      expect(first.state).toMatchObject({ boundary: { high: '1' } })
    } finally {
      for (const [type, parser] of before) pg.types.setTypeParser(type, parser)
    }
  })

  test('a pool of one client is refused', async () => {
    const pool = new pg.Pool({ connectionString, max: 1 })
    try {
      await expect(readStream(postgresSource({ pool }), { name: 't' })).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
      })
      expect(pool.idleCount).toBe(pool.totalCount)
    } finally {
      await pool.end()
    }
  })

  test('nothing is taken from the environment', async () => {
    for (const [name, value] of Object.entries({
      PGHOST: 'no.such.host.invalid',
      PGPORT: '1',
      PGUSER: 'nobody',
      PGDATABASE: 'nothing',
      PGPASSWORD: 'wrong',
      PGOPTIONS: '-c statement_timeout=1',
      PGAPPNAME: 'of the environment',
      PGSSLMODE: 'require',
      PGCLIENT_ENCODING: 'LATIN1',
      PGREPLICATION: 'database',
      PGCONNECT_TIMEOUT: '1',
    })) {
      vi.stubEnv(name, value)
    }
    await check(parts)
    await expect(check({ ...parts, password: '' })).rejects.toMatchObject({ code: 'SOURCE_AUTH_FAILED' })
    expect(() => postgresSource({ host: parts.host })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })
})

describe('check says what is missing', () => {
  test('a server without TLS, where the mode demands it', async () => {
    await expect(check({ ...parts, ssl: 'require' })).rejects.toMatchObject({
      code: 'SOURCE_TLS_FAILED',
      message: 'The server offers no TLS, and the SSL mode demands it.',
    })
  })

  test('a wrong password, a user or a database that are not there', async () => {
    await expect(check({ ...parts, password: 'a secret' })).rejects.toMatchObject({
      code: 'SOURCE_AUTH_FAILED',
      phase: 'check',
      connector: 'postgres',
      hint: expect.stringContaining('password'),
      message: expect.not.stringContaining('a secret'),
    })
    await expect(check({ ...parts, user: 'nobody_here' })).rejects.toMatchObject({ code: 'SOURCE_AUTH_FAILED' })
    await expect(check({ ...parts, database: 'nothing_here' })).rejects.toMatchObject({
      code: 'SOURCE_DATABASE_UNKNOWN',
      message: expect.stringContaining('nothing_here'),
    })
  })

  test('a host that is unknown, refuses or does not answer', async () => {
    await expect(check({ ...parts, host: 'no.such.host.invalid' })).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
    })
    const silent = await listen(() => {})
    const closing = await listen((socket) => socket.destroy())
    try {
      await expect(check({ ...parts, port: silent.port, connectTimeout: 200 })).rejects.toMatchObject({
        code: 'SOURCE_TIMEOUT',
      })
      await expect(check({ ...parts, port: closing.port })).rejects.toMatchObject({ code: 'SOURCE_CONNECTION_LOST' })
      const aborted = AbortSignal.abort(new Error('stopped'))
      await expect(check({ ...parts, port: silent.port }, aborted)).rejects.toThrow('stopped')
      const later = new AbortController()
      const waiting = check({ ...parts, port: silent.port }, later.signal)
      setTimeout(() => later.abort(new Error('stopped later')), 50)
      await expect(waiting).rejects.toThrow('stopped later')
    } finally {
      silent.server.close()
      closing.server.close()
    }
    await expect(check({ ...parts, port: closing.port })).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' })
  })

  test('a schema or a table that is not there, with the name that was meant', async () => {
    await expect(check({ ...parts, schemas: ['publik'] })).rejects.toMatchObject({
      code: 'SOURCE_STREAM_MISSING',
      hint: expect.stringContaining('public'),
    })
    await queryPostgres(connectionString, 'CREATE TABLE customers ()')
    await expect(check({ ...parts, tables: ['customer'] })).rejects.toMatchObject({
      code: 'SOURCE_STREAM_MISSING',
      hint: expect.stringContaining('customers'),
    })
    // A misspelt name is no database that holds nothing: a run must not succeed with no streams.
    for (const options of [{ schemas: ['publik'] }, { tables: ['customer'] }]) {
      await expect(postgresSource({ ...parts, ...options }).discover(testContext())).rejects.toMatchObject({
        code: 'SOURCE_STREAM_MISSING',
        phase: 'discover',
        hint: expect.stringMatching(/^Did you mean/),
      })
    }
    await expect(check({ ...parts, lag: { custmers: 5 } })).rejects.toMatchObject({ code: 'CONFIG_STREAM_UNKNOWN' })
    await check({
      ...parts,
      tables: ['public.customers', { namespace: 'public', name: 't' }],
      lag: { 'public.customers': 1 },
    })
  })

  test('a right that is missing', async () => {
    const role = `reader_${parts.database}`
    await queryPostgres(
      connectionString,
      `CREATE ROLE ${role} LOGIN PASSWORD 'p'; CREATE SCHEMA closed; CREATE TABLE closed.t (id int)`,
    )
    const reader = { ...parts, user: role, password: 'p' }
    await expect(check(reader)).rejects.toMatchObject({
      code: 'SOURCE_PERMISSION_DENIED',
      hint: expect.stringContaining('GRANT'),
    })
    await expect(postgresSource(reader).discover(testContext())).rejects.toMatchObject({
      code: 'SOURCE_PERMISSION_DENIED',
    })
    await expect(check({ ...reader, schemas: ['closed'] })).rejects.toMatchObject({ code: 'SOURCE_PERMISSION_DENIED' })
    await expect(check({ ...reader, tables: ['public.t'] })).rejects.toMatchObject({
      code: 'SOURCE_PERMISSION_DENIED',
      stream: { namespace: 'public', name: 't' },
    })
    await queryPostgres(connectionString, `GRANT SELECT ON t TO ${role}`)
    await check(reader)
    const catalog = await postgresSource(reader).discover(testContext())
    expect(catalog.streams.map(({ name }) => name)).toEqual(['t'])
  })

  test('a server that is too busy', async () => {
    const role = `single_${parts.database}`
    await queryPostgres(connectionString, `CREATE ROLE ${role} LOGIN PASSWORD 'p' CONNECTION LIMIT 0`)
    await expect(check({ ...parts, user: role, password: 'p' })).rejects.toMatchObject({
      code: 'SOURCE_OVERLOADED',
      retry: 'automatic',
    })
  })

  test('a statement that takes too long', async () => {
    await queryPostgres(connectionString, 'CREATE VIEW slow AS SELECT pg_sleep(5)::text AS slept')
    const source = postgresSource({ ...parts, statementTimeout: 200 })
    await expect(readStream(source, { name: 'slow' })).rejects.toMatchObject({ code: 'SOURCE_TIMEOUT' })
  })
})

describe('TLS', () => {
  let authority: Authority
  let other: Authority
  let client: KeyPair
  let server: PostgresServer
  let options: PostgresSourceOptions

  beforeAll(async () => {
    authority = await makeAuthority()
    other = await makeAuthority()
    client = await authority.issue('postgres')
    server = await startPostgres({
      tls: { ...(await authority.issue('server', 'DNS:localhost')), ca: authority.ca },
      hba: [
        'hostssl all only_tls 127.0.0.1/32 scram-sha-256',
        'hostssl all with_certificate 127.0.0.1/32 scram-sha-256 clientcert=verify-ca',
        'hostnossl all only_plain 127.0.0.1/32 scram-sha-256',
        'host all postgres 127.0.0.1/32 scram-sha-256',
      ],
    })
    for (const role of ['only_tls', 'only_plain', 'with_certificate']) {
      await server.query(`CREATE ROLE ${role} LOGIN PASSWORD 'p'; GRANT pg_read_all_data TO ${role}`)
    }
    options = { host: '127.0.0.1', port: server.port, user: 'only_tls', password: 'p', database: 'postgres' }
  })
  afterAll(() => server?.stop())

  test.each(['allow', 'prefer', 'require'] as const)('%s reaches a server that demands TLS', async (ssl) => {
    await check({ ...options, ssl })
  })

  test.each(['disable', 'allow', 'prefer'] as const)('%s reaches a server that refuses TLS', async (ssl) => {
    await check({ ...options, user: 'only_plain', ssl })
    await check({ ...parts, ssl })
  })

  test('disable does not reach a server that demands TLS', async () => {
    await expect(check({ ...options, ssl: 'disable' })).rejects.toMatchObject({
      code: 'SOURCE_AUTH_FAILED',
      hint: expect.stringContaining('TLS'),
    })
  })

  test.each(['require', 'verify-ca', 'verify-full'] as const)(
    '%s does not reach a server without TLS',
    async (mode) => {
      await expect(check({ ...parts, ssl: { mode, ca: authority.ca } })).rejects.toMatchObject({
        code: 'SOURCE_TLS_FAILED',
      })
    },
  )

  test('verify-ca checks the authority, verify-full the name too, require the authority where it is given', async () => {
    await check({ ...options, ssl: { mode: 'verify-ca', ca: authority.ca } })
    await check({ ...options, host: 'localhost', ssl: { mode: 'verify-full', ca: authority.ca } })
    await check({ ...options, ssl: { mode: 'require', ca: authority.ca } })
    for (const ssl of [
      { mode: 'verify-ca' },
      { mode: 'verify-ca', ca: other.ca },
      { mode: 'require', ca: other.ca },
      { mode: 'verify-full', ca: authority.ca },
    ] as const) {
      await expect(check({ ...options, ssl })).rejects.toMatchObject({ code: 'SOURCE_TLS_FAILED', retry: 'manual' })
    }
  })

  test('a client certificate', async () => {
    const user = 'with_certificate'
    await check({ ...options, user, ssl: { mode: 'verify-ca', ca: authority.ca, ...client } })
    await expect(check({ ...options, user, ssl: 'require' })).rejects.toMatchObject({ code: 'SOURCE_AUTH_FAILED' })
    const stranger = await other.issue('postgres')
    await expect(check({ ...options, user, ssl: { mode: 'require', ...stranger } })).rejects.toMatchObject({
      code: expect.stringMatching(/SOURCE_TLS_FAILED|SOURCE_AUTH_FAILED|SOURCE_CONNECTION_LOST/),
    })
  })

  test.each(['allow', 'prefer'] as const)('%s tells of a wrong password, not of the second try', async (ssl) => {
    for (const user of ['only_tls', 'only_plain']) {
      await expect(check({ ...options, user, password: 'wrong', ssl })).rejects.toMatchObject({
        code: 'SOURCE_AUTH_FAILED',
        message: expect.stringContaining('password'),
      })
    }
  })
})

async function listen(handle: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    handle(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, port: (server.address() as { port: number }).port }
}
