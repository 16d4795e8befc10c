import { SynclineError } from '../../errors/syncline-error.js'
import { closestName } from '../../util/closest-name.js'
import type { PostgresConnectionOptions, PostgresSslMode } from './config.js'

const MODES: readonly string[] = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full']
const PARAMETERS = ['sslmode', 'application_name', 'connect_timeout', 'host', 'port', 'user', 'password', 'dbname']

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/**
 * The options that a connection URI stands for. Reads no files: certificates are options. Its text never appears in an error.
 */
export function connectionStringOptions(connectionString: string): PostgresConnectionOptions {
  const url = parse(connectionString)
  const options: Mutable<PostgresConnectionOptions> = {}
  if (url.hostname !== '') options.host = part(url.hostname).replace(/^\[(.*)\]$/, '$1')
  if (url.port !== '') options.port = Number(url.port)
  if (url.username !== '') options.user = part(url.username)
  if (url.password !== '') options.password = part(url.password)
  if (url.pathname.length > 1) options.database = part(url.pathname.slice(1))
  for (const [name, value] of url.searchParams) {
    switch (name) {
      case 'sslmode':
        if (!MODES.includes(value)) throw invalid('its sslmode is unknown', `Use one of ${MODES.join(', ')}.`)
        options.ssl = value as PostgresSslMode
        break
      case 'application_name':
        options.applicationName = value
        break
      case 'connect_timeout': {
        const seconds = Number(value)
        if (!Number.isInteger(seconds) || seconds < 1) {
          throw invalid(
            'its connect_timeout is no number of seconds',
            'Give whole seconds, or the option connectTimeout.',
          )
        }
        options.connectTimeout = seconds * 1000
        break
      }
      case 'host':
        options.host = value
        break
      case 'port':
        options.port = Number(value)
        if (!Number.isInteger(options.port) || options.port < 1 || options.port > 65_535) {
          throw invalid('its port is no port number', 'Give a number from 1 to 65535.')
        }
        break
      case 'user':
        options.user = value
        break
      case 'password':
        options.password = value
        break
      case 'dbname':
        options.database = value
        break
      default: {
        const closest = closestName(name, PARAMETERS)
        throw invalid(
          `its parameter ${name} is not supported`,
          name.startsWith('ssl')
            ? 'Give certificates as PEM text: the option ssl with ca, certificate and key.'
            : closest === undefined
              ? `Known parameters: ${PARAMETERS.join(', ')}.`
              : `Did you mean ${closest}?`,
        )
      }
    }
  }
  return options
}

function parse(connectionString: string): URL {
  const match = /^postgres(?:ql)?:\/\/(.*)$/s.exec(connectionString)
  if (match === null) {
    throw invalid('it does not begin with postgresql://', 'Use postgresql://user:password@host:port/database.')
  }
  try {
    // URL knows no user without a host; libpq does (`user@/database?host=/socket/directory`).
    return new URL(`postgresql://${match[1]!.replace(/^([^/?#]*@)(?=$|[/?#])/, '$1localhost')}`)
  } catch {
    throw invalid('it cannot be parsed', 'Percent-encode special characters of the password, such as / ? # @.')
  }
}

function part(encoded: string): string {
  try {
    return decodeURIComponent(encoded)
  } catch {
    throw invalid('it has a broken percent-encoding', 'A percent sign itself is written %25.')
  }
}

function invalid(problem: string, hint: string): SynclineError {
  return new SynclineError('CONFIG_INVALID', `Invalid options of postgres: connectionString: ${problem}.`, {
    phase: 'configure',
    connector: 'postgres',
    hint,
  })
}
