import type { Batch } from './batch.js'
import type { OrderKey } from './change.js'
import type { Checkpoint, SliceDone } from './slice.js'
import type { StreamRef } from './stream.js'

/** All earlier rows of the stream were removed at this point of the change log. */
export interface Truncate {
  readonly type: 'truncate'
  readonly stream: StreamRef
  readonly order: OrderKey
}

/** A record that could not be taken, to be stored in `_syncline_rejected`. It takes a position in the slice like any other row. */
export interface Rejected {
  readonly type: 'rejected'
  readonly stream: StreamRef
  readonly code: string
  /** Why, without values. */
  readonly reason: string
  /** Rows of the slice before it. */
  readonly position: number
  /** The record as JSON text, as far as it could be read. */
  readonly record?: string
}

/** Bytes in a format that source and destination agreed on; they pass through undecoded. */
export interface Native {
  readonly type: 'native'
  readonly stream: StreamRef
  readonly bytes: Uint8Array
}

/** What reading a slice yields. Positions of rows follow the order of yielding, from the checkpoint that the read began after. */
export type Message = Batch | Native | Truncate | Rejected | Checkpoint | SliceDone
