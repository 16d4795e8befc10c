import { type Data, makeData, RecordBatch, type Schema, Struct } from 'apache-arrow'
import { SynclineError } from '../../errors/syncline-error.js'
import { arrowSchema } from '../../model/arrow-type.js'
import { Batch, type ValueChange } from '../../model/batch.js'
import type { RecordSchema } from '../../model/schema.js'
import type { StreamRef } from '../../model/stream.js'
import { CHANGE_REASON } from '../../model/value-change.js'
import { ColumnBuffer, type ColumnMemory } from './decode-column.js'
import { writeNumeric } from './decode-numeric.js'
import { WIRE, type Wire } from './decode-wire.js'

/** Days from 1970-01-01 to 2000-01-01, PostgreSQL's epoch. */
const EPOCH_DAYS = 10_957
const EPOCH_MICROS = 946_684_800_000_000
const EPOCH_LOW = EPOCH_MICROS % 2 ** 32
const EPOCH_HIGH = Math.floor(EPOCH_MICROS / 2 ** 32)
/** 24:00:00, which PostgreSQL has and Arrow's times do not. */
const MIDNIGHT_LOW = 86_400_000_000 % 2 ** 32
const MIDNIGHT_HIGH = Math.floor(86_400_000_000 / 2 ** 32)
const INT32_MAX = 0x7fff_ffff
const INT32_MIN = -0x8000_0000

/** Up to here a loop is quicker than a call. */
const SHORT = 64
const FIRST_ROWS = 256
/** Batches whose memory is kept: one is written while the next one is read. */
const MOST_FREE = 2
const HEX = Uint16Array.from({ length: 256 }, (_, byte) => {
  const text = byte.toString(16).padStart(2, '0')
  return (text.charCodeAt(0) << 8) | text.charCodeAt(1)
})

/** Decodes rows of binary COPY into columns. */
export class RowDecoder {
  /** Rows of the batch under construction. */
  rows = 0
  /** Bytes that they had on the wire, or have in memory without those of variable length, whichever is more. */
  get bytes(): number {
    return Math.max(this.wireBytes, this.rows * this.fixedBytes)
  }
  private wireBytes = 0
  private readonly fixedBytes: number
  private capacity: number
  private readonly columns: readonly ColumnBuffer[]
  private readonly arrow: Schema
  private changes: ValueChange[] = []
  /** Memory of batches that nobody reads any more: fresh memory has to be cleared by the system and collected again. */
  private readonly free: (readonly ColumnMemory[])[] = []

  constructor(
    private readonly stream: StreamRef,
    private readonly schema: RecordSchema,
    wires: readonly Wire[],
    private readonly mostRows: number,
  ) {
    this.columns = schema.fields.map((field, index) => new ColumnBuffer(field, wires[index]!))
    this.fixedBytes = this.columns.reduce((bytes, column) => bytes + column.fixedBytes, 0)
    this.arrow = arrowSchema(schema)
    this.capacity = Math.min(mostRows, FIRST_ROWS)
    this.begin()
  }

  /** Takes the row that fills the bytes from `start` to `end`. */
  decode(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    const { columns, rows: row } = this
    const count = columns.length
    if (row === this.capacity) this.growRows()
    if (end - start < 2 || view.getInt16(start) !== count)
      throw violation('a row does not have the columns of the query')
    let at = start + 2
    for (let index = 0; index < count; index++) {
      const column = columns[index]!
      if (at + 4 > end) throw violation('a row ends early')
      const size = view.getInt32(at)
      at += 4
      if (size < 0) {
        column.setNull(row, this.capacity)
        continue
      }
      if (at + size > end) throw violation('a value is longer than its row')
      let fits = true
      switch (column.wire) {
        case WIRE.text:
        case WIRE.bytes:
          copyBytes(column, bytes, view, at, size)
          column.offsets[row + 1] = column.used
          break
        case WIRE.jsonb:
          if (size < 1 || bytes[at] !== 1) throw violation('jsonb has an unknown version')
          copyBytes(column, bytes, view, at + 1, size - 1)
          column.offsets[row + 1] = column.used
          break
        case WIRE.uuid:
          expectSize(size, 16)
          writeUuid(column, bytes, at)
          column.offsets[row + 1] = column.used
          break
        case WIRE.boolean:
          expectSize(size, 1)
          if (bytes[at] !== 0) column.bits[row >> 3]! |= 1 << (row & 7)
          break
        case WIRE.word16:
          expectSize(size, 2)
          column.halves[row] = view.getInt16(at)
          break
        case WIRE.word32:
          expectSize(size, 4)
          column.words[row] = view.getInt32(at)
          break
        case WIRE.unsigned32:
          expectSize(size, 4)
          column.words[row * 2] = view.getInt32(at)
          break
        case WIRE.word64:
          expectSize(size, 8)
          column.words[row * 2] = view.getInt32(at + 4)
          column.words[row * 2 + 1] = view.getInt32(at)
          break
        case WIRE.date: {
          expectSize(size, 4)
          const days = view.getInt32(at)
          if (days === INT32_MAX || days === INT32_MIN) fits = false
          else column.words[row] = days + EPOCH_DAYS
          break
        }
        case WIRE.time: {
          expectSize(size, 8)
          const high = view.getInt32(at)
          const low = view.getUint32(at + 4)
          if (high === MIDNIGHT_HIGH && low === MIDNIGHT_LOW) fits = false
          else {
            column.words[row * 2] = low
            column.words[row * 2 + 1] = high
          }
          break
        }
        case WIRE.timestamp: {
          expectSize(size, 8)
          const high = view.getInt32(at)
          const sum = view.getUint32(at + 4) + EPOCH_LOW
          const shifted = high + EPOCH_HIGH + (sum >= 2 ** 32 ? 1 : 0)
          // Infinity has the greatest number, -infinity the least; the last 30 years of PostgreSQL's range lie beyond Arrow's.
          if (shifted > INT32_MAX || (high === INT32_MIN && sum === EPOCH_LOW)) fits = false
          else {
            column.words[row * 2] = sum
            column.words[row * 2 + 1] = shifted
          }
          break
        }
        case WIRE.decimal:
          if (size < 8 || size !== 8 + 2 * view.getInt16(at)) throw violation('a numeric has an unknown form')
          fits = writeNumeric(view, at, column.precision, column.scale, column.words, row * 4)
          break
      }
      if (!fits) this.setUnfit(column)
      at += size
    }
    if (at !== end) throw violation('a row is longer than its columns')
    this.wireBytes += end - start
    this.rows = row + 1
  }

  /** The rows so far as a batch; the next one begins. */
  finish(): Batch {
    const children: Data[] = this.columns.map((column) => column.finish(this.rows))
    const data = makeData({ type: new Struct(this.arrow.fields), length: this.rows, nullCount: 0, children })
    const memory = this.columns.map((column) => column.memory)
    const batch = new Batch(this.stream, this.schema, new RecordBatch(this.arrow, data), {
      valueChanges: this.changes,
      release: () => {
        if (this.free.length < MOST_FREE) this.free.push(memory)
      },
    })
    this.begin()
    return batch
  }

  private begin(): void {
    this.rows = 0
    this.wireBytes = 0
    this.changes = []
    const memory = this.free.pop()
    for (const [index, column] of this.columns.entries()) column.begin(this.capacity, memory?.[index])
  }

  private growRows(): void {
    this.capacity = Math.min(this.mostRows, this.capacity * 2)
    for (const column of this.columns) column.growRows(this.capacity)
  }

  private setUnfit(column: ColumnBuffer): void {
    column.setNull(this.rows, this.capacity)
    this.changes.push({ row: this.rows, field: column.name, change: 'NULLED', reason: CHANGE_REASON.sourceUnfit })
  }
}

function copyBytes(column: ColumnBuffer, bytes: Uint8Array, view: DataView, start: number, size: number): void {
  const { used } = column
  if (used + size > column.bytes.length) column.reserveBytes(used + size)
  column.used = used + size
  if (size > SHORT) {
    column.bytes.set(bytes.subarray(start, start + size), used)
    return
  }
  const target = column.view
  let done = 0
  for (; done + 4 <= size; done += 4) target.setInt32(used + done, view.getInt32(start + done))
  for (; done < size; done++) column.bytes[used + done] = bytes[start + done]!
}

function writeUuid(column: ColumnBuffer, bytes: Uint8Array, start: number): void {
  if (column.used + 36 > column.bytes.length) column.reserveBytes(column.used + 36)
  const { view } = column
  let at = column.used
  for (let index = 0; index < 16; index++) {
    if (index === 4 || index === 6 || index === 8 || index === 10) view.setUint8(at++, 0x2d)
    view.setUint16(at, HEX[bytes[start + index]!]!)
    at += 2
  }
  column.used = at
}

function expectSize(size: number, expected: number): void {
  if (size !== expected) throw violation('a value does not have the size of its type')
}

export function violation(what: string): SynclineError {
  return new SynclineError('SOURCE_PROTOCOL_VIOLATION', `PostgreSQL's binary COPY could not be understood: ${what}.`, {
    connector: 'postgres',
    phase: 'read',
    hint: 'Report it with the version of the server and the type of the columns; a proxy in between may change the stream.',
  })
}
