/**
 * Thrift's compact protocol, as far as a Parquet footer needs it: structs are read into a tree, changed and written again, without knowing
 * fields that nobody here looks at.
 */
export type ThriftValue = boolean | bigint | Uint8Array | ThriftList | ThriftStruct
/** By field id, in ascending order. */
export type ThriftStruct = Map<number, ThriftField>
export interface ThriftField {
  readonly type: number
  readonly value: ThriftValue
}
export interface ThriftList {
  readonly type: number
  readonly items: readonly ThriftValue[]
}

export const THRIFT = {
  true: 1,
  false: 2,
  i8: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  struct: 12,
} as const

export function readThrift(bytes: Uint8Array): ThriftStruct {
  return new Reader(bytes).struct()
}

export function writeThrift(struct: ThriftStruct): Uint8Array<ArrayBuffer> {
  const writer = new Writer()
  writer.struct(struct)
  return writer.bytes()
}

/** A struct that was written before, to be put into a list as it is. */
export class WrittenStruct extends Map<number, ThriftField> {
  constructor(readonly bytes: Uint8Array) {
    super()
  }
}

class Reader {
  readonly #view: DataView
  #at = 0

  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  struct(): ThriftStruct {
    const fields: ThriftStruct = new Map()
    let id = 0
    for (;;) {
      const header = this.#byte()
      if (header === 0) return fields
      const type = header & 15
      id = header >> 4 === 0 ? Number(this.#zigzag()) : id + (header >> 4)
      const value = type === THRIFT.true || type === THRIFT.false ? type === THRIFT.true : this.#value(type)
      fields.set(id, { type, value })
    }
  }

  #value(type: number): ThriftValue {
    switch (type) {
      case THRIFT.true:
      case THRIFT.false:
        return this.#byte() === THRIFT.true
      case THRIFT.i8:
        return BigInt(this.#byte())
      case THRIFT.i16:
      case THRIFT.i32:
      case THRIFT.i64:
        return this.#zigzag()
      case THRIFT.double:
        return this.#take(8)
      case THRIFT.binary:
        return this.#take(Number(this.#varint()))
      case THRIFT.list:
      case THRIFT.set:
        return this.#list()
      case THRIFT.struct:
        return this.struct()
      default:
        throw new RangeError(`Type ${type} of the compact protocol is not known here.`)
    }
  }

  #list(): ThriftList {
    const header = this.#byte()
    const type = header & 15
    const length = header >> 4 === 15 ? Number(this.#varint()) : header >> 4
    return { type, items: Array.from({ length }, () => this.#value(type)) }
  }

  #byte(): number {
    return this.#view.getUint8(this.#at++)
  }

  #take(length: number): Uint8Array {
    if (this.#at + length > this.bytes.length) throw new RangeError('The footer ends too early.')
    this.#at += length
    return this.bytes.slice(this.#at - length, this.#at)
  }

  #varint(): bigint {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#byte()
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return value
    }
  }

  #zigzag(): bigint {
    const value = this.#varint()
    return value & 1n ? -((value + 1n) >> 1n) : value >> 1n
  }
}

class Writer {
  #buffer = new Uint8Array(4096)
  #length = 0

  bytes(): Uint8Array<ArrayBuffer> {
    return this.#buffer.slice(0, this.#length)
  }

  struct(struct: ThriftStruct): void {
    if (struct instanceof WrittenStruct) this.#put(struct.bytes)
    else this.#fields(struct)
  }

  #fields(struct: ThriftStruct): void {
    let last = 0
    for (const [id, { type, value }] of struct) {
      const written = typeof value === 'boolean' ? (value ? THRIFT.true : THRIFT.false) : type
      if (id > last && id - last < 16) this.#byte(((id - last) << 4) | written)
      else {
        this.#byte(written)
        this.#zigzag(BigInt(id))
      }
      last = id
      if (typeof value !== 'boolean') this.#value(type, value)
    }
    this.#byte(0)
  }

  #value(type: number, value: ThriftValue): void {
    if (typeof value === 'boolean') this.#byte(value ? THRIFT.true : THRIFT.false)
    else if (typeof value === 'bigint') type === THRIFT.i8 ? this.#byte(Number(value)) : this.#zigzag(value)
    else if (value instanceof Uint8Array) {
      if (type === THRIFT.binary) this.#varint(BigInt(value.length))
      this.#put(value)
    } else if (value instanceof Map) this.struct(value)
    else this.#list(value)
  }

  #list({ type, items }: ThriftList): void {
    if (items.length < 15) this.#byte((items.length << 4) | type)
    else {
      this.#byte(0xf0 | type)
      this.#varint(BigInt(items.length))
    }
    for (const item of items) this.#value(type, item)
  }

  #byte(byte: number): void {
    this.#reserve(1)
    this.#buffer[this.#length++] = byte
  }

  #put(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#buffer.set(bytes, this.#length)
    this.#length += bytes.length
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#buffer.length) return
    const larger = new Uint8Array(Math.max(this.#buffer.length * 2, this.#length + more))
    larger.set(this.#buffer)
    this.#buffer = larger
  }

  #varint(value: bigint): void {
    let rest = value
    while (rest > 127n) {
      this.#byte(Number(rest & 127n) | 128)
      rest >>= 7n
    }
    this.#byte(Number(rest))
  }

  #zigzag(value: bigint): void {
    this.#varint(value < 0n ? -value * 2n - 1n : value * 2n)
  }
}
