import { SynclineError } from '../../errors/syncline-error.js'
import type { Json } from '../../model/json.js'
import type { Slice } from '../../model/slice.js'
import { streamKey, streamRef } from '../../model/stream.js'
import type { ReadRequest, ReadScope, ReadStream } from '../../source/source.js'
import type { MemorySourceOptions } from './memory-source.js'
import { type CopyProgress, isCopied, type MemoryState, memoryState } from './memory-state.js'
import type { MemorySnapshot, MemoryTables } from './memory-tables.js'
import { copySlices, type SliceData, windowSlices } from './plan-table.js'

/** What is left to read of one scope. */
export interface ScopePlan {
  readonly scope: ReadScope
  readonly streams: readonly PlannedStream[]
  /** The part of the change log that comes after all copies. */
  readonly changes?: Slice
}

export interface PlannedStream {
  readonly read: ReadStream
  readonly slices: readonly Slice[]
  /** Saved proofs do not count, and the pipeline does not know yet. */
  readonly restarted: boolean
  readonly copy?: CopyProgress
}

export function planScope(
  world: MemoryTables,
  snapshot: MemorySnapshot,
  scope: ReadScope,
  until: ReadRequest['until'],
  options: MemorySourceOptions,
): ScopePlan {
  const state = memoryState(scope.state)
  const streams = scope.streams.map((read) => planStream(world, snapshot, read, state, options))
  const logged = streams.filter(({ read }) => isLogged(read))
  if (logged.length === 0) return { scope, streams }
  return { scope, streams, changes: changesSlice(world, snapshot, logged, state, until) }
}

function isLogged({ stream }: ReadStream): boolean {
  return stream.changeLog === true && stream.syncMode === 'incremental'
}

function planStream(
  world: MemoryTables,
  snapshot: MemorySnapshot,
  read: ReadStream,
  state: MemoryState,
  { slices: parts = 2, ordered = false }: MemorySourceOptions,
): PlannedStream {
  const { stream, restart } = read
  const key = streamKey(stream)
  const progress = restart ? undefined : state.streams[key]
  if (stream.syncMode === 'incremental' && !isLogged(read)) {
    const cursorField = stream.cursorField!
    const type = stream.schema.fields.find(({ name }) => name === cursorField)!.type
    const cursor = progress?.cursor ?? { era: snapshot.epoch, type, windows: [] }
    return { read, slices: windowSlices(read, snapshot, cursor, cursorField, parts, ordered), restarted: false }
  }
  const known = progress?.copy
  const lost = known !== undefined && !isCopied(known) && world.snapshotOf(known.epoch) === undefined
  const restarted = progress?.setAside !== undefined || lost
  const rows = (epoch: string) => world.snapshotOf(epoch)?.rows.get(key) ?? []
  const fresh = (): CopyProgress => {
    // An empty table of a change log is a slice too: its proof says where its changes begin.
    const slices = Math.min(parts, Math.max(rows(snapshot.epoch).length, isLogged(read) ? 1 : 0))
    return { epoch: snapshot.epoch, logPosition: snapshot.position, slices, proofs: {} }
  }
  const copy = known === undefined || restarted ? fresh() : known
  return { read, slices: isCopied(copy) ? [] : copySlices(read, rows(copy.epoch), copy, ordered), restarted, copy }
}

function changesSlice(
  world: MemoryTables,
  snapshot: MemorySnapshot,
  streams: readonly PlannedStream[],
  state: MemoryState,
  until: ReadRequest['until'],
): Slice {
  const copied = Object.fromEntries(streams.map(({ read, copy }) => [streamKey(read.stream), copy!.logPosition]))
  const from = state.position ?? Math.min(...Object.values(copied))
  if (from < world.freed) {
    throw new SynclineError('SOURCE_STATE_INVALID', 'The change log was acknowledged past the saved state.', {
      hint: 'Changes are lost; copy the tables again.',
    })
  }
  const data: SliceData = { kind: 'changes', from, copied, ...(until === 'now' && { to: snapshot.position }) }
  // Which changes belong to the slice depends on what the copies hold.
  const id = `changes:${from}@${Object.values(copied).join(',')}`
  return {
    id,
    streams: streams.map(({ read }) => streamRef(read.stream)),
    data: data as unknown as Json,
    after: streams.flatMap(({ slices }) => slices.map((slice) => slice.id)),
  }
}
