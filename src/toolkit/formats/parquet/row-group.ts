import { AsyncByteQueue, Field, RecordBatch, RecordBatchStreamWriter, Schema } from 'apache-arrow'
import { arrowType } from '../../../model/arrow-type.js'
import type { TableShape } from '../../../model/table.js'

/** The schema of a table's files: without metadata, which would be repeated in every footer. */
export function fileSchema(table: TableShape): Schema {
  return new Schema(table.fields.map(({ name, type }) => new Field(name, arrowType(type), true)))
}

/** Rows as an Arrow IPC stream, copied when they come in: batches may share buffers, which therefore cannot be handed to a thread. */
export class RowGroup {
  rows = 0
  readonly #schema: Schema
  readonly #sink = new ChunkSink()
  readonly #writer: RecordBatchStreamWriter

  constructor(schema: Schema) {
    this.#schema = schema
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
    this.#sink.flush()
  }

  /** The stream, in parts that own their memory. Nothing can be added afterwards. */
  end(): Uint8Array<ArrayBuffer>[] {
    this.#writer.finish()
    this.#sink.flush()
    return this.#sink.chunks
  }
}

/** Gathers what the writer gives out, one copy per batch. */
class ChunkSink extends AsyncByteQueue {
  readonly chunks: Uint8Array<ArrayBuffer>[] = []
  bytes = 0
  #pieces: Uint8Array[] = []
  #length = 0

  override write(value: Parameters<AsyncByteQueue['write']>[0]): void {
    const piece = value as Uint8Array
    this.#pieces.push(piece)
    this.#length += piece.byteLength
  }

  flush(): void {
    if (this.#length === 0) return
    const chunk = new Uint8Array(this.#length)
    let at = 0
    for (const piece of this.#pieces) {
      chunk.set(piece, at)
      at += piece.byteLength
    }
    this.chunks.push(chunk)
    this.bytes += chunk.byteLength
    this.#pieces = []
    this.#length = 0
  }
}
