import type { FieldType } from '../../model/field-type.js'
import type { Json } from '../../model/json.js'
import type { Slice } from '../../model/slice.js'
import { streamKey, streamRef } from '../../model/stream.js'
import type { ReadStream } from '../../source/source.js'
import { type CursorProgress, nextStart, type RangeStart, type WindowProof } from './cursor-windows.js'
import { compareValues, fromJson, toJson } from './json-values.js'
import type { CopyProgress } from './memory-state.js'
import type { MemoryRow, MemorySnapshot } from './memory-tables.js'

/** `Slice.data` of the memory source. */
export type SliceData =
  | ({ readonly kind: 'copy'; readonly from: number; readonly to: number } & Omit<CopyProgress, 'proofs'>)
  | ({ readonly kind: 'window'; readonly cursorField: string } & Omit<WindowProof, 'point'> &
      Pick<CursorProgress, 'era' | 'type'>)
  | {
      readonly kind: 'changes'
      readonly from: number
      /** Left out: until the signal aborts. */
      readonly to?: number
      /** Changes up to here are already in the copy of the stream. */
      readonly copied: { readonly [streamKey: string]: number }
    }

/** The slices of a copy that are not proved yet. The cut depends on the snapshot and the number of slices alone. */
export function copySlices(
  { stream }: ReadStream,
  rows: readonly MemoryRow[],
  copy: CopyProgress,
  ordered: boolean,
): Slice[] {
  const { proofs, ...rest } = copy
  const ids = Array.from({ length: copy.slices }, (_, index) => `${streamKey(stream)}@${copy.epoch}/${index}`)
  const open = ids.map((id, index): Slice => {
    const proof = proofs[id]
    const cut = (part: number) => Math.floor((rows.length * part) / copy.slices)
    const data: SliceData = { kind: 'copy', ...rest, from: cut(index), to: cut(index + 1) }
    return {
      id,
      streams: [streamRef(stream)],
      epoch: copy.epoch,
      data: data as unknown as Json,
      ...(proof?.type === 'checkpoint' && { resume: proof }),
    }
  })
  return inOrder(
    open.filter(({ id }) => proofs[id]?.type !== 'slice_done'),
    ordered,
  )
}

/** What is left of the windows that are not finished, and one more up to the highest value of the snapshot. */
export function windowSlices(
  { stream }: ReadStream,
  snapshot: MemorySnapshot,
  progress: CursorProgress,
  cursorField: string,
  parts: number,
  ordered: boolean,
): Slice[] {
  const key = streamKey(stream)
  const { era, type } = progress
  const from = nextStart(progress)
  const fresh = cursorRows(snapshot.rows.get(key) ?? [], type, cursorField).filter((row) =>
    isInside(row, from, undefined, type, cursorField),
  )
  const windows = [...progress.windows, { from, uppers: cuts(fresh, parts, cursorField), proofs: {} }]
  const slices = windows.flatMap(({ from, uppers, proofs }) =>
    uppers.flatMap((upper, index): Slice[] => {
      const proof = proofs[index]
      if (proof?.type === 'slice_done') return []
      const data: SliceData = { kind: 'window', era, type, cursorField, from, uppers, index }
      const { lower, skip } = sliceStart(data)
      return [
        {
          // The number of skipped rows parts two ranges that begin and end at the same value.
          id: `${key}/${JSON.stringify([lower, skip?.length ?? null, upper])}`,
          streams: [streamRef(stream)],
          data: data as unknown as Json,
          ...(proof && { resume: proof }),
        },
      ]
    }),
  )
  return inOrder(slices, ordered)
}

export function sliceStart({ from, uppers, index }: Omit<WindowProof, 'point'>): RangeStart {
  return index === 0 ? from : { lower: uppers[index - 1]! }
}

/** Rows with a cursor, ascending, equal ones by age. Rows whose cursor is null are never read incrementally. */
export function cursorRows(rows: readonly MemoryRow[], type: FieldType, cursorField: string): MemoryRow[] {
  return rows
    .filter(({ values }) => values[cursorField] !== null && values[cursorField] !== undefined)
    .sort((a, b) => compareValues(type, a.values[cursorField], b.values[cursorField]) || a.id - b.id)
}

export function isInside(
  row: MemoryRow,
  { lower, skip }: RangeStart,
  upper: Json | undefined,
  type: FieldType,
  cursorField: string,
): boolean {
  const compare = (bound: Json) => compareValues(type, row.values[cursorField], fromJson(type, bound))
  if (upper !== undefined && compare(upper) > 0) return false
  if (lower === null) return true
  const order = compare(lower)
  return order > 0 || (order === 0 && skip !== undefined && !skip.includes(row.id))
}

export function idsAt(rows: readonly MemoryRow[], value: Json, cursorField: string): number[] {
  return rows.filter(({ values }) => toJson(values[cursorField]) === value).map(({ id }) => id)
}

/** Upper ends that cut sorted rows into about so many parts, rows of one value together. */
function cuts(rows: readonly MemoryRow[], parts: number, cursorField: string): Json[] {
  const ends = Array.from({ length: parts }, (_, part) => Math.ceil((rows.length * (part + 1)) / parts) - 1)
  const values = ends.flatMap((end) => (rows[end] === undefined ? [] : [toJson(rows[end].values[cursorField])]))
  return [...new Set(values)]
}

function inOrder(slices: Slice[], ordered: boolean): Slice[] {
  if (!ordered) return slices
  return slices.map((slice, index) => (index === 0 ? slice : { ...slice, after: [slices[index - 1]!.id] }))
}
