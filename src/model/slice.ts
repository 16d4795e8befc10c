import type { Json } from './json.js'
import type { StreamRef } from './stream.js'

/**
 * An independent unit of reading: of parallelism, of retry, of distribution. Plain JSON, so that another process can take
 * it over. An id is never used again for other rows.
 */
export interface Slice {
  readonly id: string
  /** One stream, or all streams of a change log. */
  readonly streams: readonly StreamRef[]
  /** What its results rest on (a snapshot, for one): they prove nothing outside it. */
  readonly epoch?: string
  /** Slices that must be done before this one is read; those of a stream that was set aside count as done. */
  readonly after?: readonly string[]
  /** The connector's own description. */
  readonly data: Json
  /** Where a saved state already proves a part of it: the checkpoint after which to read on. */
  readonly resume?: Checkpoint
}

/** A point inside a slice's order from which an attempt can go on. */
export interface Checkpoint {
  readonly type: 'checkpoint'
  /** Slice id. */
  readonly slice: string
  /** Rows counted since the slice began, rejected ones included. Row ids go on from it. */
  readonly records: number
  readonly position: Json
}

/** The slice has been read to its end. Always the last message of a read that succeeded. */
export interface SliceDone {
  readonly type: 'slice_done'
  readonly slice: string
  /** Rows that the source itself counted since the slice began, rejected ones included; the pipeline compares. */
  readonly records: number
  /** What `advance` needs of it. */
  readonly position?: Json
}

/** A stream of a shared scope that failed for good and is left behind, so that the others go on. */
export interface SetAside {
  readonly type: 'set_aside'
  readonly stream: StreamRef
  /** The error code. */
  readonly code: string
}

/** What moves state. */
export type Proof = Checkpoint | SliceDone | SetAside
