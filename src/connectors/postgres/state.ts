import { SynclineError } from '../../errors/syncline-error.js'
import type { Json } from '../../model/json.js'
import type { Proof } from '../../model/slice.js'

/** Rows up to `low` have been read; of those from `low` to `high` exactly the remembered ones; those above `high` have not. */
export interface Boundary {
  /** Cursor values, as the server prints them. */
  readonly low: string
  readonly high: string
  readonly rows: RememberedRows
}

/** Rows told apart by hashes of the text of some columns. */
export interface RememberedRows {
  /** `row`: alike rows are counted, so that one more of them is new. `key`, in older states: no two rows are alike in these columns. */
  readonly by: 'key' | 'row'
  readonly columns: readonly string[]
  /** 16 bytes each, concatenated in ascending order, in base64. */
  readonly hashes: string
}

/** A range of cursor values that is read as one. */
export interface CursorRange {
  /** Itself included. */
  readonly from?: string
  readonly to: string
  /** `to` itself does not belong to it. */
  readonly before?: true
  /** Rows up to `upTo` that are remembered here are skipped. */
  readonly skip?: { readonly upTo: string; readonly rows: RememberedRows }
}

export interface FullRefreshState {
  readonly version: 1
  readonly mode: 'full_refresh'
  readonly epoch: string
  readonly count: number
  /** Indexes of proved slices, ascending. */
  readonly done: readonly number[]
}

export interface IncrementalState {
  readonly version: 1
  readonly mode: 'incremental'
  readonly cursor: { readonly field: string; readonly family: string }
  /** The plan that `pending` counts by. */
  readonly plan: string
  /** Left out: nothing has been read up to a boundary yet. */
  readonly boundary?: Boundary
  /** Ranges below the boundary that have not been read, by their index in the plan. */
  readonly pending: { readonly [index: string]: CursorRange }
}

export type StreamPosition = FullRefreshState | IncrementalState

/** What a proof of a full refresh says: `SliceDone.position`. */
export interface FullRefreshProof {
  readonly mode: 'full_refresh'
  readonly epoch: string
  readonly count: number
  readonly index: number
}

/** What a proof of an incremental slice says; with `boundary` it is the one that reads up to the new boundary. */
export interface IncrementalProof {
  readonly mode: 'incremental'
  /** The state as it is while nothing of the plan is proved. */
  readonly start: IncrementalState
  /** The index of the range that is read now, or the new boundary. */
  readonly range?: number
  readonly boundary?: Boundary
}

/** The state of a stream after one more proof. Pure; any order of a plan's proofs gives the same. */
export function advanceState(state: Json | undefined, proof: Proof): Json {
  if (proof.type !== 'slice_done' || proof.position === undefined) return state ?? null
  const said = proof.position as unknown as FullRefreshProof | IncrementalProof
  const before = (state ?? undefined) as unknown as StreamPosition | undefined
  return (said.mode === 'full_refresh' ? fullRefresh(before, said) : incremental(before, said)) as unknown as Json
}

function fullRefresh(before: StreamPosition | undefined, { epoch, count, index }: FullRefreshProof): FullRefreshState {
  const done = before?.mode === 'full_refresh' && before.epoch === epoch ? before.done : []
  const all = [...new Set([...done, index])].sort((a, b) => a - b)
  return { version: 1, mode: 'full_refresh', epoch, count, done: all }
}

function incremental(before: StreamPosition | undefined, said: IncrementalProof): IncrementalState {
  const base = before?.mode === 'incremental' && before.plan === said.start.plan ? before : said.start
  if (said.boundary !== undefined) return { ...base, boundary: said.boundary }
  const { [`${said.range}`]: _, ...pending } = base.pending
  return { ...base, pending }
}

/** A saved state, or `SOURCE_STATE_INVALID` where it is none of ours. */
export function parseState(state: Json | undefined, mode: 'full_refresh' | 'incremental'): StreamPosition | undefined {
  if (state === undefined || state === null) return undefined
  const saved = state as unknown as Partial<StreamPosition>
  if (saved.version === 1 && saved.mode === mode) return saved as StreamPosition
  throw stateInvalid(
    saved.version === 1
      ? `It was saved while the stream was read in mode ${String(saved.mode)}.`
      : 'It is not a state of this source.',
  )
}

export function stateInvalid(why: string): SynclineError {
  return new SynclineError('SOURCE_STATE_INVALID', `The saved state does not fit. ${why}`, {
    connector: 'postgres',
    hint: 'Go back to the earlier configuration, or reset the state of this stream: it is then read from the beginning.',
  })
}
