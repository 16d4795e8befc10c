import type { DestinationCapabilities } from '../destination/capabilities.js'
import type { Batch } from '../model/batch.js'
import type { ConfiguredStream } from '../model/configured-stream.js'
import type { Json } from '../model/json.js'
import type { Rejected, Truncate } from '../model/message.js'
import type { Projection } from '../model/projection.js'
import type { TableBatch, TableShape } from '../model/table.js'

/** Turns records of a stream into rows of one or more tables. */
export interface Normalizer {
  readonly name: string
  /** One per stream and run, shared by all its slices. `saved` is what `schema()` gave before, from the state. */
  open(stream: ConfiguredStream, capabilities: DestinationCapabilities, saved?: Json): StreamNormalizer
  /** The schema that holds both. Pure, associative, commutative, idempotent. */
  join(a: Json, b: Json): Json
}

export interface StreamNormalizer {
  /** The main table as data, when no value has to be seen for it; left undefined: the records must be normalized. */
  projection(): Projection | undefined
  /**
   * The rows of one batch, for each of its tables. Synchronous and columnar. Its schema grows as a side effect; shapes given earlier
   * stay valid, being narrower.
   */
  normalize(input: Batch | Truncate | RejectedRows, context: NormalizeContext): TableBatch[]
  /** The tables as known by now, the rejected table included. */
  tables(): readonly TableShape[]
  /** What has to be saved with the state. It only grows. */
  schema(): Json
}

/** Records that could not be taken, on their way to `_syncline_rejected`. */
export interface RejectedRows {
  readonly type: 'rejected_rows'
  readonly rows: readonly Rejected[]
}

/** What does not come from the record itself. */
export interface NormalizeContext {
  readonly pipeline: string
  readonly run: string
  readonly generation: number
  readonly generationId: string
  /** Slice id. */
  readonly slice: string
  /** Rows of the slice before this batch: ids derive from pipeline, generation id, slice and position. */
  readonly position: number
  /**
   * Positions of the batch's rows relative to `position`, ascending, where rows were taken out of it; left out: 0, 1, 2, …
   */
  readonly rows?: Uint32Array
  /** When the run began to read, the same for all its rows. */
  readonly extractedAt: Date
}
