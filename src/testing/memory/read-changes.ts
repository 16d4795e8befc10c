import { Batch } from '../../model/batch.js'
import { BatchBuilder } from '../../model/batch-builder.js'
import { OPERATION } from '../../model/change.js'
import type { Message } from '../../model/message.js'
import type { Slice } from '../../model/slice.js'
import { sameStream, streamKey, streamRef } from '../../model/stream.js'
import type { ReadStream } from '../../source/source.js'
import { orAbort } from '../../util/abort.js'
import { asJson } from './memory-state.js'
import type { MemoryChange, MemoryTables } from './memory-tables.js'
import type { SliceData } from './plan-table.js'
import { checkpoint } from './read-table.js'

export interface ChangesRead {
  readonly world: MemoryTables
  readonly slice: Slice
  readonly streams: readonly ReadStream[]
  readonly data: Extract<SliceData, { kind: 'changes' }>
  /** Changes up to here were read by an earlier attempt, as so many rows. */
  readonly from: number
  readonly before: number
  readonly batchRows: number
  readonly checkpointRows: number
  readonly signal: AbortSignal
}

/** The messages of the change log, in its order: batches of neighbouring changes of one stream, truncates, checkpoints. */
export async function* readChanges(read: ChangesRead): AsyncGenerator<Message, void, undefined> {
  const { world, slice, data, batchRows, checkpointRows, signal } = read
  let position = read.from
  let records = read.before
  for (;;) {
    const to = Math.min(data.to ?? world.position, position + checkpointRows)
    const changes = world.changes(position, to).filter((change) => isWanted(change, read))
    for (const run of runs(changes, batchRows)) {
      const first = run[0]!
      if (first.operation === 'truncate') {
        const order = { position: BigInt(first.position), ordinal: 0 }
        yield { type: 'truncate', stream: streamRef(first.stream), order }
      } else {
        records += run.length
        yield changeBatch(read, run)
      }
    }
    position = to
    if (position === data.to) break
    yield checkpoint(slice, records, { kind: 'changes', position })
    if (data.to === undefined && position === world.position) await orAbort(world.grown(), signal)
  }
  yield { type: 'slice_done', slice: slice.id, records, position: asJson({ kind: 'changes', position }) }
}

function isWanted(change: MemoryChange, { streams, data }: ChangesRead): boolean {
  if (!streams.some(({ stream }) => sameStream(stream, change.stream))) return false
  return change.position > (data.copied[streamKey(change.stream)] ?? 0)
}

/** Neighbours of one stream together; a truncate stands alone. */
function* runs(changes: readonly MemoryChange[], longest: number): Generator<MemoryChange[]> {
  let run: MemoryChange[] = []
  for (const change of changes) {
    const last = run.at(-1)
    const joins =
      last !== undefined &&
      run.length < longest &&
      last.operation !== 'truncate' &&
      change.operation !== 'truncate' &&
      sameStream(last.stream, change.stream)
    if (!joins && run.length > 0) {
      yield run
      run = []
    }
    run.push(change)
  }
  if (run.length > 0) yield run
}

function changeBatch({ streams }: ChangesRead, run: readonly MemoryChange[]): Batch {
  const { stream } = streams.find((candidate) => sameStream(candidate.stream, run[0]!.stream))!
  const builder = new BatchBuilder(streamRef(stream), stream.schema)
  const unchanged = new Map<string, Uint8Array>()
  for (const [row, change] of run.entries()) {
    for (const field of change.unchanged) {
      const mask = unchanged.get(field) ?? new Uint8Array(run.length)
      mask[row] = 1
      unchanged.set(field, mask)
    }
    // A log carries no more of a deleted row than its key.
    const carried = (name: string) =>
      change.operation === 'delete' ? (stream.primaryKey ?? []).includes(name) : !change.unchanged.includes(name)
    const entries = stream.schema.fields.map(({ name }) => [name, carried(name) ? (change.values[name] ?? null) : null])
    builder.append(Object.fromEntries(entries))
  }
  const { columns, schema } = builder.finish()
  const changes = {
    operations: Uint8Array.from(run, ({ operation }) => OPERATION[operation as keyof typeof OPERATION]),
    positions: BigUint64Array.from(run, ({ position }) => BigInt(position)),
    ordinals: new Uint32Array(run.length),
    ...(unchanged.size > 0 && { unchanged }),
  }
  return new Batch(streamRef(stream), schema, columns, { changes })
}
