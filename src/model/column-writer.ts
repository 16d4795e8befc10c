import type { Data } from 'apache-arrow'

export const INITIAL_ROWS = 1024
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

export type Values = Uint8Array | Int16Array | Int32Array | Uint32Array | BigInt64Array | Float32Array | Float64Array

/** The used part; copied where it would keep much more alive. */
export function trimmed<V extends Values>(values: V, used: number): V {
  return (used * 2 < values.length ? values.slice(0, used) : values.subarray(0, used)) as V
}
