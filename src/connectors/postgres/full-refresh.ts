import { randomBytes } from 'node:crypto'
import type { Json } from '../../model/json.js'
import type { Slice } from '../../model/slice.js'
import { streamRef } from '../../model/stream.js'
import type { Relation } from './relation.js'
import type { Session } from './session.js'
import { identifier, jsonList, qualified } from './sql.js'
import { type PostgresColumn, selectExpression } from './types.js'

/** A part of a relation: all of it, or a range of its pages. */
export interface TablePart {
  readonly namespace: string
  readonly name: string
  /** Without partitions and inheriting tables: those are parts of their own. */
  readonly only: boolean
  /** First page; left out: from the beginning. */
  readonly from?: number
  /** The page after the last one; left out: to the end. */
  readonly to?: number
}

/** `Slice.data` of a full refresh. */
export interface FullSliceData {
  readonly kind: 'full_refresh'
  readonly parts: readonly TablePart[]
  readonly index: number
  /** Slices of the whole plan. */
  readonly count: number
}

/** A range of a page's size is never cut smaller than this, however small the slices are to be. */
const LEAST_PAGES = 1

interface Member {
  readonly part: TablePart
  /** Undefined where it has no pages that could be counted: it is read as a whole. */
  readonly pages: number | undefined
}

// A row's address may be read by those who may read the whole table.
const MEMBERS = `
WITH RECURSIVE tree(oid) AS (
  SELECT $1::oid UNION
  SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN tree ON i.inhparent = tree.oid WHERE NOT i.inhdetachpending
)
SELECT n.nspname::text AS namespace, c.relname::text AS name, c.relkind::text AS kind,
  (am.amname = 'heap' AND pg_catalog.has_table_privilege(c.oid, 'SELECT'))::text AS addressable,
  (pg_catalog.row_security_active(c.oid) OR pg_catalog.row_security_active($1::oid))::text AS row_security,
  (pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND (pg_catalog.has_table_privilege(c.oid, 'SELECT') OR (
    SELECT pg_catalog.bool_and(pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')) FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = c.oid AND a.attname IN (SELECT pg_catalog.json_array_elements_text($2::json)))))::text AS readable,
  CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_relation_size(c.oid)
    / pg_catalog.current_setting('block_size')::bigint END::text AS pages,
  pg_catalog.current_setting('block_size') AS page_size
FROM tree JOIN pg_catalog.pg_class c ON c.oid = tree.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
WHERE c.relkind <> 'p' ORDER BY c.oid`

/** Cuts a relation into slices by its pages; views and what cannot be cut are one slice. Called inside the snapshot. */
export async function planFullRefresh(
  session: Session,
  relation: Relation,
  columns: readonly PostgresColumn[],
  options: { readonly sliceBytes: number; readonly epoch: string },
  signal: AbortSignal,
): Promise<Slice[]> {
  const whole: TablePart = { namespace: relation.namespace, name: relation.name, only: false }
  const { members, pageSize } = await loadMembers(session, relation, columns, whole, signal)
  const parts = packed(members, Math.max(LEAST_PAGES, Math.floor(options.sliceBytes / pageSize)))
  const plan = randomBytes(6).toString('hex')
  return parts.map((slice, index) => {
    const data: FullSliceData = { kind: 'full_refresh', parts: slice, index, count: parts.length }
    return {
      id: `${plan}-${index}`,
      streams: [streamRef(relation)],
      epoch: options.epoch,
      data: data as unknown as Json,
    }
  })
}

async function loadMembers(
  session: Session,
  relation: Relation,
  columns: readonly PostgresColumn[],
  whole: TablePart,
  signal: AbortSignal,
): Promise<{ members: Member[]; pageSize: number }> {
  const asWhole = { members: [{ part: whole, pages: undefined }], pageSize: 8192 }
  if (relation.kind === 'v' || relation.kind === 'f') return asWhole
  const rows = await session.query<
    'namespace' | 'name' | 'kind' | 'addressable' | 'row_security' | 'readable' | 'pages' | 'page_size'
  >(MEMBERS, signal, [relation.oid, jsonList(columns.map(({ name }) => name))])
  // Rights and row security of a partition differ from those of its root, which are the ones that count.
  const direct = rows.every((row) => row.readable === 'true' && row.row_security !== 'true')
  const rootOnly = rows.length === 1 && relation.kind !== 'p'
  if (rows.length === 0 || (!direct && !rootOnly)) return asWhole
  const members = rows.map((row): Member => {
    const part = { namespace: row.namespace!, name: row.name!, only: true }
    return { part, pages: row.addressable === 'true' && row.pages != null ? Number(row.pages) : undefined }
  })
  return { members, pageSize: Number(rows[0]!.page_size) }
}

/** Ranges of about `pages` pages; small members share a slice. What has no pages is a slice of its own. */
function packed(members: readonly Member[], pages: number): TablePart[][] {
  const slices: TablePart[][] = []
  let open: TablePart[] = []
  let room = pages
  const close = () => {
    if (open.length > 0) slices.push(open)
    open = []
    room = pages
  }
  for (const { part, pages: total } of members) {
    if (total === undefined) {
      close()
      slices.push([part])
      continue
    }
    if (total <= room) {
      open.push(part)
      room -= total
      continue
    }
    if (total <= pages) {
      close()
      open.push(part)
      room -= total
      continue
    }
    close()
    const count = Math.ceil(total / pages)
    for (let i = 0; i < count; i++) {
      const from = Math.floor((total * i) / count)
      const to = Math.floor((total * (i + 1)) / count)
      // Pages that were added since hold no row of the snapshot; still the last range is open, so that nothing rests on that.
      slices.push([{ ...part, ...(i > 0 && { from }), ...(i < count - 1 && { to }) }])
    }
  }
  close()
  return slices
}

export function fullRefreshQuery(parts: readonly TablePart[], columns: readonly PostgresColumn[]): string {
  return parts.map((part) => partQuery(part, columns)).join(' UNION ALL ')
}

/** The explicit list of columns of a `SELECT`. */
export function selectList(columns: readonly PostgresColumn[], table?: string): string {
  const prefix = table === undefined ? '' : `${identifier(table)}.`
  return columns.map((column) => selectExpression(column, `${prefix}${identifier(column.name)}`)).join(', ')
}

function partQuery(part: TablePart, columns: readonly PostgresColumn[]): string {
  const conditions = [
    ...(part.from === undefined ? [] : [`ctid >= '(${part.from},0)'::pg_catalog.tid`]),
    ...(part.to === undefined ? [] : [`ctid < '(${part.to},0)'::pg_catalog.tid`]),
  ]
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`
  return `SELECT ${selectList(columns)} FROM ${part.only ? 'ONLY ' : ''}${qualified(part)}${where}`
}
