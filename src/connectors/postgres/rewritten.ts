import { SynclineError } from '../../errors/syncline-error.js'
import { streamRef } from '../../model/stream.js'
import type { Relation } from './relation.js'
import type { Session } from './session.js'
import { qualified } from './sql.js'

// The snapshot's catalog names the files of its time; the function looks at those of now.
const REWRITTEN = `
WITH RECURSIVE tree(oid) AS (
  SELECT $1::oid UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN tree ON i.inhparent = tree.oid
)
SELECT COALESCE(pg_catalog.bool_or(c.relfilenode <> 0 AND c.relfilenode <> pg_catalog.pg_relation_filenode(c.oid)), false)::text AS rewritten
FROM tree JOIN pg_catalog.pg_class c ON c.oid = tree.oid`

/**
 * For what could not be locked before the snapshot was taken (materialized views, tables of which only columns may be read): locks it now, to the end of
 * the session, and throws `SOURCE_EPOCH_LOST` if it was truncated, refreshed or rewritten in between. To the snapshot such a table is empty.
 */
export async function lockUnchanged(session: Session, relation: Relation, signal: AbortSignal): Promise<void> {
  if (relation.kind === 'v' || relation.kind === 'f') return
  await session.query(`SELECT FROM ${qualified(relation)} LIMIT 0`, signal)
  const [row] = await session.query<'rewritten'>(REWRITTEN, signal, [relation.oid])
  if (row!.rewritten !== 'true') return
  throw new SynclineError('SOURCE_EPOCH_LOST', 'The relation was rewritten after the snapshot was taken.', {
    connector: 'postgres',
    stream: streamRef(relation),
    hint: 'A new reading is opened. Refresh materialized views, truncate and rewrite tables at other times, or use REFRESH … CONCURRENTLY.',
  })
}
