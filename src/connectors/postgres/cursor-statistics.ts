import type { Cursor } from './cursor.js'
import { within } from './incremental-query.js'
import type { Relation } from './relation.js'
import type { Session } from './session.js'
import { qualified } from './sql.js'

/** Whether ranges of the cursor can be read without reading the whole table. */
export async function hasCursorIndex(
  session: Session,
  relation: Relation,
  cursor: Cursor,
  signal: AbortSignal,
): Promise<boolean> {
  const [row] = await session.query<'indexed'>(
    `SELECT EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
       JOIN pg_catalog.pg_am am ON am.oid = c.relam
       JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
       WHERE i.indrelid = $1::oid AND i.indisvalid AND i.indpred IS NULL AND am.amname = 'btree' AND a.attname = $2)::text AS indexed`,
    signal,
    [relation.oid, cursor.field],
  )
  return row!.indexed === 'true'
}

/** The highest value that can be a bound; none in an empty table. Not by `max`, which not every type has. */
export async function findHigh(
  session: Session,
  relation: Relation,
  cursor: Cursor,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { column } = cursor
  const [row] = await session.query<'value'>(
    `SELECT ${column}::pg_catalog.text AS value FROM ${qualified(relation)} WHERE ${cursor.usable()} ORDER BY ${column} DESC LIMIT 1`,
    signal,
  )
  return row?.value ?? undefined
}

/** Rows that are never read, and rows between two values; the latter only up to `limit` where there is an index. */
export async function countRows(
  session: Session,
  relation: Relation,
  cursor: Cursor,
  bounds: { readonly low: string; readonly high: string } | undefined,
  indexed: boolean,
  limit: number,
  signal: AbortSignal,
): Promise<{ unusable: number; window: number }> {
  const from = `FROM ${qualified(relation)}`
  const unusable = cursor.unusable()
  const window = bounds && within(cursor, cursor.column, { from: bounds.low, to: bounds.high })
  const never = unusable === undefined ? '0' : `(SELECT pg_catalog.count(*) ${from} WHERE ${unusable})`
  const inside =
    window === undefined
      ? '0'
      : `(SELECT pg_catalog.count(*) FROM (SELECT ${from} WHERE ${window} LIMIT ${limit}) limited)`
  const sql = indexed
    ? `SELECT ${never} AS unusable, ${inside} AS inside`
    : `SELECT pg_catalog.count(*) FILTER (WHERE ${unusable ?? 'false'}) AS unusable,
         pg_catalog.count(*) FILTER (WHERE ${window ?? 'false'}) AS inside ${from}`
  const [row] = await session.query<'unusable' | 'inside'>(sql, signal)
  return { unusable: Number(row!.unusable), window: Number(row!.inside) }
}
