import type { RecordBatch } from 'apache-arrow'
import type { BatchChanges } from './change.js'
import { recordReader } from './record-values.js'
import type { RecordSchema } from './schema.js'
import type { StreamRef } from './stream.js'

/** Why a value became null or was cut; stored in `_airbyte_meta`. The words are the Airbyte protocol's (`AirbyteRecordMessageMetaChange`). */
export interface ValueChange {
  /** Row of the batch. */
  readonly row: number
  readonly field: string
  readonly change: 'NULLED' | 'TRUNCATED'
  readonly reason: string
}

export interface BatchOptions {
  readonly changes?: BatchChanges
  readonly valueChanges?: readonly ValueChange[]
  /** Takes the memory of the columns back, to read the next rows into it. Left out: the garbage collector does. */
  readonly release?: () => void
}

/**
 * Many records of one stream, columnar. A unit of work, not of consistency: how a source cuts its records into batches has no
 * effect on what is written. The columns follow `schema.fields` in number, order and type (`arrowType`).
 */
export class Batch {
  readonly type = 'batch'
  /** Present on a change batch. */
  readonly changes: BatchChanges | undefined
  /** Values that the source could not represent: null (or cut) in the columns, with the reason here. Sparse, ascending by row. */
  readonly valueChanges: readonly ValueChange[]
  #release: (() => void) | undefined

  constructor(
    readonly stream: StreamRef,
    readonly schema: RecordSchema,
    readonly columns: RecordBatch,
    options: BatchOptions = {},
  ) {
    this.changes = options.changes
    this.valueChanges = options.valueChanges ?? []
    this.#release = options.release
  }

  /**
   * Gives the memory of the columns back to whoever made them. The pipeline calls it when nobody reads them any more, which only it can know; calling it
   * again does nothing.
   */
  release(): void {
    this.#release?.()
    this.#release = undefined
  }

  get length(): number {
    return this.columns.numRows
  }

  /** About what it occupies in memory. */
  get byteLength(): number {
    return this.columns.data.byteLength
  }

  /** Typed records, one at a time; see {@link FieldType} for how values look. For hosts and small destinations, not for the hot path. */
  *rows(): IterableIterator<Record<string, unknown>> {
    const read = recordReader(this.schema, this.columns)
    for (let row = 0; row < this.length; row++) yield read(row)
  }
}
