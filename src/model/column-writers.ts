import {
  Binary,
  Bool,
  type Data,
  type DataType,
  DateDay,
  Decimal,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  makeData,
  TimeMicrosecond,
  type TimestampMicrosecond,
  Utf8,
} from 'apache-arrow'
import { arrowType, DECIMAL128_PRECISION, isDecimal128 } from './arrow-type.js'
import { writeDecimal } from './decimal.js'
import type { FieldType } from './field-type.js'

const INITIAL_ROWS = 1024
const LEAST_ROWS = 64

/** Grows one column, value by value, in the form that Arrow has in memory. `finish` gives it away and begins the next one. */
export abstract class ColumnWriter {
  length = 0
  protected nullCount = 0
  protected capacity: number
  // Made by the first null, all ones: a value then has nothing to do with it.
  private validity: Uint8Array | undefined

  constructor(capacity: number) {
    this.capacity = capacity
  }

  /** About what the values so far occupy. */
  abstract get byteLength(): number
  protected abstract grow(capacity: number): void
  /** Begins with empty memory for so many rows. */
  protected abstract begin(capacity: number): void
  protected abstract take(length: number, nullCount: number, nullBitmap: Uint8Array | undefined): Data

  pushNull(): void {
    const row = this.length
    this.skip()
    if (this.validity === undefined) this.validity = new Uint8Array((this.capacity + 7) >> 3).fill(255)
    const byte = row >> 3
    if (byte >= this.validity.length) this.validity = grownBitmap(this.validity, (this.capacity + 7) >> 3)
    this.validity[byte]! &= ~(1 << (row & 7))
    this.nullCount++
  }

  /** The column so far. The writer is empty afterwards. */
  finish(): Data {
    const { length, nullCount } = this
    let bitmap: Uint8Array | undefined
    if (this.validity !== undefined) {
      const bytes = (length + 7) >> 3
      bitmap = this.validity.length < bytes ? grownBitmap(this.validity, bytes) : this.validity.subarray(0, bytes)
    }
    const data = this.take(length, nullCount, bitmap)
    this.length = 0
    this.nullCount = 0
    this.validity = undefined
    // The next column is probably like this one: room for as many, without doubling on the way.
    this.capacity = Math.max(LEAST_ROWS, length)
    this.begin(this.capacity)
    return data
  }

  /** Takes the next place, whose value stays zero or empty. */
  protected skip(): void {
    if (this.length === this.capacity) this.double()
    this.length++
  }

  protected double(): void {
    this.capacity *= 2
    this.grow(this.capacity)
  }
}

function grownBitmap(bitmap: Uint8Array, bytes: number): Uint8Array {
  const grown = new Uint8Array(bytes).fill(255)
  grown.set(bitmap)
  return grown
}

type Values = Uint8Array | Int16Array | Int32Array | Uint32Array | BigInt64Array | Float32Array | Float64Array

/** The used part; copied where it would keep much more alive. */
function trimmed<V extends Values>(values: V, used: number): V {
  return (used * 2 < values.length ? values.slice(0, used) : values.subarray(0, used)) as V
}

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
  constructor(precision = DECIMAL128_PRECISION, scale = 0, capacity?: number) {
    super(new Decimal(scale, precision, 128), (rows) => new Uint32Array(rows * 4), capacity)
  }
  /** A number must be a safe integer. */
  push(unscaledValue: bigint | number): void {
    if (this.length === this.capacity) this.double()
    writeDecimal(this.values, this.length++ * 4, unscaledValue)
  }
}

/** One enormous value does not make the next column enormous. */
const MOST_BYTES_AHEAD = 4 * 1024 * 1024
const MAX_COLUMN_BYTES = 2 ** 31 - 1
const LONE_SURROGATE = /\p{Surrogate}/u

/** Texts and byte strings: one growing buffer, one offset per value. */
export class BytesColumn extends ColumnWriter {
  private offsets: Int32Array
  private bytes: Buffer
  private used = 0

  constructor(
    private readonly type: Utf8 | Binary = new Utf8(),
    capacity = INITIAL_ROWS,
  ) {
    super(capacity)
    this.offsets = new Int32Array(capacity + 1)
    this.bytes = newBuffer(capacity * 16)
  }

  get byteLength(): number {
    return this.used + this.length * 4
  }

  /** False where the text is no Unicode (a lone surrogate): nothing is taken then. */
  pushText(text: string): boolean {
    const at = this.used
    // At most three bytes per UTF-16 unit; measured only where that would be wasteful.
    const most = text.length * 3
    if (at + most > this.bytes.length) this.reserve(text.length < 65_536 ? most : Buffer.byteLength(text))
    const written = writeUtf8(this.bytes, text, at)
    if (written !== text.length && LONE_SURROGATE.test(text)) return false
    this.used = at + written
    this.close()
    return true
  }

  /** Bytes that are known to be UTF-8 where the column is text; copied. */
  pushBytes(source: Uint8Array, start = 0, end = source.length): void {
    const size = end - start
    if (this.used + size > this.bytes.length) this.reserve(size)
    if (size <= 32) for (let i = start, at = this.used; i < end; i++, at++) this.bytes[at] = source[i]!
    else this.bytes.set(source.subarray(start, end), this.used)
    this.used += size
    this.close()
  }

  override pushNull(): void {
    super.pushNull()
    this.offsets[this.length] = this.used
  }

  private close(): void {
    if (this.length === this.capacity) this.double()
    this.offsets[++this.length] = this.used
  }

  private reserve(size: number): void {
    const needed = this.used + size
    if (needed > MAX_COLUMN_BYTES) {
      throw new RangeError('A column of a batch holds at most 2 GiB of text or bytes: finish the batch earlier.')
    }
    const grown = newBuffer(Math.min(MAX_COLUMN_BYTES, Math.max(needed, this.bytes.length * 2)))
    grown.set(this.bytes.subarray(0, this.used))
    this.bytes = grown
  }

  protected begin(capacity: number): void {
    this.bytes = newBuffer(Math.min(MOST_BYTES_AHEAD, Math.max(1024, this.used + (this.used >> 3))))
    this.offsets = new Int32Array(capacity + 1)
    this.used = 0
  }

  protected grow(capacity: number): void {
    const grown = new Int32Array(capacity + 1)
    grown.set(this.offsets)
    this.offsets = grown
  }

  protected take(length: number, nullCount: number, nullBitmap: Uint8Array | undefined): Data {
    const data = trimmed(plain(this.bytes), this.used)
    const valueOffsets = trimmed(this.offsets, length + 1)
    return makeData({ type: this.type, length, nullCount, nullBitmap, valueOffsets, data } as never)
  }
}

/** Memory of its own: a pooled buffer would share it with strangers when the column is transferred to a worker. */
const newBuffer = (bytes: number) => Buffer.from(new ArrayBuffer(bytes))
const plain = (buffer: Buffer) => new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)

function writeUtf8(into: Buffer, text: string, at: number): number {
  const { length } = text
  if (length > 24) return into.write(text, at, 'utf8')
  // A call into the engine costs more than a short ASCII text.
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 127) return into.write(text, at, 'utf8')
    into[at + i] = unit
  }
  return length
}

/** The writer of a field's column by its {@link FieldType}; `capacity` is in rows. */
export function columnWriter(type: FieldType, capacity = INITIAL_ROWS): ColumnWriter {
  if (isDecimal128(type)) return new DecimalColumn(type.precision, type.scale, capacity)
  switch (type.kind) {
    case 'boolean':
      return new BooleanColumn(capacity)
    case 'int16':
      return new Int16Column(capacity)
    case 'int32':
      return new Int32Column(capacity)
    case 'int64':
      return new Int64Column(capacity)
    case 'float32':
      return new Float32Column(capacity)
    case 'float64':
      return new Float64Column(capacity)
    case 'date':
      return new Int32Column(capacity, new DateDay())
    case 'time':
      return type.zone ? new BytesColumn(new Utf8(), capacity) : new Int64Column(capacity, new TimeMicrosecond())
    case 'timestamp':
      return new Int64Column(capacity, arrowType(type) as TimestampMicrosecond)
    case 'binary':
      return new BytesColumn(new Binary(), capacity)
    default:
      return new BytesColumn(new Utf8(), capacity)
  }
}
