import type { Cursor } from './cursor.js'
import { selectList } from './full-refresh.js'
import { hashExpression, notRemembered } from './remembered-rows.js'
import { identifier, qualified } from './sql.js'
import type { CursorRange, RememberedRows } from './state.js'
import type { PostgresColumn } from './types.js'

type Name = { readonly namespace: string; readonly name: string }

const TABLE = 't'

/** The rows of a range, without those that it skips. */
export function rangeQuery(
  table: Name,
  columns: readonly PostgresColumn[],
  cursor: Cursor,
  range: CursorRange,
): string {
  const from = `FROM ${qualified(table)} AS ${identifier(TABLE)}`
  const column = `${identifier(TABLE)}.${cursor.column}`
  const where = within(cursor, column, range)
  const select = `SELECT ${selectList(columns, TABLE)} ${from} WHERE ${where}`
  const { skip } = range
  if (skip === undefined) return select
  const upTo = cursor.value(skip.upTo)
  const hash = hashExpression(skip.rows, TABLE)
  if (skip.rows.by === 'key') return `${select} AND (${column} > ${upTo} OR ${notRemembered(hash, skip.rows)})`
  // Only the rows that may be skipped are numbered.
  const hashName = unusedName(columns)
  const names = columns.map(({ name }) => `${identifier(TABLE)}.${identifier(name)}`)
  const inner = `SELECT ${[...names, `${hash} AS ${identifier(hashName)}`].join(', ')} ${from} WHERE ${where} AND ${column} <= ${upTo}`
  const remembered = notRemembered(`${identifier(TABLE)}.${identifier(hashName)}`, skip.rows)
  return `SELECT ${selectList(columns, TABLE)} FROM (${inner}) AS ${identifier(TABLE)} WHERE ${remembered} UNION ALL ${select} AND ${column} > ${upTo}`
}

/** The hashes of all rows between two values, both included. */
export function hashesQuery(
  table: Name,
  cursor: Cursor,
  bounds: { readonly low: string; readonly high: string },
  basis: Pick<RememberedRows, 'by' | 'columns'>,
): string {
  const column = `${identifier(TABLE)}.${cursor.column}`
  const where = within(cursor, column, { from: bounds.low, to: bounds.high })
  return `SELECT ${hashExpression(basis, TABLE)} AS hash FROM ${qualified(table)} AS ${identifier(TABLE)} WHERE ${where}`
}

/** SQL that is true for values inside a range. */
export function within(cursor: Cursor, column: string, { from, to, before }: CursorRange): string {
  const lower = from === undefined ? '' : `${column} >= ${cursor.value(from)} AND `
  return `${lower}${column} ${before ? '<' : '<='} ${cursor.value(to)}`
}

function unusedName(columns: readonly PostgresColumn[]): string {
  let name = 'hash'
  while (columns.some((column) => column.name === name)) name += '_'
  return name
}
