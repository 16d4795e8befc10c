import { type PostgresSourceOptions, postgresSource } from 'syncline/postgres'
import { describe, expect, test } from 'vitest'
import { lagOf, sourceConfig } from '#src/connectors/postgres/config.js'

const invalid = (options: object) => {
  try {
    postgresSource(options as PostgresSourceOptions)
  } catch (error) {
    return error
  }
  throw new Error('It was taken.')
}

describe('options', () => {
  test('what is left out', () => {
    const { connection, ...rest } = sourceConfig({ user: 'u' })
    expect(connection).toEqual({
      host: 'localhost',
      port: 5432,
      database: 'u',
      user: 'u',
      password: '',
      ssl: { mode: 'prefer' },
      applicationName: 'syncline',
      connectTimeout: 10_000,
    })
    expect(rest).toMatchObject({
      connections: 4,
      sliceBytes: 128 * 2 ** 20,
      statementTimeout: 0,
      lag: 0,
      boundaryRows: 10_000,
    })
  })

  test.each([
    [{ user: 'u', pasword: 'p' }, 'pasword', 'password'],
    [{ user: 'u', ssl: { mode: 'require', certficate: 'c' } }, 'ssl.certficate', 'ssl.certificate'],
    [{ user: 'u', ssl: 'required' }, "ssl: expected 'disable', 'allow', 'prefer', 'require'", ''],
    [{ user: 'u', port: 0 }, 'port', ''],
    [{ user: 'u', tables: [] }, 'tables', ''],
    [{ user: 'u', lag: -1 }, 'lag', ''],
    [{ user: 'u', sliceBytes: 'big' }, 'sliceBytes', ''],
    [{ user: 'u', connections: 0 }, 'connections', ''],
    [{ user: 'u', pool: {} }, 'pool', ''],
    [{ pool: { connect() {} }, user: 'u' }, 'user beside pool', ''],
    [{ host: 'h' }, 'user is missing', 'Give connectionString'],
    [{ connectionString: undefined }, 'user is missing', 'Give connectionString'],
    [{ connectionString: 'postgresql://h/d' }, 'user is missing', 'postgresql://user:password@'],
    [{ user: 'u', ssl: { certificate: 'c' } }, 'ssl.certificate and ssl.key', ''],
  ])('%j is refused', (options, named, hint) => {
    expect(invalid(options)).toMatchObject({
      code: 'CONFIG_INVALID',
      retry: 'never',
      connector: 'postgres',
      message: expect.stringContaining(named),
      hint: expect.stringContaining(hint),
    })
  })

  test('no secret in an error', () => {
    expect(JSON.stringify(invalid({ password: 'hunter2', connectionString: 'mysql://u:hunter2@h/d' }))).not.toContain(
      'hunter2',
    )
    expect(JSON.stringify(invalid({ connectionString: 'postgresql://u:hunter2@h:port/d' }))).not.toContain('hunter2')
  })

  test('the lag of a stream', () => {
    expect(lagOf(5, { namespace: 'a', name: 'b' })).toBe(5)
    expect(lagOf({ b: 1, 'a.b': 2 }, { namespace: 'a', name: 'b' })).toBe(2)
    expect(lagOf({ b: 1 }, { namespace: 'a', name: 'b' })).toBe(1)
    expect(lagOf({ c: 1 }, { namespace: 'a', name: 'b' })).toBe(0)
  })
})

describe('connection strings', () => {
  const connection = (connectionString: string, options: object = {}) =>
    sourceConfig({ connectionString, ...options }).connection

  test('all parts, decoded', () => {
    expect(
      connection(
        'postgres://us%40er:p%2Fw%3A@db.example:6000/my%20db?sslmode=verify-full&application_name=a%20b&connect_timeout=3',
      ),
    ).toEqual({
      host: 'db.example',
      port: 6000,
      database: 'my db',
      user: 'us@er',
      password: 'p/w:',
      ssl: { mode: 'verify-full' },
      applicationName: 'a b',
      connectTimeout: 3000,
    })
  })

  test('addresses, sockets and parameters in place of parts', () => {
    expect(connection('postgresql://u@[::1]:5433/d')).toMatchObject({ host: '::1', port: 5433 })
    expect(connection('postgresql://u:p@/d?host=/run/postgresql')).toMatchObject({
      host: '/run/postgresql',
      user: 'u',
      database: 'd',
    })
    expect(connection('postgresql:///d?user=u&password=p&host=h&port=7')).toMatchObject({
      host: 'h',
      port: 7,
      password: 'p',
    })
    expect(connection('postgresql://h?user=u&dbname=d')).toMatchObject({ host: 'h', database: 'd' })
  })

  test('options beside it win', () => {
    expect(
      connection('postgresql://u:p@h/d?sslmode=disable', { password: 'q', ssl: 'require', port: 7 }),
    ).toMatchObject({
      password: 'q',
      ssl: { mode: 'require' },
      port: 7,
    })
  })

  test.each([
    ['mysql://h/d', 'postgresql://'],
    ['postgresql://u@h/d?sslmode=on', 'sslmode'],
    ['postgresql://u@h/d?sslrootcert=/ca.pem', 'sslrootcert'],
    ['postgresql://u@h/d?aplication_name=x', 'aplication_name'],
    ['postgresql://u@h/d?connect_timeout=soon', 'connect_timeout'],
    ['postgresql://u@a:1,b:2/d', 'cannot be parsed'],
    ['postgresql://u@h/%zz', 'percent'],
    ['postgresql://u@h/d?port=x', 'port'],
  ])('%s is refused', (connectionString, named) => {
    expect(invalid({ connectionString })).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(named),
    })
  })
})
