import type { FieldType } from '../../model/field-type.js'
import type { TableField } from '../../model/table.js'

/**
 * A value as text, the same for every form in which a reader may give it: numbers and bigints, `Date` and ISO text, parsed and unparsed JSON, decimals
 * with and without trailing zeros.
 */
export function comparable(type: FieldType, value: unknown): string | null {
  if (value === null || value === undefined) return null
  switch (type.kind) {
    case 'int16':
    case 'int32':
    case 'int64':
      return BigInt(value as bigint).toString()
    case 'float32':
    case 'float64':
      return String(Number(value))
    case 'decimal':
      return trimZeros(String(value))
    case 'binary':
      return Buffer.from(value as Uint8Array).toString('base64')
    case 'date':
      return value instanceof Date ? value.toISOString().slice(0, 10) : String(value)
    case 'time':
      return trimZeros(String(value))
    case 'timestamp': {
      const text = value instanceof Date ? value.toISOString() : String(value)
      return trimZeros(text.replace(' ', 'T').replace(/(Z|[+-]00(:?00)?)$/, ''))
    }
    case 'json':
    case 'array':
    case 'object':
      return JSON.stringify(typeof value === 'string' ? sortedKeys(JSON.parse(value)) : sortedKeys(value))
    default:
      return String(value)
  }
}

/** Rows as texts in a fixed order. */
export function comparableRows(fields: readonly TableField[], rows: readonly object[]): string[] {
  return rows
    .map((row) => {
      const values = row as Readonly<Record<string, unknown>>
      return JSON.stringify(fields.map(({ name, type }) => [name, comparable(type, values[name])]))
    })
    .sort()
}

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedKeys)
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? Number(value) : value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sortedKeys(inner)]),
  )
}
