import { type ErrorPhase, toSynclineError } from '../../errors/syncline-error.js'
import type { Context } from '../../model/context.js'
import type { Catalog } from '../../model/stream.js'
import type { Reading, ReadRequest, Source } from '../../source/source.js'
import { checkedRelations } from './check.js'
import { openSession } from './client.js'
import { type PostgresSourceConfig, type PostgresSourceOptions, sourceConfig } from './config.js'
import { catalogOf, loadColumns } from './discovery.js'
import { PostgresReading } from './reading.js'
import type { Session } from './session.js'

/**
 * Reads tables, partitioned tables, views and materialized views of one PostgreSQL database (14 and later), in one snapshot per run. Throws
 * `CONFIG_INVALID` for options that are wrong; connects to nothing before it is used.
 */
export function postgresSource(options: PostgresSourceOptions): Source {
  const config = sourceConfig(options)
  return {
    name: 'postgres',
    check: (context) =>
      inPhase('check', context, () =>
        withSession(config, context, async (session) => {
          await checkedRelations(session, config, context.signal)
        }),
      ),
    discover: (context) =>
      inPhase('discover', context, () =>
        withSession(config, context, (session) => discover(session, config, context.signal)),
      ),
    open: (request: ReadRequest, context: Context): Promise<Reading> =>
      inPhase('open', context, () => PostgresReading.open(config, request, context)),
  }
}

async function discover(session: Session, config: PostgresSourceConfig, signal: AbortSignal): Promise<Catalog> {
  const readable = (await checkedRelations(session, config, signal)).filter((relation) => relation.readable)
  return catalogOf(await loadColumns(session, readable, signal))
}

async function withSession<T>(
  config: PostgresSourceConfig,
  { signal }: Context,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await openSession(config.connection, signal)
  try {
    await session.query(`BEGIN READ ONLY; SET LOCAL statement_timeout = ${config.statementTimeout}`, signal)
    return await work(session)
  } finally {
    await session.end()
  }
}

async function inPhase<T>(phase: ErrorPhase, { signal }: Context, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    signal.throwIfAborted()
    throw toSynclineError(error, 'SOURCE_FAILED', {
      phase,
      connector: 'postgres',
      message: 'PostgreSQL could not be read.',
    })
  }
}
