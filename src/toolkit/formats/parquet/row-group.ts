import { AsyncByteQueue, Field, RecordBatch, RecordBatchStreamWriter, Schema } from 'apache-arrow'
import { arrowType } from '../../../model/arrow-type.js'
import type { TableShape } from '../../../model/table.js'
import type { SharedBuffers, SharedBytes } from './shared-buffers.js'

/** The schema of a table's files: without metadata, which would be repeated in every footer. */
export function fileSchema(table: TableShape): Schema {
  return new Schema(table.fields.map(({ name, type }) => new Field(name, arrowType(type), true)))
}

/** Rows as an Arrow IPC stream in shared memory, copied when they come in: batches may share buffers, which therefore cannot be handed to a thread. */
export class RowGroup {
  rows = 0
  readonly #schema: Schema
  readonly #sink: SharedSink
  readonly #writer: RecordBatchStreamWriter

  constructor(schema: Schema, buffers: SharedBuffers) {
    this.#schema = schema
    this.#sink = new SharedSink(buffers)
    this.#writer = new RecordBatchStreamWriter({ autoDestroy: false })
    this.#writer.reset(this.#sink, schema)
  }

  /** Bytes held. */
  get bytes(): number {
    return this.#sink.bytes
  }

  add(columns: RecordBatch): void {
    this.#writer.write(new RecordBatch(this.#schema, columns.data))
    this.rows += columns.numRows
  }

  /** The stream; nothing can be added afterwards. Whoever has read it gives the memory back. */
  end(): SharedBytes {
    this.#writer.finish()
    return this.#sink.end()
  }

  /** Gives the memory back unread. */
  drop(): void {
    this.#sink.drop()
  }
}

/** Where the writer puts its pieces, one after the other. */
class SharedSink extends AsyncByteQueue {
  bytes = 0
  readonly #buffers: SharedBuffers
  #memory: Uint8Array<SharedArrayBuffer> | undefined

  constructor(buffers: SharedBuffers) {
    super()
    this.#buffers = buffers
  }

  override write(value: Parameters<AsyncByteQueue['write']>[0]): void {
    const piece = value as Uint8Array
    this.#room(this.bytes + piece.byteLength).set(piece, this.bytes)
    this.bytes += piece.byteLength
  }

  end(): SharedBytes {
    return { buffer: this.#room(this.bytes).buffer, bytes: this.bytes }
  }

  drop(): void {
    if (this.#memory !== undefined) this.#buffers.give(this.#memory.buffer)
    this.#memory = undefined
  }

  #room(bytes: number): Uint8Array<SharedArrayBuffer> {
    const before = this.#memory
    if (before !== undefined && before.byteLength >= bytes) return before
    const memory = new Uint8Array(this.#buffers.take(bytes))
    if (before !== undefined) {
      memory.set(before.subarray(0, this.bytes))
      this.#buffers.give(before.buffer)
    }
    this.#memory = memory
    return memory
  }
}
