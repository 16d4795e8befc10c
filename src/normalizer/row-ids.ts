import { createHash } from 'node:crypto'
import { type Data, makeData, Utf8 } from 'apache-arrow'
import type { NormalizeContext } from './normalizer.js'

type RowOrigin = Pick<NormalizeContext, 'pipeline' | 'generationId' | 'slice'>

const ID_LENGTH = 36

/**
 * What all row ids of a slice begin with: the text of a UUID (version 8) up to its last 12 digits, 74 bits of hash over pipeline,
 * generation and slice. The last 12 digits are the row's position in the slice, so that a slice that is read again gives the same ids.
 */
export function rowIdPrefix({ pipeline, generationId, slice }: RowOrigin): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([pipeline, generationId, slice]))
    .digest()
  hash[6] = (hash[6]! & 0x0f) | 0x80
  hash[8] = (hash[8]! & 0x3f) | 0x80
  const hex = hash.toString('hex', 0, 10)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-`
}

/** The id of one row. */
export function rowId(origin: RowOrigin, position: number): string {
  return rowIdPrefix(origin) + position.toString(16).padStart(12, '0')
}

/** The ids of a batch's rows, as text. */
export function rowIdColumn(context: RowOrigin & Pick<NormalizeContext, 'position' | 'rows'>, length: number): Data {
  const bytes = new Uint8Array(length * ID_LENGTH)
  if (length > 0) fillPrefix(bytes, rowIdPrefix(context))
  const { position, rows } = context
  for (let row = 0, end = ID_LENGTH; row < length; row++, end += ID_LENGTH) {
    const at = position + (rows === undefined ? row : rows[row]!)
    writeHex(bytes, end, at % 0x1000000)
    writeHex(bytes, end - 6, Math.floor(at / 0x1000000))
  }
  return makeData({ type: new Utf8(), length, nullCount: 0, valueOffsets: idOffsets(length), data: bytes })
}

function fillPrefix(bytes: Uint8Array, prefix: string): void {
  Buffer.from(bytes.buffer).write(prefix, 0, 'latin1')
  // Copies what is there onto the rest, twice as much each time.
  for (let filled = ID_LENGTH; filled < bytes.length; filled *= 2) bytes.copyWithin(filled, 0, filled)
}

const HEX = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))

/** Six digits that end before `end`. */
function writeHex(bytes: Uint8Array, end: number, value: number): void {
  bytes[end - 1] = HEX[value & 15]!
  bytes[end - 2] = HEX[(value >> 4) & 15]!
  bytes[end - 3] = HEX[(value >> 8) & 15]!
  bytes[end - 4] = HEX[(value >> 12) & 15]!
  bytes[end - 5] = HEX[(value >> 16) & 15]!
  bytes[end - 6] = HEX[(value >> 20) & 15]!
}

function idOffsets(length: number): Int32Array {
  const offsets = new Int32Array(length + 1)
  for (let i = 1; i <= length; i++) offsets[i] = i * ID_LENGTH
  return offsets
}
