import { type Data, DataType, makeData } from 'apache-arrow'
import { bitAt, copyBits, newBitmap, setBit, setBits } from './bits.js'

// The columns of a batch are of the types that `arrowType` gives: bits, fixed widths, or bytes with 32-bit offsets.

type FixedValues = Int32Array
const isBits = (data: Data) => DataType.isBool(data.type)
const isBytes = (data: Data) => DataType.isUtf8(data.type) || DataType.isBinary(data.type)

/** A column with only these rows, in this order. */
export function takeColumnRows(data: Data, rows: Uint32Array): Data {
  const { type } = data
  const length = rows.length
  const nulls = takeNulls(data, rows)
  if (isBytes(data)) {
    const { valueOffsets, values } = data
    const offsets = new Int32Array(length + 1)
    for (let i = 0; i < length; i++)
      offsets[i + 1] = offsets[i]! + valueOffsets[rows[i]! + 1]! - valueOffsets[rows[i]!]!
    const bytes = new Uint8Array(offsets[length]!)
    for (let i = 0; i < length; i++) {
      bytes.set(values.subarray(valueOffsets[rows[i]!], valueOffsets[rows[i]! + 1]), offsets[i])
    }
    return makeData({ type, length, ...nulls, valueOffsets: offsets, data: bytes } as never)
  }
  if (isBits(data)) {
    const bits = newBitmap(length)
    for (let i = 0; i < length; i++) if (bitAt(data.values, data.offset + rows[i]!)) setBit(bits, i)
    return makeData({ type, length, ...nulls, data: bits } as never)
  }
  const values = data.values as FixedValues
  const { stride } = data
  const taken = new (values.constructor as new (length: number) => FixedValues)(length * stride)
  for (let i = 0; i < length; i++)
    for (let j = 0; j < stride; j++) taken[i * stride + j] = values[rows[i]! * stride + j]!
  return makeData({ type, length, ...nulls, data: taken } as never)
}

function takeNulls(data: Data, rows: Uint32Array): { nullCount: number; nullBitmap?: Uint8Array } {
  if (data.nullCount === 0) return { nullCount: 0 }
  const nullBitmap = newBitmap(rows.length)
  let nullCount = 0
  for (let i = 0; i < rows.length; i++) {
    if (bitAt(data.nullBitmap, data.offset + rows[i]!)) setBit(nullBitmap, i)
    else nullCount++
  }
  return { nullCount, nullBitmap }
}

/** The nulls of a column as a bitmap that begins with its first row. */
export function alignedNulls(data: Data): { nullCount: number; nullBitmap?: Uint8Array } {
  if (data.nullCount === 0) return { nullCount: 0 }
  if (data.offset === 0) return { nullCount: data.nullCount, nullBitmap: data.nullBitmap }
  const nullBitmap = newBitmap(data.length)
  copyBits(nullBitmap, 0, data.nullBitmap, data.offset, data.length)
  return { nullCount: data.nullCount, nullBitmap }
}

/** Columns of one type, one after the other. There is at least one. */
export function concatColumns(parts: readonly Data[]): Data {
  const { type } = parts[0]!
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const nulls = concatNulls(parts, length)
  if (isBytes(parts[0]!)) {
    const size = (part: Data) => part.valueOffsets[part.length]! - part.valueOffsets[0]!
    const bytes = new Uint8Array(parts.reduce((sum, part) => sum + (part.length === 0 ? 0 : size(part)), 0))
    const offsets = new Int32Array(length + 1)
    let row = 0
    let used = 0
    for (const part of parts) {
      if (part.length === 0) continue
      const first = part.valueOffsets[0]!
      bytes.set(part.values.subarray(first, first + size(part)), used)
      for (let i = 1; i <= part.length; i++) offsets[row + i] = part.valueOffsets[i]! - first + used
      row += part.length
      used += size(part)
    }
    return makeData({ type, length, ...nulls, valueOffsets: offsets, data: bytes } as never)
  }
  if (isBits(parts[0]!)) {
    const bits = newBitmap(length)
    let row = 0
    for (const part of parts) {
      copyBits(bits, row, part.values, part.offset, part.length)
      row += part.length
    }
    return makeData({ type, length, ...nulls, data: bits } as never)
  }
  const { stride } = parts[0]!
  const values = new (parts[0]!.values.constructor as new (length: number) => FixedValues)(length * stride)
  let row = 0
  for (const part of parts) {
    values.set((part.values as FixedValues).subarray(0, part.length * stride), row * stride)
    row += part.length
  }
  return makeData({ type, length, ...nulls, data: values } as never)
}

function concatNulls(parts: readonly Data[], length: number): { nullCount: number; nullBitmap?: Uint8Array } {
  const nullCount = parts.reduce((sum, part) => sum + part.nullCount, 0)
  if (nullCount === 0) return { nullCount }
  const nullBitmap = newBitmap(length)
  let row = 0
  for (const part of parts) {
    if (part.nullCount === 0) setBits(nullBitmap, row, part.length)
    else copyBits(nullBitmap, row, part.nullBitmap, part.offset, part.length)
    row += part.length
  }
  return { nullCount, nullBitmap }
}
