import type { RecordBatch } from 'apache-arrow'
import type { FieldType } from '../model/field-type.js'
import { valueReader } from '../model/record-values.js'
import type { TableShape } from '../model/table.js'

/** A row as a host's `deliver` gets it. */
export type DeliveredRecord = { readonly [column: string]: unknown }

/**
 * Rows as plain records that `JSON.stringify` loses nothing of: JSON columns are parsed (unless left as text), bytes are base64, and numbers that a double cannot
 * hold exactly (long integers, decimals, not-a-number) are texts with all their digits.
 */
export function deliveredRecords(
  table: TableShape,
  columns: RecordBatch,
  json: 'values' | 'text',
): (row: number) => DeliveredRecord {
  const readers = table.fields.map(({ name, type }, index) => {
    const column = columns.data.children[index]
    if (column === undefined) return [name, () => null] as const
    const read = valueReader(type, column)
    const convert = converter(type, json)
    return [
      name,
      (row: number) => {
        const value = read(row)
        return value === null ? null : convert(value)
      },
    ] as const
  })
  return (row) => Object.fromEntries(readers.map(([name, read]) => [name, read(row)]))
}

function converter(type: FieldType, json: 'values' | 'text'): (value: unknown) => unknown {
  switch (type.kind) {
    case 'int64':
      return (value) => (Number.isSafeInteger(Number(value)) ? Number(value) : String(value))
    case 'float32':
    case 'float64':
      return (value) => (Number.isFinite(value) ? value : String(value))
    case 'binary':
      return (value) => Buffer.from(value as Uint8Array).toString('base64')
    case 'json':
    case 'array':
    case 'object':
      return json === 'values' ? (value) => parseExactly(String(value)) : (value) => value
    default:
      return (value) => value
  }
}

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

/** JSON as a value; numbers with more digits than a double keeps become texts. */
function parseExactly(text: string): unknown {
  const exact = /\d[\d.]{15}|\d[eE]/.test(text)
    ? text.replace(TOKEN, (token) => (token.startsWith('"') || isExact(token) ? token : `"${token}"`))
    : text
  return JSON.parse(exact)
}

/** A double keeps 15 significant digits of any number within its range. */
function isExact(digits: string): boolean {
  const number = Number(digits)
  if (Number.isSafeInteger(number) && /^-?\d+$/.test(digits)) return true
  const significant = digits
    .replace(/[eE].*$/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+/, '')
  return significant.length <= 15 && Number.isFinite(number) && (number !== 0 || significant === '')
}
