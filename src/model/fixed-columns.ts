import {
  Bool,
  type Data,
  type DataType,
  type DateDay,
  Decimal,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  makeData,
  type TimeMicrosecond,
  type TimestampMicrosecond,
} from 'apache-arrow'
import { ColumnWriter, INITIAL_ROWS, trimmed, type Values } from './column-writer.js'
import { writeDecimal } from './decimal.js'

// Every kind of array has a class and a `push` of its own, so that the engine sees one kind of store in each.
abstract class FixedColumn<V extends Values> extends ColumnWriter {
  protected values: V

  constructor(
    private readonly type: DataType,
    private readonly make: (rows: number) => V,
    capacity = INITIAL_ROWS,
  ) {
    super(capacity)
    this.values = make(capacity)
  }

  get byteLength(): number {
    return Math.ceil((this.length * this.values.byteLength) / this.capacity)
  }

  protected grow(capacity: number): void {
    const grown = this.make(capacity)
    grown.set(this.values as never)
    this.values = grown
  }

  protected begin(capacity: number): void {
    this.values = this.make(capacity)
  }

  protected take(length: number, nullCount: number, nullBitmap: Uint8Array | undefined): Data {
    const data = trimmed(this.values, Math.ceil((length * this.values.length) / this.capacity))
    return makeData({ type: this.type, length, nullCount, nullBitmap, data } as never)
  }
}

export class BooleanColumn extends FixedColumn<Uint8Array> {
  constructor(capacity?: number) {
    super(new Bool(), (rows) => new Uint8Array((rows + 7) >> 3), capacity)
  }
  push(value: boolean): void {
    const row = this.length
    this.skip()
    if (value) this.values[row >> 3]! |= 1 << (row & 7)
  }
}

export class Int16Column extends FixedColumn<Int16Array> {
  constructor(capacity?: number) {
    super(new Int16(), (rows) => new Int16Array(rows), capacity)
  }
  push(value: number): void {
    if (this.length === this.capacity) this.double()
    this.values[this.length++] = value
  }
}

/** Whole numbers of 32 bits, and dates as days since 1970-01-01. */
export class Int32Column extends FixedColumn<Int32Array> {
  constructor(capacity?: number, type: Int32 | DateDay = new Int32()) {
    super(type, (rows) => new Int32Array(rows), capacity)
  }
  push(value: number): void {
    if (this.length === this.capacity) this.double()
    this.values[this.length++] = value
  }
}

/** Whole numbers of 64 bits; times and timestamps in microseconds. */
export class Int64Column extends FixedColumn<BigInt64Array> {
  private words: Uint32Array
  constructor(capacity?: number, type: Int64 | TimeMicrosecond | TimestampMicrosecond = new Int64()) {
    super(type, (rows) => new BigInt64Array(rows), capacity)
    this.words = new Uint32Array(this.values.buffer)
  }
  push(value: bigint): void {
    if (this.length === this.capacity) this.double()
    this.values[this.length++] = value
  }
  /** The value as two words in two's complement, without making a bigint. */
  pushWords(low: number, high: number): void {
    if (this.length === this.capacity) this.double()
    if (this.words.buffer !== this.values.buffer) this.words = new Uint32Array(this.values.buffer)
    const at = this.length++ * 2
    this.words[at] = low
    this.words[at + 1] = high
  }
}

export class Float32Column extends FixedColumn<Float32Array> {
  constructor(capacity?: number) {
    super(new Float32(), (rows) => new Float32Array(rows), capacity)
  }
  push(value: number): void {
    if (this.length === this.capacity) this.double()
    this.values[this.length++] = value
  }
}

export class Float64Column extends FixedColumn<Float64Array> {
  constructor(capacity?: number) {
    super(new Float64(), (rows) => new Float64Array(rows), capacity)
  }
  push(value: number): void {
    if (this.length === this.capacity) this.double()
    this.values[this.length++] = value
  }
}

/** Decimal128 by unscaled value. */
export class DecimalColumn extends FixedColumn<Uint32Array> {
  constructor(precision: number, scale: number, capacity?: number) {
    super(new Decimal(scale, precision, 128), (rows) => new Uint32Array(rows * 4), capacity)
  }
  /** A number must be a safe integer. */
  push(unscaledValue: bigint | number): void {
    if (this.length === this.capacity) this.double()
    writeDecimal(this.values, this.length++ * 4, unscaledValue)
  }
}
