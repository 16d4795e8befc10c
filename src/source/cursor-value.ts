import { parseDate, parseTimestamp } from '../model/calendar.js'
import type { FieldType } from '../model/field-type.js'
import type { Json } from '../model/json.js'

/** A value that a stream can be ordered by. */
export type CursorValue = string | number | bigint | Date

/** Kinds of fields that have an order. */
const COMPARABLE = new Set<FieldType['kind']>([
  'int16',
  'int32',
  'int64',
  'float32',
  'float64',
  'string',
  'date',
  'time',
  'timestamp',
  'uuid',
])

export const isComparable = (type: FieldType) => COMPARABLE.has(type.kind)

/** What cursor values are compared by with `<`: instants, days, numbers, and texts by their UTF-16 units. */
export type CursorRank = string | number | bigint

/** `undefined` where a value is not of the field's type. */
export function cursorRank(value: unknown, type: FieldType): CursorRank | undefined {
  if (value instanceof Date) {
    const millis = value.getTime()
    return Number.isNaN(millis) ? undefined : BigInt(millis) * 1000n
  }
  switch (type.kind) {
    case 'timestamp':
      return typeof value === 'string' ? parseTimestamp(value, type.zone)?.micros : undefined
    case 'date':
      return typeof value === 'string' ? parseDate(value) : undefined
    case 'uuid':
      return typeof value === 'string' ? value.toLowerCase() : undefined
    case 'string':
    case 'time':
      return typeof value === 'string' ? value : undefined
    default:
      return (typeof value === 'number' && !Number.isNaN(value)) || typeof value === 'bigint' ? value : undefined
  }
}

/** A cursor value as a state keeps it. */
export function cursorToJson(value: CursorValue): Json {
  if (typeof value === 'bigint') return { bigint: value.toString() }
  return value instanceof Date ? { date: value.toISOString() } : value
}

export function cursorFromJson(value: Json): CursorValue | undefined {
  if (typeof value === 'string' || typeof value === 'number') return value
  if (typeof value !== 'object' || value === null) return undefined
  const { bigint, date } = value as { readonly [key: string]: Json }
  if (typeof bigint === 'string' && /^-?\d+$/.test(bigint)) return BigInt(bigint)
  return typeof date === 'string' && !Number.isNaN(Date.parse(date)) ? new Date(date) : undefined
}
