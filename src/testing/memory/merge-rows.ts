import type { OrderKey } from '../../model/change.js'
import type { TableShape } from '../../model/table.js'
import { compareValues, toJson } from './json-values.js'
import type { PieceRow, PieceTable, StoredTable } from './memory-store.js'

/** Adds rows after those that are there; a truncate takes nothing away from a history. */
export function appendRows(table: StoredTable, piece: PieceTable): void {
  for (const row of piece.rows) if (!('truncate' in row)) table.rows.push(row)
}

/** One row per key: the newest by the change log's order, else by the cursor, else by arrival. */
export function mergeRows(table: StoredTable, piece: PieceTable): void {
  const { shape } = table
  const keyOf = ({ values }: PieceRow) => JSON.stringify((shape.primaryKey ?? []).map((name) => toJson(values[name])))
  const byKey = new Map(table.rows.map((row) => [keyOf(row), row]))
  for (const row of piece.rows) {
    if ('truncate' in row) {
      for (const [key, old] of byKey) if (compareOrder(old.order, row.truncate) < 0) byKey.delete(key)
      continue
    }
    const key = keyOf(row)
    const old = byKey.get(key)
    if (old !== undefined && isNewer(shape, old, row)) continue
    byKey.set(key, withUnchanged(row, old))
  }
  table.rows = [...byKey.values()]
}

/** Children of one parent come together and replace the parent's earlier ones. */
export function mergeChildren(table: StoredTable, piece: PieceTable): void {
  const key = table.shape.parent!.key
  const rows = piece.rows.filter((row): row is PieceRow => !('truncate' in row))
  const parents = new Set(rows.map(({ values }) => values[key]))
  table.rows = [...table.rows.filter(({ values }) => !parents.has(values[key])), ...rows]
}

/** Whether the row that is there stays. A deleted row stays as a mark, so that an older change cannot bring it back. */
function isNewer(shape: TableShape, there: PieceRow, next: PieceRow): boolean {
  const order = compareOrder(there.order, next.order)
  if (order !== 0) return order > 0
  const cursor = shape.fields.find(({ name }) => name === shape.cursorField)
  if (cursor === undefined) return false
  return compareValues(cursor.type, there.values[cursor.name] ?? null, next.values[cursor.name] ?? null) > 0
}

function compareOrder(a: OrderKey | undefined, b: OrderKey | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1
  if (a.position !== b.position) return a.position < b.position ? -1 : 1
  return a.ordinal - b.ordinal
}

function withUnchanged(row: PieceRow, old: PieceRow | undefined): PieceRow {
  if (!row.unchanged?.length || old === undefined) return row
  const kept = Object.fromEntries(row.unchanged.map((name) => [name, old.values[name] ?? null]))
  return { ...row, values: { ...row.values, ...kept } }
}
