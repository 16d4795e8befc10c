import type { PostgresColumn } from './types.js'

/** `pg_class.relkind`: table, partitioned table, view, materialized view, foreign table. */
export type RelationKind = 'r' | 'p' | 'v' | 'm' | 'f'

/** A relation as the catalog describes it, without its columns. */
export interface RelationEntry {
  readonly oid: string
  readonly namespace: string
  readonly name: string
  readonly kind: RelationKind
  /** The user may read at least one column, and use the schema. */
  readonly readable: boolean
  /** It belongs to an extension. */
  readonly ofExtension: boolean
  /** It has partitions or tables that inherit from it. */
  readonly hasDescendants: boolean
  /** Policies hide rows from this user, all of them where there is none that shows some. */
  readonly rowSecurity: boolean
  readonly comment: string | undefined
  /** Key columns in order; none where the key may repeat (tables that others inherit from). */
  readonly primaryKey: readonly string[] | undefined
  /** The planner's estimate; none where it was never analysed. */
  readonly estimatedRecords: number | undefined
}

export interface Relation extends RelationEntry {
  /** Those that the user may read, in the table's order. */
  readonly columns: readonly PostgresColumn[]
}
