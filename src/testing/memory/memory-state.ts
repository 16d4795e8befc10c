import type { Json } from '../../model/json.js'
import type { Checkpoint, Proof, SliceDone } from '../../model/slice.js'
import { streamKey } from '../../model/stream.js'
import { advanceWindows, type CursorProgress, type WindowProof } from './cursor-windows.js'

/** A state of the memory source. Plain JSON. */
export interface MemoryState {
  /** Changes up to here are covered. */
  readonly position?: number
  readonly streams: { readonly [streamKey: string]: StreamProgress }
}

export interface StreamProgress {
  readonly copy?: CopyProgress
  readonly cursor?: CursorProgress
  /** Why the stream was left behind. */
  readonly setAside?: string
}

/** A table that is copied as a whole, in slices that rest on one snapshot. */
export interface CopyProgress {
  readonly epoch: string
  /** Position of the change log that the snapshot holds. */
  readonly logPosition: number
  /** Into how many slices the snapshot was cut. */
  readonly slices: number
  /** The last proof of each slice. */
  readonly proofs: { readonly [slice: string]: Checkpoint | SliceDone }
}

/** What the memory source puts into `position` of its proofs, so that `advance` needs nothing else. */
export type ProofPosition =
  | ({ readonly kind: 'copy'; readonly stream: string; readonly row: number } & Omit<CopyProgress, 'proofs'>)
  | ({ readonly kind: 'window'; readonly stream: string } & WindowProof & Pick<CursorProgress, 'era' | 'type'>)
  | { readonly kind: 'changes'; readonly position: number }

export function asJson(value: ProofPosition | MemoryState): Json {
  return value as unknown as Json
}

export function memoryState(state: Json | undefined): MemoryState {
  return (state ?? { streams: {} }) as unknown as MemoryState
}

export function isCopied(copy: CopyProgress): boolean {
  return Object.values(copy.proofs).filter(({ type }) => type === 'slice_done').length === copy.slices
}

/** `Reading.advance` of the memory source. Pure. */
export function advanceMemory(before: Json | undefined, proof: Proof): Json {
  const state = memoryState(before)
  if (proof.type === 'set_aside') return withStream(state, streamKey(proof.stream), { setAside: proof.code })
  const position = proof.position as unknown as ProofPosition
  switch (position.kind) {
    case 'changes':
      return asJson({ ...state, position: Math.max(state.position ?? 0, position.position) })
    case 'copy': {
      const { kind: _, stream, row: __, ...copy } = position
      const known = state.streams[stream]?.copy
      const proofs = known?.epoch === copy.epoch ? known.proofs : {}
      return withStream(state, stream, { copy: { ...copy, proofs: { ...proofs, [proof.slice]: proof } } })
    }
    case 'window': {
      const { stream, era, type } = position
      const known = state.streams[stream]?.cursor
      const progress: CursorProgress = known?.era === era ? known : { era, type, windows: [] }
      return withStream(state, stream, { cursor: advanceWindows(progress, position, proof) })
    }
  }
}

function withStream(state: MemoryState, key: string, progress: StreamProgress): Json {
  return asJson({ ...state, streams: { ...state.streams, [key]: progress } })
}
