import { z } from 'zod'
import { invalidOptions } from '../../errors/invalid-options.js'
import { SynclineError } from '../../errors/syncline-error.js'
import type { StreamRef } from '../../model/stream.js'
import { type ByteSize, parseByteSize } from '../../util/byte-size.js'
import { connectionStringOptions } from './connection-string.js'

export const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const

/** As in libpq: `allow` and `prefer` fall back to the other kind of connection, only the last two know whom they talk to. */
export type PostgresSslMode = (typeof SSL_MODES)[number]

export interface PostgresSslOptions {
  /** Default `prefer`. */
  readonly mode?: PostgresSslMode
  /** PEM text of the authorities to trust; left out: those of Node.js. With it, `require` also checks the chain, as in libpq. */
  readonly ca?: string
  /** PEM text of the client's certificate. */
  readonly certificate?: string
  /** PEM text of the key of `certificate`. */
  readonly key?: string
  /** Of an encrypted `key`. */
  readonly passphrase?: string
}

/** A table by its name, or by `schema.name`; the object is the form without ambiguity. */
export type PostgresTableName = string | { readonly namespace: string; readonly name: string }

/** What is used of a `Pool` of `pg`, whichever copy of it the host has. */
export interface PostgresPool {
  connect(): Promise<{ release(destroy?: boolean): void }>
  readonly options?: { readonly max?: number }
}

/** Where a server is and who logs in. Nothing is taken from environment variables or password files. */
export interface PostgresConnectionOptions {
  /** `postgresql://user:password@host:port/database?sslmode=…`. Options given beside it win over its parts. */
  readonly connectionString?: string
  /** A name, an address or the directory of a Unix socket. Default `localhost`. */
  readonly host?: string
  /** Default 5432. */
  readonly port?: number
  /** Default: the user's name. */
  readonly database?: string
  readonly user?: string
  readonly password?: string
  readonly ssl?: PostgresSslMode | PostgresSslOptions
  /** What the server shows in `pg_stat_activity`. Default `syncline`. */
  readonly applicationName?: string
  /** The longest wait for a connection, in milliseconds. Default 10,000. */
  readonly connectTimeout?: number
  /**
   * The host's own pool, instead of all the above. It must allow at least two clients; they come back as they were. Sessions are not
   * shared: a client is held for as long as it is needed.
   */
  readonly pool?: PostgresPool
}

export interface PostgresSourceOptions extends PostgresConnectionOptions {
  /** Schemas to discover. Default: all but the system's. */
  readonly schemas?: readonly string[]
  /** Tables, views and materialized views to discover. Default: all that the user may read. */
  readonly tables?: readonly PostgresTableName[]
  /** The longest that one statement may run, in milliseconds; a slice is one statement. Default 0: no limit. */
  readonly statementTimeout?: number
  /** Slices that are read at the same time, each on a connection of its own; one more connection holds the snapshot. Default 4. */
  readonly connections?: number
  /** Tables are cut into slices of about this size on disk. Default `'128MB'`. */
  readonly sliceBytes?: ByteSize
  /**
   * Incremental streams: how far behind the highest cursor value rows may still be committed, in seconds (date and time cursors) or in
   * the cursor's own units (numbers). That window is read again each time, and only rows that are new or changed in it are delivered. One
   * number for all streams, or one per stream by `name` or `schema.name`. Default 0.
   */
  readonly lag?: number | Readonly<Record<string, number>>
  /**
   * Incremental streams: rows at the highest cursor value (or in the lag window) that are remembered one by one. Where there are more, they are
   * held back until the cursor has passed them. Default 10,000.
   */
  readonly boundaryRows?: number
}

/** How to reach a server, checked and complete. */
export type PostgresConnection =
  | { readonly pool: PostgresPool; readonly connectTimeout: number }
  | {
      readonly pool?: undefined
      readonly host: string
      readonly port: number
      readonly database: string
      readonly user: string
      readonly password: string
      readonly ssl: PostgresSslOptions & { readonly mode: PostgresSslMode }
      readonly applicationName: string
      readonly connectTimeout: number
    }

export interface PostgresSourceConfig {
  readonly connection: PostgresConnection
  readonly schemas: readonly string[] | undefined
  readonly tables: readonly PostgresTableName[] | undefined
  readonly statementTimeout: number
  readonly connections: number
  readonly sliceBytes: number
  readonly lag: number | Readonly<Record<string, number>>
  readonly boundaryRows: number
}

const text = z.string().min(1)
const milliseconds = z.int().min(0).max(2_147_483_647)
const sslMode = z.enum(SSL_MODES)
const ssl = z.union(
  [
    sslMode,
    z.strictObject({
      mode: sslMode.optional(),
      ca: text.optional(),
      certificate: text.optional(),
      key: text.optional(),
      passphrase: text.optional(),
    }),
  ],
  { error: `expected ${SSL_MODES.map((mode) => `'${mode}'`).join(', ')} or { mode, ca, … }` },
)

const pool = z.custom<PostgresPool>((value) => typeof (value as Partial<PostgresPool> | null)?.connect === 'function', {
  error: 'expected a Pool of pg',
})

export const connectionShape = {
  connectionString: text.optional(),
  host: text.optional(),
  port: z.int().min(1).max(65_535).optional(),
  database: text.optional(),
  user: text.optional(),
  password: z.string().optional(),
  ssl: ssl.optional(),
  applicationName: text.optional(),
  connectTimeout: milliseconds.min(1).optional(),
  pool: pool.optional(),
}

const sliceBytes = z.unknown().transform((value, issues) => {
  const bytes = parseByteSize(value)
  if (bytes !== undefined && bytes > 0) return bytes
  issues.addIssue({ code: 'custom', message: "expected bytes as a number or like '128MB'" })
  return z.NEVER
})

const sourceSchema = z.strictObject({
  ...connectionShape,
  schemas: z.array(text).min(1).optional(),
  tables: z
    .array(z.union([text, z.strictObject({ namespace: text, name: text })]))
    .min(1)
    .optional(),
  statementTimeout: milliseconds.default(0),
  connections: z.int().min(1).max(64).default(4),
  sliceBytes: sliceBytes.prefault('128MB'),
  lag: z.union([z.number().min(0), z.record(text, z.number().min(0))]).default(0),
  boundaryRows: z.int().min(0).max(1_000_000).default(10_000),
})

/** What a source works with, or `CONFIG_INVALID` that names every option that is wrong. Looks at nothing outside the options. */
export function sourceConfig(options: PostgresSourceOptions): PostgresSourceConfig {
  const parsed = sourceSchema.safeParse(options)
  if (!parsed.success) throw invalidOptions('postgres', parsed.error, sourceSchema)
  const { schemas, tables, statementTimeout, connections, sliceBytes, lag, boundaryRows, ...connection } = parsed.data
  return {
    connection: connectionConfig(connection as PostgresConnectionOptions),
    schemas,
    tables,
    statementTimeout,
    connections,
    sliceBytes,
    lag,
    boundaryRows,
  }
}

const WITH_POOL = new Set(['pool', 'connectTimeout'])

/** Completes checked connection options. */
export function connectionConfig(options: PostgresConnectionOptions): PostgresConnection {
  const connectTimeout = options.connectTimeout ?? 10_000
  if (options.pool !== undefined) {
    const beside = Object.keys(options).filter((name) => !WITH_POOL.has(name))
    if (beside.length > 0)
      throw invalid(`${beside.join(', ')} beside pool`, 'Configure the pool itself, or give no pool.')
    return { pool: options.pool, connectTimeout }
  }
  const { connectionString, ...fields } = options
  const all = { ...(connectionString === undefined ? {} : connectionStringOptions(connectionString)), ...fields }
  if (all.user === undefined) {
    throw invalid(
      'user is missing',
      connectionString === undefined
        ? 'Give connectionString, or host, database, user and password: nothing is taken from the environment.'
        : 'Write postgresql://user:password@host:port/database, or give user: nothing is taken from the environment.',
    )
  }
  const given = typeof all.ssl === 'string' ? { mode: all.ssl } : (all.ssl ?? {})
  if ((given.certificate === undefined) !== (given.key === undefined)) {
    throw invalid('ssl.certificate and ssl.key belong together', 'Give both, or none.')
  }
  return {
    host: all.host ?? 'localhost',
    port: all.port ?? 5432,
    database: all.database ?? all.user,
    user: all.user,
    password: all.password ?? '',
    ssl: { mode: 'prefer', ...given },
    applicationName: all.applicationName ?? 'syncline',
    connectTimeout: all.connectTimeout ?? connectTimeout,
  }
}

/** The lag of one stream. */
export function lagOf(lag: PostgresSourceConfig['lag'], stream: StreamRef): number {
  if (typeof lag === 'number') return lag
  return lag[`${stream.namespace}.${stream.name}`] ?? lag[stream.name] ?? 0
}

function invalid(problem: string, hint: string): SynclineError {
  return new SynclineError('CONFIG_INVALID', `Invalid options of postgres: ${problem}.`, {
    phase: 'configure',
    connector: 'postgres',
    hint,
  })
}
