import type { ConfiguredStream } from '../model/configured-stream.js'
import type { Context } from '../model/context.js'
import type { Json } from '../model/json.js'
import type { Message } from '../model/message.js'
import type { Projection } from '../model/projection.js'
import type { Checkpoint, Proof, Slice } from '../model/slice.js'
import type { Catalog, StreamRef } from '../model/stream.js'

/**
 * Where records come from. Holds nothing between calls: no connection, no state. Any call may come at any time and
 * concurrently with others, except where a promise says otherwise.
 */
export interface Source {
  /** For messages and results; not a key of anything. */
  readonly name: string
  /** Formats in which slices can be passed on undecoded, best first, e.g. `postgres/copy-binary`. */
  readonly nativeFormats?: readonly string[]
  /** Proves that the source can be read as configured. Throws a `SynclineError` with a hint. */
  check(context: Context): Promise<void>
  /** The streams that the configured user may read. An empty catalog means that there are none, never that something failed. */
  discover(context: Context): Promise<Catalog>
  /** Begins one run's session. Called once per run, and again after an error that ended the epoch (`SOURCE_EPOCH_LOST`). */
  open(request: ReadRequest, context: Context): Promise<Reading>
}

export interface ReadRequest {
  /** The scopes to read; never empty. */
  readonly scopes: readonly ReadScope[]
  /** `now`: end with what was there when the reading was opened. `abort`: go on with changes until the signal aborts. */
  readonly until: 'now' | 'abort'
}

/** One state scope of a read request. */
export interface ReadScope {
  readonly scope: string
  readonly streams: readonly ReadStream[]
  /** What `advance` gave and a publish saved; left out before the first publish. */
  readonly state?: Json
}

export interface ReadStream {
  readonly stream: ConfiguredStream
  /**
   * True where this reading begins a new generation of the stream although a saved state may hold proofs about it:
   * those do not count.
   */
  readonly restart: boolean
  /** Set where source, normalizer and destination agreed on a native format: every slice of the stream yields `native` messages in it. */
  readonly native?: NativeAgreement
}

export interface NativeAgreement {
  readonly format: string
  /** What the source must put into its own query, in this order. */
  readonly projection: Projection
}

/** No more slices come for this stream in this generation. */
export interface Planned {
  readonly planned: StreamRef
}

/** One per run and epoch; owns the snapshot, the replication connection, the login. */
export interface Reading {
  /**
   * Streams whose saved proofs no longer count, beyond those that the request restarts: the pipeline begins a new generation
   * of each. Fixed once the reading is open.
   */
  readonly restarted: readonly StreamRef[]
  /**
   * The work that is left, lazily: called once, and pulled only as slices can be taken. The end of the iteration plans every
   * stream. Slices that the state already proves are not given again; a generation whose slices are all proved is only planned.
   */
  slices(context: Context): AsyncIterable<Slice | Planned>
  /**
   * Reads one slice, from its beginning or after a checkpoint of this very slice. Slices are read concurrently; one slice never
   * twice at a time. Pulled, never pushed: no reading ahead beyond a bounded buffer. The last message is `slice_done`; to end
   * without it is an error of the source. Leaving the iteration early (`return`) frees what it held.
   */
  read(slice: Slice, after: Checkpoint | undefined, context: Context): AsyncIterable<Message>
  /**
   * The state after one more proof. Pure; any order of slices gives the same state. Left out: the last proof of each slice by id,
   * `{ [sliceId]: Proof }`, as {@link advanceBySlice} does.
   */
  advance?(state: Json | undefined, proof: Proof, scope: string): Json
  /** After a publish of this state: confirm a log position, release a file. Never before. An error here is reported and does not undo the publish. */
  acknowledge?(state: Json, scope: string, context: Context): Promise<void>
  /** Called once, last, also after a failure. Frees everything. */
  close(context: Context): Promise<void>
}
