import type { RecordBatch, Vector } from 'apache-arrow'
import { isDecimal128 } from './arrow-type.js'
import { dateText, timestampText, timeText } from './calendar.js'
import { decimalText } from './decimal.js'
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
