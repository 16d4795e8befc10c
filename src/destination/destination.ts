import type { ByteBudget } from '../model/budget.js'
import type { ConfiguredStream } from '../model/configured-stream.js'
import type { Context } from '../model/context.js'
import type { Json } from '../model/json.js'
import type { Slice } from '../model/slice.js'
import type { ScopeRef, ScopeState, Stored } from '../model/state.js'
import type { StreamRef } from '../model/stream.js'
import type { TableBatch, TableShape } from '../model/table.js'
import type { DestinationCapabilities } from './capabilities.js'

/** Where rows go. Holds nothing between calls. Calls for different scopes come concurrently. */
export interface Destination {
  /** For messages and results; not a key of anything. */
  readonly name: string
  readonly capabilities: DestinationCapabilities
  /** Proves that it can be written as configured. Throws a `SynclineError` with a hint. Leaves nothing behind. */
  check(context: Context): Promise<void>
  /**
   * Present exactly where the state is stored with the data; then that is the authority. Settles what an earlier run left
   * in the middle of a publish, forward or back, and returns the state as it stands. Called before the source is opened. Throws
   * `STATE_LOCKED` while another living run is known to write the scope.
   */
  recover?(scope: ScopeRef, context: Context): Promise<Stored>
  /**
   * Begins one run's session for one scope. Drops whatever belongs to a generation or an attempt that no published state names, so that a
   * stream's open generation holds exactly what the state covers. Takes the courtesy lock where there is one (`STATE_LOCKED`), and
   * throws `STATE_CONFLICT` when the stored version is no longer `plan.version`.
   */
  open(plan: LoadPlan, context: Context): Promise<Load>
}

export interface LoadPlan {
  readonly scope: ScopeRef
  /** The version that the first publish must find. */
  readonly version: number
  /** The state that goes with it; left out on the first run. */
  readonly state?: ScopeState
  readonly streams: readonly LoadStream[]
  /** The run's byte budget: writers take leases for what they hold. */
  readonly budget: ByteBudget
}

export interface LoadStream {
  readonly stream: ConfiguredStream
  readonly generation: number
  readonly generationId: string
  /** True: everything published for it joins an invisible generation, until a commit completes it. */
  readonly open: boolean
  /** The shapes known so far; `Commit.tables` may widen them and add some. */
  readonly tables: readonly TableShape[]
  /** Set where native bytes will come. */
  readonly native?: { readonly format: string; readonly table: TableShape }
}

/** One run's session at a destination for one scope. */
export interface Load {
  /**
   * A writer for one attempt at one slice. Attempts count from 1 within the run. Writers of different slices are used concurrently.
   * Of one slice there is one at a time, and an earlier attempt's sealed receipts stay valid.
   */
  writer(slice: Slice, attempt: number, context: Context): Promise<Writer>
  /**
   * Makes exactly the rows of these receipts durable and visible (or part of an open generation), completes generations and saves the
   * state, atomically: the only commit point. Called one at a time per load. Returning means that all of it holds. `STATE_CONFLICT` means
   * certainly not committed; any other error may have committed. Repeating it with the same version and run succeeds if it already happened.
   * Without receipts it saves the state (and completes) alone. On success the stored version is `commit.version + 1`.
   */
  publish(commit: Commit, context: Context): Promise<void>
  /** Called once, last, also after a failure. Drops what was not published, except what an open generation will be found by; frees locks. */
  close(context: Context): Promise<void>
}

export interface Commit {
  readonly receipts: readonly Receipt[]
  /** Open generations that this very commit makes visible. In mode overwrite or append_dedup the new one replaces the older. */
  readonly completed: readonly StreamRef[]
  /** The tables of the scope as they must be afterwards; earlier pieces are widened to them. It never loses a column. */
  readonly tables: readonly TableShape[]
  readonly state: ScopeState
  /** The version that must be found; the commit stores `version + 1`. */
  readonly version: number
}

/** Takes one attempt at one slice, piece by piece. Its methods are never called concurrently with one another. */
export interface Writer {
  /** Takes rows into the current piece. Back pressure by the promise. The caller does not touch the batch afterwards. */
  write(batch: TableBatch, context: Context): Promise<void>
  /**
   * Ends the piece: complete, checked, durable as far as a publish needs it, invisible. An empty piece gives a receipt without tables. The
   * next write begins the next piece, also while a publish runs.
   */
  seal(context: Context): Promise<Receipt>
  /** Withdraws what came after the last seal and frees the writer. Called once, last, whether or not something is to be withdrawn. */
  discard(context: Context): Promise<void>
}

/** Stands for one sealed piece. Plain JSON. */
export interface Receipt {
  /** Slice id. */
  readonly slice: string
  readonly attempt: number
  /** Counts the pieces of the attempt, from 0. */
  readonly piece: number
  readonly tables: readonly ReceiptTable[]
  /** The destination's own description (files, staging tables). */
  readonly data: Json
}

/** Rows that were written, counted by the destination itself. */
export interface ReceiptTable {
  /** Source stream. */
  readonly stream: StreamRef
  readonly table: Pick<TableShape, 'namespace' | 'name' | 'role'>
  readonly records: number
  /** As stored where known, else as written. */
  readonly bytes: number
}
