import { SynclineError } from '../../errors/syncline-error.js'
import type { StreamRef } from '../../model/stream.js'
import { closestName } from '../../util/closest-name.js'
import type { PostgresSourceConfig, PostgresTableName } from './config.js'
import { loadRelations } from './discovery.js'
import type { RelationEntry } from './relation.js'
import { chosen, isNamed } from './select-tables.js'
import type { Session } from './session.js'
import { identifier, jsonList, qualified } from './sql.js'

/** The oldest server that reads a range of row addresses without reading the whole table. */
const OLDEST = 140_000

/** As in `server_version_num`: 180004 for 18.4. Throws where it is too old to be read. */
export async function serverVersion(session: Session, signal: AbortSignal): Promise<number> {
  const [row] = await session.query<'version'>(
    `SELECT pg_catalog.current_setting('server_version_num') AS version`,
    signal,
  )
  const version = Number(row!.version)
  if (version >= OLDEST) return version
  throw problem(
    'SOURCE_VERSION_UNSUPPORTED',
    `The server is PostgreSQL ${Math.floor(version / 10_000)}.`,
    'PostgreSQL 14 and later can be read.',
  )
}

/**
 * The relations that the options choose, readable or not; where none is readable, none may exist. Throws what is missing: a version, a
 * schema, a table, a right. So what is misspelt is never taken for a database that holds nothing.
 */
export async function checkedRelations(
  session: Session,
  config: PostgresSourceConfig,
  signal: AbortSignal,
): Promise<RelationEntry[]> {
  await serverVersion(session, signal)
  await checkSchemas(session, config, signal)
  const relations = await loadRelations(session, { schemas: config.schemas }, signal)
  for (const table of config.tables ?? []) checkTable(table, relations)
  const wanted = chosen(config, relations)
  if (wanted.length > 0 && !wanted.some(({ readable }) => readable)) {
    throw problem(
      'SOURCE_PERMISSION_DENIED',
      `The user may read none of the ${wanted.length} tables.`,
      'Grant USAGE on the schema and SELECT on its tables: GRANT SELECT ON ALL TABLES IN SCHEMA … TO ….',
    )
  }
  if (typeof config.lag === 'object') checkLagKeys(config.lag, wanted)
  return wanted
}

async function checkSchemas(session: Session, { schemas }: PostgresSourceConfig, signal: AbortSignal): Promise<void> {
  if (schemas === undefined) return
  const rows = await session.query<'name' | 'found' | 'usable' | 'known'>(
    `SELECT wanted.name, (n.oid IS NOT NULL)::text AS found, pg_catalog.has_schema_privilege(n.oid, 'USAGE')::text AS usable,
       (SELECT pg_catalog.json_agg(nspname)::text FROM pg_catalog.pg_namespace) AS known
     FROM pg_catalog.json_array_elements_text($1::json) wanted(name) LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.name`,
    signal,
    [jsonList(schemas)],
  )
  for (const { name, found, usable, known } of rows) {
    if (found !== 'true') {
      const closest = closestName(name!, JSON.parse(known!) as string[])
      throw problem(
        'SOURCE_STREAM_MISSING',
        `There is no schema ${name}.`,
        closest === undefined ? 'Check the option schemas.' : `Did you mean ${closest}?`,
      )
    }
    if (usable !== 'true') {
      throw problem(
        'SOURCE_PERMISSION_DENIED',
        `The user may not use the schema ${name}.`,
        `GRANT USAGE ON SCHEMA ${identifier(name!)} TO …`,
      )
    }
  }
}

function checkTable(table: PostgresTableName, relations: readonly RelationEntry[]): void {
  const found = relations.filter((relation) => isNamed(table, relation))
  const name = typeof table === 'string' ? table : `${table.namespace}.${table.name}`
  if (found.length === 0) {
    const names = relations.flatMap((relation) => [relation.name, `${relation.namespace}.${relation.name}`])
    const closest = closestName(name, names)
    throw problem(
      'SOURCE_STREAM_MISSING',
      `There is no table ${name}.`,
      closest === undefined ? 'Check the options tables and schemas.' : `Did you mean ${closest}?`,
    )
  }
  const forbidden = found.find(({ readable }) => !readable)
  if (forbidden !== undefined) {
    throw problem(
      'SOURCE_PERMISSION_DENIED',
      `The user may not read ${name}.`,
      `GRANT USAGE ON SCHEMA ${identifier(forbidden.namespace)} TO …; GRANT SELECT ON ${qualified(forbidden)} TO …`,
      forbidden,
    )
  }
}

function checkLagKeys(lag: Readonly<Record<string, number>>, relations: readonly RelationEntry[]): void {
  const known = relations.flatMap(({ namespace, name }) => [name, `${namespace}.${name}`])
  for (const key of Object.keys(lag)) {
    if (known.includes(key)) continue
    const closest = closestName(key, known)
    throw problem(
      'CONFIG_STREAM_UNKNOWN',
      `The option lag names ${key}, which is no table.`,
      closest === undefined ? 'Use a name, or schema.name.' : `Did you mean ${closest}?`,
    )
  }
}

function problem(
  code: 'SOURCE_VERSION_UNSUPPORTED' | 'SOURCE_STREAM_MISSING' | 'SOURCE_PERMISSION_DENIED' | 'CONFIG_STREAM_UNKNOWN',
  message: string,
  hint: string,
  stream?: StreamRef,
): SynclineError {
  return new SynclineError(code, message, {
    connector: 'postgres',
    hint,
    ...(stream?.namespace !== undefined && { stream: { namespace: stream.namespace, name: stream.name } }),
  })
}
