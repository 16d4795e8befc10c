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
  #chunks: SharedArrayBuffer[] = []
  #last: Uint8Array = new Uint8Array()
  /** Bytes used of the last chunk. */
  #used = 0

  constructor(buffers: SharedBuffers) {
    super()
    this.#buffers = buffers
  }

  override write(value: Parameters<AsyncByteQueue['write']>[0]): void {
    let rest = value as Uint8Array
    this.bytes += rest.byteLength
    while (rest.byteLength > 0) {
      if (this.#used === this.#last.byteLength) this.#grow()
      const fits = rest.subarray(0, this.#last.byteLength - this.#used)
      this.#last.set(fits, this.#used)
      this.#used += fits.byteLength
      rest = rest.subarray(fits.byteLength)
    }
  }

  end(): SharedBytes {
    return { chunks: this.#chunks, bytes: this.bytes }
  }

  drop(): void {
    this.#buffers.give(this.#chunks)
    this.#chunks = []
    this.#last = new Uint8Array()
    this.#used = 0
  }

  #grow(): void {
    const chunk = this.#buffers.take()
    this.#chunks.push(chunk)
    this.#last = new Uint8Array(chunk)
    this.#used = 0
  }
}
