import type { OrderKey } from '../../model/change.js'
import type { ScopeRef, Stored } from '../../model/state.js'
import type { StreamRef } from '../../model/stream.js'
import { type TableShape, tableKey } from '../../model/table.js'

/** A row as a reader sees it. */
export type StoredRow = Readonly<Record<string, unknown>>

/** A row on its way into a table. */
export interface PieceRow {
  readonly values: StoredRow
  /** Of a change; rows of a copy have none and are older than every change. */
  readonly order?: OrderKey
  readonly deleted?: boolean
  /** Fields whose values stay as they are. */
  readonly unchanged?: readonly string[]
}

/** What a piece holds for one table, in the order of writing. */
export interface PieceTable {
  readonly table: TableShape
  readonly stream: StreamRef
  readonly rows: (PieceRow | { readonly truncate: OrderKey })[]
}

/** A sealed piece. */
export interface StoredPiece {
  readonly id: string
  readonly run: string
  readonly scope: string
  readonly generationIds: { readonly [streamKey: string]: string }
  readonly tables: readonly PieceTable[]
}

/** A table, published or of an open generation. */
export interface StoredTable {
  shape: TableShape
  rows: PieceRow[]
  /** Of a visible table: the generation that replaced all before it. */
  generationId?: string
}

export type StoredTables = Map<string, StoredTable>

/**
 * The world of a memory destination: a plain object that outlives destinations as a disk outlives processes. A new process is a new
 * `memoryDestination` over the same store.
 */
export interface MemoryStore {
  /** By pipeline and scope. */
  readonly scopes: Map<string, Stored>
  /** What readers see, by `tableKey`. */
  readonly tables: StoredTables
  /** Open generations by id: invisible. */
  readonly generations: Map<string, { readonly scope: string; readonly tables: StoredTables }>
  /** Sealed and not published. */
  readonly pieces: Map<string, StoredPiece>
  /** The newest run per scope. */
  readonly runs: Map<string, string>
  /** Every broken promise of the caller, in words. Empty after a run of a pipeline that keeps its promises. */
  readonly violations: string[]
  /** Loads and writers that were opened and not closed. */
  readonly open: { loads: number; writers: number }
}

export function memoryStore(): MemoryStore {
  return {
    scopes: new Map(),
    tables: new Map(),
    generations: new Map(),
    pieces: new Map(),
    runs: new Map(),
    violations: [],
    open: { loads: 0, writers: 0 },
  }
}

/** What a reader sees: published rows alone, widened to the table's shape. A table that is not there is empty. */
export function readMemoryTable(store: MemoryStore, table: Pick<TableShape, 'namespace' | 'name'>): StoredRow[] {
  const stored = store.tables.get(tableKey(table))
  if (stored === undefined) return []
  return stored.rows
    .filter(({ deleted }) => !deleted)
    .map(({ values }) => Object.fromEntries(stored.shape.fields.map(({ name }) => [name, values[name] ?? null])))
}

/** The shape that holds both: a table never loses a column. */
export function widened(before: TableShape | undefined, next: TableShape): TableShape {
  if (before === undefined) return next
  const names = new Set(next.fields.map(({ name }) => name))
  return { ...next, fields: [...next.fields, ...before.fields.filter(({ name }) => !names.has(name))] }
}

export function scopeKey({ pipeline, scope }: ScopeRef): string {
  return JSON.stringify([pipeline, scope])
}
