import type { Context } from '../model/context.js'
import type { StreamRef } from '../model/stream.js'
import type { TableShape } from '../model/table.js'
import type { DeliveredRecord } from './delivered-records.js'

export interface Delivery {
  /** What the records are for, as the pipeline names it for the destination; `_syncline_rejected` for rejected records. */
  readonly stream: StreamRef
  /** Plain records in the order of reading, never none. `JSON.stringify` loses nothing of them. */
  readonly records: readonly DeliveredRecord[]
  /** The columns of the records, their key, and the source stream that they come from. */
  readonly table: TableShape
  /** Aborted when the delivery has to end. */
  readonly signal: AbortSignal
}

export interface DefineDestinationOptions {
  /** For messages and results. */
  readonly name: string
  /**
   * What `deliver` does: `append` adds records, `append_dedup` replaces those with an equal `table.primaryKey`; of
   * several in one delivery the last one counts. Either is offered for full
   * refreshes and incremental streams.
   */
  readonly modes: readonly ('append' | 'append_dedup')[]
  /** Proves that the destination can be written; throws where it cannot. Left out: nothing is asked. */
  readonly check?: (context: Pick<Context, 'signal' | 'log'>) => Promise<void> | void
  /**
   * Takes records for good, or throws. Called one at a time per state scope. Records come at least once: again after an error or a crash,
   * with the same ids. A `SynclineError` decides by its code whether it is tried again; anything else waits for a person.
   */
  readonly deliver: (delivery: Delivery) => Promise<void> | void
  /** The most records of one delivery. Left out: 500. */
  readonly batchRecords?: number
  /**
   * How JSON columns come: `values` parses them, and JSON's null becomes null like a missing value; `text` leaves them as they are. Left
   * out: `values`.
   */
  readonly json?: 'values' | 'text'
  /** Where rows wait for their delivery when the budget is short. Left out: the system's directory for temporary files. */
  readonly spillDirectory?: string
}
