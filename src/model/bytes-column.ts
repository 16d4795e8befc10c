import { type Binary, type Data, makeData, Utf8 } from 'apache-arrow'
import { ColumnWriter, INITIAL_ROWS, trimmed } from './column-writer.js'

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
