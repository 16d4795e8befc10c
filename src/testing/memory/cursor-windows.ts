import type { FieldType } from '../../model/field-type.js'
import type { Json } from '../../model/json.js'
import type { Checkpoint, SliceDone } from '../../model/slice.js'

/**
 * What has been read of a table by cursor. `era` tells it from that of an earlier generation. All that was read lies at or below `base`, or in
 * windows above it that are not finished.
 */
export interface CursorProgress {
  readonly era: string
  readonly type: FieldType
  readonly base?: CursorPoint
  /** Ascending; a window begins where the one before it ends. */
  readonly windows: readonly CursorWindow[]
}

/** A cursor value, and which rows that have it were read: a row that gets the same value later must not be lost. */
export interface CursorPoint {
  readonly value: Json
  readonly seen: readonly number[]
}

/**
 * A range that one reading cut into slices. The cut is kept until all of them are done, so that what is read again after a crash is the same slices with
 * the same ids.
 */
export interface CursorWindow {
  readonly from: RangeStart
  /** Where its slices end, ascending; each begins above the one before it. */
  readonly uppers: readonly Json[]
  /** The last proof of each slice, by its index. */
  readonly proofs: { readonly [index: string]: Checkpoint | SliceDone }
}

/** Above `lower` (`null`: from the beginning), and the rows at `lower` but for those in `skip`; without `skip` none of them. */
export interface RangeStart {
  readonly lower: Json
  readonly skip?: readonly number[]
}

/** What a proof of one slice of a window says. */
export interface WindowProof {
  readonly from: RangeStart
  readonly uppers: readonly Json[]
  readonly index: number
  /** The cursor up to which this slice was read. */
  readonly point: CursorPoint
}

/** Where the next window begins. */
export function nextStart({ base, windows }: Pick<CursorProgress, 'base' | 'windows'>): RangeStart {
  const last = windows.at(-1)
  if (last === undefined) return base === undefined ? { lower: null } : { lower: base.value, skip: base.seen }
  const end = last.uppers.at(-1)!
  const done = last.proofs[last.uppers.length - 1]
  // Until its last slice is done, that one reads whatever has the last value.
  return done?.type === 'slice_done' ? { lower: end, skip: pointOf(done).seen } : { lower: end }
}

/** One more proof. Windows that are finished from the bottom up become the base. Any order of slices gives the same. */
export function advanceWindows(
  progress: CursorProgress,
  { from, uppers, index }: WindowProof,
  proof: Checkpoint | SliceDone,
): CursorProgress {
  const id = windowId({ from, uppers })
  const known = progress.windows.find((window) => windowId(window) === id)
  const others = progress.windows.filter((window) => window !== known)
  const window = { from, uppers, proofs: { ...known?.proofs, [index]: proof } }
  const at = known === undefined ? positionOf(window, others) : progress.windows.indexOf(known)
  return settled({ ...progress, windows: others.toSpliced(at, 0, window) })
}

function settled(progress: CursorProgress): CursorProgress {
  const [first, ...rest] = progress.windows
  if (first === undefined || !isDone(first)) return progress
  const startsAtBase = first.from.lower === (progress.base?.value ?? null)
  if (!startsAtBase) return progress
  return settled({ ...progress, base: pointOf(first.proofs[first.uppers.length - 1]!), windows: rest })
}

/** A window comes after the one that ends where it begins, and before the one that begins where it ends. */
function positionOf({ uppers }: CursorWindow, others: readonly CursorWindow[]): number {
  const next = others.findIndex(({ from }) => from.lower === uppers.at(-1))
  return next === -1 ? others.length : next
}

function isDone({ uppers, proofs }: CursorWindow): boolean {
  return uppers.every((_, index) => proofs[index]?.type === 'slice_done')
}

function windowId({ from, uppers }: Pick<CursorWindow, 'from' | 'uppers'>): string {
  return JSON.stringify([from, uppers])
}

function pointOf(proof: Checkpoint | SliceDone): CursorPoint {
  return (proof.position as unknown as WindowProof).point
}
