import { type Data, type DataType, makeData } from 'apache-arrow'
import { arrowType } from '../../model/arrow-type.js'
import type { Field } from '../../model/schema.js'
import { isVariable, WIRE, type Wire, wordsOf } from './decode-wire.js'

const NOTHING = {
  words: new Int32Array(0),
  halves: new Int16Array(0),
  bits: new Uint8Array(0),
  offsets: new Int32Array(0),
  bytes: new Uint8Array(0),
  view: new DataView(new ArrayBuffer(0)),
}

/** What the first column of variable length begins with; it doubles. */
const INITIAL_BYTES = 1024

/** The memory of one column of one batch. */
export type ColumnMemory = Pick<ColumnBuffer, 'words' | 'halves' | 'bits' | 'offsets' | 'bytes'>

/** Memory of values of variable length beyond this is not kept for the next batch. */
const MOST_KEPT_BYTES = 4 * 2 ** 20

/**
 * One column under construction. All columns are of this one class with the same members, used or not, so that the decoder's loop stays
 * monomorphic; rows and capacity are the decoder's, being the same for all columns.
 */
export class ColumnBuffer {
  readonly name: string
  readonly precision: number
  readonly scale: number
  readonly variable: boolean
  /** Words per value. */
  readonly width: number
  /** Fixed-width values, as 32-bit words in Arrow's byte order. */
  words: Int32Array = NOTHING.words
  halves: Int16Array = NOTHING.halves
  bits: Uint8Array = NOTHING.bits
  offsets: Int32Array = NOTHING.offsets
  bytes: Uint8Array = NOTHING.bytes
  /** Over `bytes`. */
  view: DataView = NOTHING.view
  used = 0
  nulls = 0
  /** Made by the first null, all ones. */
  private validity: Uint8Array | undefined
  private readonly type: DataType
  private readonly values: new (
    buffer: ArrayBufferLike,
    offset: number,
    length: number,
  ) => ArrayBufferView

  constructor(
    field: Field,
    readonly wire: Wire,
  ) {
    this.name = field.name
    this.precision = field.type.kind === 'decimal' ? (field.type.precision ?? 0) : 0
    this.scale = field.type.kind === 'decimal' ? (field.type.scale ?? 0) : 0
    this.variable = isVariable(wire)
    this.width = wordsOf(wire)
    this.type = arrowType(field.type)
    this.values = this.type.ArrayType
  }

  /** Bytes per value in memory, without those of variable length. */
  get fixedBytes(): number {
    return this.width * 4 + (this.variable ? 4 : 0) + (this.wire === WIRE.word16 ? 2 : 0)
  }

  /** Empty, with place for so many rows and as many bytes as the last time; in memory that was used before, where that is large enough. */
  begin(rows: number, old: ColumnMemory = NOTHING): void {
    this.nulls = 0
    this.validity = undefined
    if (this.variable) {
      this.offsets = old.offsets.length > rows ? old.offsets : new Int32Array(rows + 1)
      const bytes = Math.max(INITIAL_BYTES, this.used + (this.used >> 3))
      const kept = old.bytes.length >= bytes && old.bytes.length <= MOST_KEPT_BYTES
      this.takeBytes(kept ? old.bytes : new Uint8Array(bytes))
      this.used = 0
    } else if (this.wire === WIRE.boolean)
      this.bits = cleared(old.bits, (rows + 7) >> 3) ?? new Uint8Array((rows + 7) >> 3)
    else if (this.wire === WIRE.word16) this.halves = cleared(old.halves, rows) ?? new Int16Array(rows)
    else this.words = cleared(old.words, rows * this.width) ?? new Int32Array(rows * this.width)
  }

  /** What the batch under construction is made of. */
  get memory(): ColumnMemory {
    const { words, halves, bits, offsets, bytes } = this
    return { words, halves, bits, offsets, bytes }
  }

  growRows(rows: number): void {
    if (this.variable) this.offsets = grown(this.offsets, new Int32Array(rows + 1))
    else if (this.wire === WIRE.boolean) this.bits = grown(this.bits, new Uint8Array((rows + 7) >> 3))
    else if (this.wire === WIRE.word16) this.halves = grown(this.halves, new Int16Array(rows))
    else this.words = grown(this.words, new Int32Array(rows * this.width))
    if (this.validity !== undefined) this.validity = grown(this.validity, new Uint8Array((rows + 7) >> 3).fill(255))
  }

  reserveBytes(needed: number): void {
    this.takeBytes(grown(this.bytes, new Uint8Array(Math.max(needed, this.bytes.length * 2))))
  }

  setNull(row: number, capacity: number): void {
    this.validity ??= new Uint8Array((capacity + 7) >> 3).fill(255)
    this.validity[row >> 3]! &= ~(1 << (row & 7))
    this.nulls++
    if (this.variable) this.offsets[row + 1] = this.used
  }

  /** The first rows as an Arrow column, which owns the memory from then on. */
  finish(rows: number): Data {
    return makeData({
      type: this.type,
      length: rows,
      nullCount: this.nulls,
      nullBitmap: this.validity?.subarray(0, (rows + 7) >> 3),
      ...(this.variable
        ? { valueOffsets: fitted(this.offsets, rows + 1), data: fitted(this.bytes, this.used) }
        : { data: this.fixedValues(rows) }),
    } as never)
  }

  private fixedValues(rows: number): ArrayBufferView {
    if (this.wire === WIRE.boolean) return fitted(this.bits, (rows + 7) >> 3)
    if (this.wire === WIRE.word16) return fitted(this.halves, rows)
    const words = fitted(this.words, rows * this.width)
    const elements = words.byteLength / (this.values as unknown as { BYTES_PER_ELEMENT: number }).BYTES_PER_ELEMENT
    return new this.values(words.buffer, words.byteOffset, elements)
  }

  private takeBytes(bytes: Uint8Array): void {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer)
  }
}

type Buffered = Int32Array | Int16Array | Uint8Array

/** Used memory as if it were new, where it is large enough. */
function cleared<A extends Buffered>(old: A, length: number): A | undefined {
  return old.length >= length && length > 0 ? (old.fill(0) as A) : undefined
}

function grown<A extends Buffered>(from: A, to: A): A {
  to.set(from)
  return to
}

/** The used part; copied where keeping the rest would waste more than half. */
function fitted<A extends Buffered>(array: A, length: number): A {
  return (length * 2 < array.length ? array.slice(0, length) : array.subarray(0, length)) as A
}
