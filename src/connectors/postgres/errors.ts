import type { ErrorCode } from '../../errors/codes.js'
import { isSynclineError, SynclineError, type SynclineErrorOptions } from '../../errors/syncline-error.js'

interface VendorError {
  readonly code?: unknown
  readonly message?: unknown
  /** Only errors that the server itself reported have it. */
  readonly severity?: unknown
}

type Rule = readonly [code: ErrorCode, message: string, hint: string]

const NETWORK: { readonly [code: string]: Rule } = {
  ENOTFOUND: [
    'SOURCE_UNREACHABLE',
    'The host name is unknown.',
    'Check the host. In a connection string, write @ as %40, / as %2F and : as %3A inside user and password.',
  ],
  EAI_AGAIN: [
    'SOURCE_UNREACHABLE',
    'The host name could not be resolved for now.',
    'Check the host and the name server.',
  ],
  ECONNREFUSED: [
    'SOURCE_UNREACHABLE',
    'Nothing listens at this host and port.',
    'Check host and port, that PostgreSQL runs, and its listen_addresses.',
  ],
  ENOENT: ['SOURCE_UNREACHABLE', 'There is no such socket.', 'Check the directory in host, and the port.'],
  EHOSTUNREACH: ['SOURCE_UNREACHABLE', 'There is no way to the host.', 'Check network and firewall.'],
  ENETUNREACH: ['SOURCE_UNREACHABLE', 'There is no way to the network.', 'Check network and firewall.'],
  ETIMEDOUT: ['SOURCE_UNREACHABLE', 'The host did not answer.', 'Check host, port and firewall.'],
}

const LOST: Rule = [
  'SOURCE_CONNECTION_LOST',
  'The connection to PostgreSQL broke.',
  'It is tried again; if it keeps breaking, look at the server log and at what lies between.',
]

const TLS: Rule = [
  'SOURCE_TLS_FAILED',
  'No encrypted connection could be made that the SSL mode accepts.',
  'Check ssl.ca, ssl.certificate and the SSL mode; verify-full also compares the host name.',
]

const NO_TLS: Rule = [
  'SOURCE_TLS_FAILED',
  'The server offers no TLS, and the SSL mode demands it.',
  "Turn TLS on at the server (ssl = on), or use the SSL mode 'prefer' or 'disable' where the network is trusted.",
]

const LOGIN: Rule = [
  'SOURCE_AUTH_FAILED',
  'The login could not be completed.',
  'The server asks for a password: give one that is not empty, and check that this is the right server.',
]

/** By SQLSTATE, then by its class. */
const STATES: { readonly [state: string]: Rule } = {
  '28P01': ['SOURCE_AUTH_FAILED', 'User or password is wrong.', 'Check user and password.'],
  '28000': [
    'SOURCE_AUTH_FAILED',
    'The server does not let this user in.',
    'Check the user, pg_hba.conf for this client and database, and whether the server demands TLS (ssl).',
  ],
  '3D000': ['SOURCE_DATABASE_UNKNOWN', 'There is no such database.', 'Check the name of the database.'],
  '42501': [
    'SOURCE_PERMISSION_DENIED',
    'The user may not read this.',
    'Grant USAGE on the schema and SELECT on the table.',
  ],
  '42P01': ['SOURCE_STREAM_MISSING', 'The table is no longer there.', 'Discover again, or take the stream out.'],
  '3F000': ['SOURCE_STREAM_MISSING', 'The schema is no longer there.', 'Discover again, or take the stream out.'],
  '42703': ['SOURCE_FIELD_MISSING', 'A column is no longer there.', 'Discover again, or take the field out.'],
  '53300': [
    'SOURCE_OVERLOADED',
    'The server has no connection left.',
    'Lower `connections`, or raise max_connections or the limit of the role.',
  ],
  '57014': [
    'SOURCE_TIMEOUT',
    'The statement was cancelled by the server.',
    'Raise `statementTimeout` or lower `sliceBytes`, unless somebody cancelled it on purpose.',
  ],
  '57P03': ['SOURCE_UNREACHABLE', 'The server is starting up or shutting down.', 'Wait until it accepts connections.'],
  '55P03': ['SOURCE_TIMEOUT', 'A lock was not granted in time.', 'See who locks the table.'],
  '40001': [
    'SOURCE_EPOCH_LOST',
    'The standby had to remove rows that the snapshot still needs.',
    'Set hot_standby_feedback = on, or raise max_standby_streaming_delay.',
  ],
  '72000': ['SOURCE_EPOCH_LOST', 'The snapshot is too old for the server.', 'Raise old_snapshot_threshold.'],
  '25P03': LOST,
  '25P04': LOST,
}

const CLASSES: { readonly [stateClass: string]: Rule } = {
  '08': LOST,
  '57': LOST,
  '53': ['SOURCE_OVERLOADED', 'The server is short of resources.', 'Look at the server log.'],
  '28': ['SOURCE_AUTH_FAILED', 'The server does not let this user in.', 'Check user, password and pg_hba.conf.'],
}

/** What the server said about names and rights is safe to show; what it said about values is not. */
const SPEAKS_OF_NAMES_ONLY = /^(28|3D|3F|42|53|57|55|0A)/

/** A vendor's error as one of ours, with a hint. The original is its cause; of its message only what cannot hold values is shown. */
export function postgresError(error: unknown, details: SynclineErrorOptions = {}): SynclineError {
  if (isSynclineError(error)) return error
  const vendor = (error ?? {}) as VendorError
  const [code, message, hint] = isServerError(error) ? serverRule(String(vendor.code)) : networkRule(vendor)
  const said =
    isServerError(error) && SPEAKS_OF_NAMES_ONLY.test(String(vendor.code)) ? ` (server: ${String(vendor.message)})` : ''
  return new SynclineError(code, `${message}${said}`, { hint, connector: 'postgres', ...details, cause: error })
}

/** Whether the server itself reported it, and not the network or the driver. */
export function isServerError(error: unknown): error is { readonly code: string } {
  const vendor = (error ?? {}) as VendorError
  return typeof vendor.severity === 'string' && typeof vendor.code === 'string' && /^[0-9A-Z]{5}$/.test(vendor.code)
}

export function isTlsError(error: unknown): boolean {
  const { code, message } = (error ?? {}) as VendorError
  if (isServerError(error)) return false
  return (
    (typeof code === 'string' &&
      /^(ERR_TLS|ERR_SSL|ERR_OSSL|EPROTO|CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|HOSTNAME)/.test(code)) ||
    (typeof message === 'string' && /SSL connection/.test(message))
  )
}

function serverRule(state: string): Rule {
  const rule = STATES[state] ?? CLASSES[state.slice(0, 2)]
  return (
    rule ?? ['SOURCE_FAILED', `PostgreSQL reported an error (SQLSTATE ${state}).`, 'See the cause and the server log.']
  )
}

function networkRule(vendor: VendorError): Rule {
  const { code, message } = vendor
  if (typeof message === 'string' && /does not support SSL/.test(message)) return NO_TLS
  if (isTlsError(vendor)) return TLS
  if (typeof code === 'string') {
    const rule = NETWORK[code]
    if (rule !== undefined) return rule
    if (/^(ECONNRESET|EPIPE|ECONNABORTED|ERR_STREAM_PREMATURE_CLOSE|ERR_STREAM_DESTROYED)$/.test(code)) return LOST
  }
  if (typeof message === 'string' && message.startsWith('SASL')) return LOGIN
  if (
    typeof message === 'string' &&
    /^Connection terminated|^Client has encountered|not queryable|was closed/.test(message)
  ) {
    return LOST
  }
  return ['SOURCE_FAILED', 'Reading from PostgreSQL failed.', 'See the cause.']
}
