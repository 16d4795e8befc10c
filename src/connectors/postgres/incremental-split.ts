import type { Cursor } from './cursor.js'
import type { Relation } from './relation.js'
import type { Session } from './session.js'
import { qualified } from './sql.js'
import type { CursorRange } from './state.js'

/** Pages that are looked at to see how the values lie. */
const SAMPLE_PAGES = 400
/** Each slice carries the plan of all. */
const MOST_RANGES = 256

const SIZE = `
SELECT pg_catalog.sum(pg_catalog.pg_relation_size(c.oid))::text AS bytes, pg_catalog.current_setting('block_size') AS page_size
FROM (WITH RECURSIVE tree(oid) AS (
  SELECT $1::oid UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN tree ON i.inhparent = tree.oid
) SELECT tree.oid FROM tree) tree JOIN pg_catalog.pg_class c ON c.oid = tree.oid WHERE c.relkind IN ('r', 'm')`

/**
 * Cuts a range into ranges of about `sliceBytes`, at values strictly between `after` and `before`, found by a sample of the table's pages. One
 * range where the table is small.
 */
export async function splitRange(
  session: Session,
  relation: Relation,
  cursor: Cursor,
  range: CursorRange,
  options: { readonly after: string | undefined; readonly before: string; readonly sliceBytes: number },
  signal: AbortSignal,
): Promise<CursorRange[]> {
  if (relation.kind !== 'r' && relation.kind !== 'p' && relation.kind !== 'm') return [range]
  const [size] = await session.query<'bytes' | 'page_size'>(SIZE, signal, [relation.oid])
  const bytes = Number(size?.bytes ?? 0)
  if (bytes <= options.sliceBytes) return [range]
  const percent = Math.min(100, (100 * SAMPLE_PAGES * Number(size!.page_size)) / bytes)
  const { after, before } = options
  const inside = `${after === undefined ? '' : `value > ${cursor.value(after)} AND `}value < ${cursor.value(before)}`
  const rows = await session.query<'value' | 'records' | 'total'>(
    `WITH sampled AS MATERIALIZED (
       SELECT ${cursor.column} AS value FROM ${qualified(relation)} TABLESAMPLE SYSTEM (${percent.toFixed(6)}) REPEATABLE (1)
     )
     SELECT value::pg_catalog.text AS value, pg_catalog.count(*)::text AS records, (SELECT pg_catalog.count(*) FROM sampled)::text AS total
     FROM sampled WHERE ${inside} GROUP BY sampled.value ORDER BY sampled.value`,
    signal,
  )
  const sample = rows.map((row) => ({ value: row.value!, records: Number(row.records) }))
  const records = sample.reduce((sum, entry) => sum + entry.records, 0)
  const share = records / Number(rows[0]?.total ?? 1)
  return cut(range, quantiles(sample, records, Math.min(MOST_RANGES, Math.ceil((bytes * share) / options.sliceBytes))))
}

/** Values that part the sample into so many parts of about equal size; fewer where values repeat. */
export function quantiles(
  sample: readonly { readonly value: string; readonly records: number }[],
  records: number,
  parts: number,
): string[] {
  const values: string[] = []
  let seen = 0
  let part = 0
  for (const entry of sample) {
    // A range ends before its cut, so that the cut's own rows are of the next one.
    const reached = Math.floor((seen * parts) / records)
    if (reached > part && seen > 0) {
      values.push(entry.value)
      part = reached
    }
    seen += entry.records
  }
  return values
}

/** The same range in pieces: each ends before a cut, and the next one begins with it. */
export function cut({ from, skip, ...end }: CursorRange, cuts: readonly string[]): CursorRange[] {
  const first = { ...(from !== undefined && { from }), ...(skip !== undefined && { skip }) }
  const starts = [first, ...cuts.map((value) => ({ from: value }))]
  return starts.map((start, i) => ({ ...start, ...(i < cuts.length ? { to: cuts[i]!, before: true as const } : end) }))
}
