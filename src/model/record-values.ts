import type { RecordBatch, Vector } from 'apache-arrow'
import { isDecimal128 } from './arrow-type.js'
import type { FieldType } from './field-type.js'
import type { RecordSchema } from './schema.js'

/** Reads one row of a batch as a record; the table at {@link FieldType} says how values look. */
export function recordReader(schema: RecordSchema, columns: RecordBatch): (row: number) => Record<string, unknown> {
  const readers = schema.fields.map((field, index) => {
    const column = columns.getChildAt(index)
    return [field.name, column === null ? () => null : valueReader(field.type, column)] as const
  })
  return (row) => {
    const record: Record<string, unknown> = Object.create(null)
    for (const [name, read] of readers) record[name] = read(row)
    return record
  }
}

/** Reads single values of a column in the form that records have. */
export function valueReader(type: FieldType, column: Vector): (row: number) => unknown {
  const orNull = (read: (row: number) => unknown) => (row: number) => (column.isValid(row) ? read(row) : null)
  if (isDecimal128(type)) return orNull((row) => decimalText(column.get(row) as Uint32Array, type.scale))
  switch (type.kind) {
    case 'date':
      return orNull((row) => dateText(rawInt32(column, row)))
    case 'time':
      return type.zone ? (row) => column.get(row) : orNull((row) => timeText(rawInt64(column, row)))
    case 'timestamp':
      return orNull((row) => timestampText(rawInt64(column, row), type.zone))
    default:
      return (row) => column.get(row)
  }
}

const rawInt32 = (column: Vector, row: number) => (column.data[0]!.values as Int32Array)[row]!
const rawInt64 = (column: Vector, row: number) => (column.data[0]!.values as BigInt64Array)[row]!

/** A Decimal128 of four little-endian words, as digits. */
export function decimalText(words: Uint32Array, scale: number): string {
  let value = 0n
  for (let i = 3; i >= 0; i--) value = (value << 32n) | BigInt(words[i]!)
  value = BigInt.asIntN(128, value)
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0')
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
  return value < 0n ? `-${text}` : text
}

const MICROS_PER_DAY = 86_400_000_000n

/** Days since 1970-01-01 as `YYYY-MM-DD`; years beyond 9999 and before 1 in ISO 8601's expanded form (`+012345-…`, `-000043-…`). */
export function dateText(days: number): string {
  return new Date(days * 86_400_000).toISOString().replace(/T.*$/, '')
}

/** Microseconds since midnight as `HH:MM:SS[.ffffff]`. */
export function timeText(micros: bigint): string {
  const seconds = micros / 1_000_000n
  const part = (value: bigint) => value.toString().padStart(2, '0')
  return `${part(seconds / 3600n)}:${part((seconds / 60n) % 60n)}:${part(seconds % 60n)}${fraction(micros % 1_000_000n)}`
}

/** Microseconds since 1970-01-01 as ISO 8601, with a `Z` where the type has a zone. */
export function timestampText(micros: bigint, zone: boolean): string {
  const inDay = ((micros % MICROS_PER_DAY) + MICROS_PER_DAY) % MICROS_PER_DAY
  const days = Number((micros - inDay) / MICROS_PER_DAY)
  return `${dateText(days)}T${timeText(inDay)}${zone ? 'Z' : ''}`
}

function fraction(micros: bigint): string {
  return micros === 0n ? '' : `.${micros.toString().padStart(6, '0').replace(/0+$/, '')}`
}
