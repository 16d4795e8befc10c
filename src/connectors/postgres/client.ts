import { isIP } from 'node:net'
import { checkServerIdentity } from 'node:tls'
import pg from 'pg'
import { SynclineError } from '../../errors/syncline-error.js'
import type { PostgresConnection, PostgresPool } from './config.js'
import { isServerError, isTlsError, postgresError } from './errors.js'
import { Session } from './session.js'

type Direct = Extract<PostgresConnection, { pool?: undefined }>

/** A session of its own, or one of the host's pool. Waits at most `connectTimeout`; rejects with the signal's reason when that aborts. */
export async function openSession(connection: PostgresConnection, signal: AbortSignal): Promise<Session> {
  signal.throwIfAborted()
  if (connection.pool !== undefined) return fromPool(connection.pool, connection.connectTimeout, signal)
  const failures: { readonly encrypted: boolean; readonly error: unknown }[] = []
  for (const encrypted of encryptions(connection)) {
    try {
      return await connect(connection, encrypted, signal)
    } catch (error) {
      signal.throwIfAborted()
      failures.push({ encrypted, error })
      // As libpq: another kind of connection is tried where the server refused this one, not where it was not reached.
      if (!isTlsError(error) && !(isServerError(error) && error.code.startsWith('28'))) break
    }
  }
  throw postgresError(mostTelling(failures))
}

function encryptions({ ssl }: Direct): readonly boolean[] {
  switch (ssl.mode) {
    case 'disable':
      return [false]
    case 'allow':
      return [false, true]
    case 'prefer':
      return [true, false]
    default:
      return [true]
  }
}

/** A wrong password says more than "no entry in pg_hba.conf" for the other kind of connection, and that more than "no TLS". */
function mostTelling(failures: readonly { readonly error: unknown }[]): unknown {
  const errors = failures.map(({ error }) => error)
  return (
    errors.find((error) => isServerError(error) && error.code === '28P01') ??
    errors.findLast((error) => !isTlsError(error)) ??
    errors.at(-1)
  )
}

async function connect(connection: Direct, encrypted: boolean, signal: AbortSignal): Promise<Session> {
  const client = new pg.Client({
    host: connection.host,
    port: connection.port,
    database: connection.database,
    user: connection.user,
    // As a function, so that the driver looks into no environment variable or password file where it is empty.
    password: () => connection.password,
    ssl: encrypted ? tlsOptions(connection) : false,
    application_name: connection.applicationName,
    client_encoding: 'UTF8',
    connectionTimeoutMillis: 0,
    keepAlive: true,
    keepAliveInitialDelayMillis: 30_000,
    sslnegotiation: 'postgres',
  } as pg.ClientConfig)
  withoutEnvironment(client)
  const session = new Session(client, () => client.end())
  try {
    await within(client.connect(), connection.connectTimeout, signal)
    return session
  } catch (error) {
    session.destroy()
    throw error
  }
}

async function fromPool(pool: PostgresPool, timeout: number, signal: AbortSignal): Promise<Session> {
  const waiting = pool.connect()
  try {
    const client = (await within(waiting, timeout, signal)) as pg.PoolClient
    return new Session(client, async (destroy) => client.release(destroy))
  } catch (error) {
    waiting.then(
      (late) => late.release(),
      () => {},
    )
    signal.throwIfAborted()
    if (error instanceof Error && /timeout exceeded/.test(error.message)) throw timedOut(timeout)
    throw postgresError(error)
  }
}

/** The driver also takes these from `PGOPTIONS` and `PGREPLICATION`, and has no other way to say "none". */
function withoutEnvironment(client: pg.Client): void {
  const inner = client as unknown as { connectionParameters: Record<string, unknown>; replication: unknown }
  for (const name of ['options', 'replication']) inner.connectionParameters[name] = undefined
  inner.replication = undefined
}

function tlsOptions({ ssl, host }: Direct): NonNullable<pg.ClientConfig['ssl']> {
  const verifies =
    ssl.mode === 'verify-ca' || ssl.mode === 'verify-full' || (ssl.mode === 'require' && ssl.ca !== undefined)
  return {
    rejectUnauthorized: verifies,
    // Node.js compares with the name that it asked for, which is none for an address.
    checkServerIdentity: (_, certificate) =>
      ssl.mode === 'verify-full' ? checkServerIdentity(host, certificate) : undefined,
    ...(isIP(host) === 0 && !host.startsWith('/') && { servername: host }),
    ...(ssl.ca !== undefined && { ca: ssl.ca }),
    ...(ssl.certificate !== undefined && { cert: ssl.certificate }),
    ...(ssl.key !== undefined && { key: ssl.key }),
    ...(ssl.passphrase !== undefined && { passphrase: ssl.passphrase }),
  }
}

/** The outcome, or a timeout, or the signal's reason, whichever is first. */
async function within<T>(promise: Promise<T>, timeout: number, signal: AbortSignal): Promise<T> {
  let stop: () => void = () => {}
  const stopped = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => reject(timedOut(timeout)), timeout)
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    stop = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
    }
  })
  try {
    return await Promise.race([promise, stopped])
  } finally {
    stop()
  }
}

function timedOut(timeout: number): SynclineError {
  return new SynclineError('SOURCE_TIMEOUT', `No connection to PostgreSQL within ${timeout} ms.`, {
    connector: 'postgres',
    hint: 'Check host, port and firewall, or raise connectTimeout; with a pool, whether it has clients left.',
  })
}
