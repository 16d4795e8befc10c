import type { RecordBatch } from 'apache-arrow'
import type { BatchChanges, OrderKey } from './change.js'
import type { FieldType } from './field-type.js'
import type { StreamRef } from './stream.js'

/**
 * What a table is for. `main` holds one row per record; `child` rows belong to a row of their parent; `raw` holds the records
 * as JSON beside the main table; `rejected` is append-only, shared by all streams of a namespace and never swapped.
 */
export type TableRole = 'main' | 'child' | 'raw' | 'rejected'

export interface TableField {
  readonly name: string
  readonly type: FieldType
  readonly comment?: string
}

/** A table in a destination, as a normalizer declares it. Plain JSON. Names are already legal there. */
export interface TableShape {
  /** The stream whose records it holds. */
  readonly stream: StreamRef
  readonly role: TableRole
  readonly namespace?: string
  readonly name: string
  readonly fields: readonly TableField[]
  /** Columns, in this table's names. */
  readonly primaryKey?: readonly string[]
  /** The column by which `append_dedup` orders rows of one key. */
  readonly cursorField?: string
  /** Of a child: the parent's table name and the column that refers to it. */
  readonly parent?: { readonly name: string; readonly key: string }
}

/** Tells tables of one destination apart. */
export function tableKey(table: Pick<TableShape, 'namespace' | 'name'>): string {
  return JSON.stringify([table.namespace ?? null, table.name])
}

/**
 * Rows for one table. The columns follow `table.fields` in number, order and type (`arrowType`). Their memory may be shared with other batches
 * (constant columns are slices of one): it is copied, never transferred to another thread or written to.
 */
export interface TableRows {
  readonly table: TableShape
  readonly columns: RecordBatch
  /** Present for rows of a change batch. */
  readonly changes?: BatchChanges
}

export interface TableNative {
  readonly table: TableShape
  /** A part of the slice's byte stream in the agreed format; parts come in order and cut anywhere. */
  readonly native: Uint8Array
}

export interface TableTruncate {
  readonly table: TableShape
  readonly truncate: OrderKey
}

/** What a normalizer makes and a writer takes. */
export type TableBatch = TableRows | TableNative | TableTruncate
