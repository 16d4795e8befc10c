import { SynclineError } from '../../errors/syncline-error.js'
import { Batch } from '../../model/batch.js'
import { BatchBuilder } from '../../model/batch-builder.js'
import type { Message } from '../../model/message.js'
import type { Checkpoint, Slice } from '../../model/slice.js'
import { streamRef } from '../../model/stream.js'
import type { ReadStream } from '../../source/source.js'
import { toJson } from './json-values.js'
import { asJson, type ProofPosition } from './memory-state.js'
import type { MemoryRow } from './memory-tables.js'
import { encodeNativeRow } from './native-rows.js'

export interface TableRead {
  readonly slice: Slice
  readonly stream: ReadStream
  /** The rows of the slice that come after the checkpoint. */
  readonly rows: readonly MemoryRow[]
  /** Rows of the slice before them. */
  readonly before: number
  readonly batchRows: number
  readonly checkpointRows: number
  /** What a proof after so many of `rows` says; undefined where no checkpoint is possible. */
  readonly positionAfter: (rows: number) => ProofPosition | undefined
  readonly finalPosition: ProofPosition
}

/** The messages of one slice of a table. */
export function* readTable(read: TableRead): Generator<Message, void, undefined> {
  const { slice, rows, before, batchRows, checkpointRows } = read
  let pending: MemoryRow[] = []
  let sinceCheckpoint = 0
  for (const [index, row] of rows.entries()) {
    if (row.rejected === undefined) pending.push(row)
    if (pending.length > 0 && (pending.length >= batchRows || row.rejected !== undefined)) {
      yield tableBatch(read.stream, pending)
      pending = []
    }
    if (row.rejected !== undefined) {
      yield {
        type: 'rejected',
        stream: streamRef(read.stream.stream),
        ...row.rejected,
        position: before + index,
        record: JSON.stringify(row.values, (_, value) => toJson(value)),
      }
    }
    if (++sinceCheckpoint < checkpointRows || index + 1 === rows.length) continue
    const position = read.positionAfter(index + 1)
    if (position === undefined) continue
    if (pending.length > 0) yield tableBatch(read.stream, pending)
    pending = []
    sinceCheckpoint = 0
    yield checkpoint(slice, before + index + 1, position)
  }
  if (pending.length > 0) yield tableBatch(read.stream, pending)
  yield { type: 'slice_done', slice: slice.id, records: before + rows.length, position: asJson(read.finalPosition) }
}

export function checkpoint(slice: Slice, records: number, position: ProofPosition): Checkpoint {
  return { type: 'checkpoint', slice: slice.id, records, position: asJson(position) }
}

function tableBatch({ stream }: ReadStream, rows: readonly MemoryRow[]): Batch {
  const builder = new BatchBuilder(streamRef(stream), stream.schema)
  const valueChanges = rows.flatMap(({ nulled = {} }, row) =>
    Object.entries(nulled).map(([field, reason]) => ({ row, field, change: 'NULLED' as const, reason })),
  )
  for (const { values, nulled = {} } of rows) {
    const entries = stream.schema.fields.map(({ name }) => [name, name in nulled ? null : (values[name] ?? null)])
    builder.append(Object.fromEntries(entries))
  }
  const { columns, schema } = builder.finish()
  return new Batch(streamRef(stream), schema, columns, { valueChanges })
}

/** The same as bytes in `memory/rows`, cut where it is least convenient. One piece: no checkpoints, nothing rejected. */
export function* readNative(read: TableRead): Generator<Message, void, undefined> {
  const { slice, stream, rows, before } = read
  const text = rows.map((row) => {
    if (row.rejected === undefined) return encodeNativeRow(stream.native!.projection, row.values)
    throw new SynclineError('SOURCE_RECORD_INVALID', row.rejected.reason, {
      stream: streamRef(stream.stream),
      hint: 'Repair the record, or read the stream without a native format.',
    })
  })
  const bytes = Buffer.from(text.join(''))
  for (let start = 0; start < bytes.length; start += 37) {
    yield { type: 'native', stream: streamRef(stream.stream), bytes: new Uint8Array(bytes.subarray(start, start + 37)) }
  }
  yield { type: 'slice_done', slice: slice.id, records: before + rows.length, position: asJson(read.finalPosition) }
}
