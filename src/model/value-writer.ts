import { isDecimal128 } from './arrow-type.js'
import type { BytesColumn } from './bytes-column.js'
import { parseDate, parseTime, parseTimestamp } from './calendar.js'
import type { ColumnWriter } from './column-writer.js'
import { columnWriter } from './column-writers.js'
import { plainDecimal, smallUnscaled, unscaled } from './decimal.js'
import type { FieldType } from './field-type.js'
import type {
  BooleanColumn,
  DecimalColumn,
  Float32Column,
  Float64Column,
  Int16Column,
  Int32Column,
  Int64Column,
} from './fixed-columns.js'
import { jsonText } from './json-text.js'

/** What became of a value: taken, not taken (the column has to get a null), or taken without its last digits. */
export const FIT = { taken: 0, unfit: 1, cut: 2 } as const
export type Fit = (typeof FIT)[keyof typeof FIT]

/** Appends one value that is neither null nor undefined, unless it does not fit: then nothing was appended. */
export type ValueWriter = (value: unknown) => Fit

const { taken, unfit, cut } = FIT

/**
 * Appends values in the form of records (the table at {@link FieldType}) to a column. Beyond that form it takes: a whole `number` for `int64` and
 * `bigint` for the smaller ones; `number` and `bigint` for decimals; `Date` for dates and timestamps; base64 text for `binary`; any value for
 * `json`, arrays for `array` and plain objects for `object`.
 */
export function valueWriter(type: FieldType, column: ColumnWriter): ValueWriter {
  switch (type.kind) {
    case 'boolean':
      return boolean(column as BooleanColumn)
    case 'int16':
      return int(column as Int16Column, -32_768, 32_767)
    case 'int32':
      return int(column as Int32Column, -2_147_483_648, 2_147_483_647)
    case 'int64':
      return int64(column as Int64Column)
    case 'float32':
      return float32(column as Float32Column)
    case 'float64':
      return float64(column as Float64Column)
    case 'decimal':
      return isDecimal128(type)
        ? decimal(column as DecimalColumn, type.precision, type.scale)
        : decimalAsText(column as BytesColumn, type.precision, type.scale)
    case 'binary':
      return binary(column as BytesColumn)
    case 'date':
      return date(column as Int32Column)
    case 'time':
      return type.zone ? zonedTime(column as BytesColumn) : time(column as Int64Column)
    case 'timestamp':
      return timestamp(column as Int64Column, type.zone)
    case 'string':
    case 'interval':
      return text(column as BytesColumn)
    case 'uuid':
      return uuid(column as BytesColumn)
    case 'json':
    case 'array':
    case 'object':
      return json(column as BytesColumn, type.kind)
  }
}

/** A column and what appends values to it. */
export function valueColumn(type: FieldType): { readonly column: ColumnWriter; readonly write: ValueWriter } {
  const column = columnWriter(type)
  return { column, write: valueWriter(type, column) }
}

const boolean =
  (column: BooleanColumn): ValueWriter =>
  (value) => {
    if (typeof value !== 'boolean') return unfit
    column.push(value)
    return taken
  }

const int =
  (column: Int16Column | Int32Column, min: number, max: number): ValueWriter =>
  (value) => {
    const number = typeof value === 'bigint' && value >= min && value <= max ? Number(value) : value
    if (typeof number !== 'number' || !Number.isInteger(number) || number < min || number > max) return unfit
    column.push(number)
    return taken
  }

const int64 =
  (column: Int64Column): ValueWriter =>
  (value) => {
    if (typeof value === 'number') {
      if (!Number.isSafeInteger(value)) return unfit
      column.pushWords(value, Math.floor(value / 4_294_967_296))
      return taken
    }
    if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) return unfit
    column.push(value)
    return taken
  }

const float32 =
  (column: Float32Column): ValueWriter =>
  (value) => {
    // A float32 is rounded by nature, but a finite number must not become infinite.
    if (typeof value !== 'number' || (Number.isFinite(value) && !Number.isFinite(Math.fround(value)))) return unfit
    column.push(value)
    return taken
  }

const float64 =
  (column: Float64Column): ValueWriter =>
  (value) => {
    if (typeof value !== 'number') return unfit
    column.push(value)
    return taken
  }

function plainNumber(value: unknown): string | undefined {
  if (typeof value === 'string') return plainDecimal(value)
  if (typeof value === 'number' || typeof value === 'bigint') return plainDecimal(String(value))
  return undefined
}

const decimal =
  (column: DecimalColumn, precision: number, scale: number): ValueWriter =>
  (value) => {
    let exact: number | bigint | undefined =
      typeof value === 'string' ? smallUnscaled(value, precision, scale) : undefined
    if (exact === undefined) {
      const plain = plainNumber(value)
      exact = plain === undefined ? undefined : unscaled(plain, precision, scale)
    }
    if (exact === undefined) return unfit
    column.push(exact)
    return taken
  }

const decimalAsText =
  (column: BytesColumn, precision?: number, scale?: number): ValueWriter =>
  (value) => {
    const plain = plainNumber(value)
    if (plain === undefined) return unfit
    if (precision !== undefined && scale !== undefined && !hasDigits(plain, precision, scale)) return unfit
    column.pushText(plain)
    return taken
  }

function hasDigits(plain: string, precision: number, scale: number): boolean {
  const [whole = '', fraction = ''] = plain.replace(/^-/, '').split('.')
  return fraction.replace(/0+$/, '').length <= scale && whole.replace(/^0+/, '').length <= precision - scale
}

const BASE64 = /^(?:[\w+/-]{4})*(?:[\w+/-]{2}(?:==)?|[\w+/-]{3}=?)?$/

const binary =
  (column: BytesColumn): ValueWriter =>
  (value) => {
    const base64 = typeof value === 'string' && BASE64.test(value)
    const bytes = base64 ? Buffer.from(value, 'base64') : value
    if (!(bytes instanceof Uint8Array)) return unfit
    column.pushBytes(bytes)
    return taken
  }

const MILLIS_PER_DAY = 86_400_000
const INT32 = 2 ** 31

const date =
  (column: Int32Column): ValueWriter =>
  (value) => {
    if (value instanceof Date) {
      const millis = value.getTime()
      if (Number.isNaN(millis)) return unfit
      column.push(Math.floor(millis / MILLIS_PER_DAY))
      return millis % MILLIS_PER_DAY === 0 ? taken : cut
    }
    const days = typeof value === 'string' ? parseDate(value) : undefined
    if (days === undefined || days >= INT32 || days < -INT32) return unfit
    column.push(days)
    return taken
  }

const time =
  (column: Int64Column): ValueWriter =>
  (value) => {
    if (typeof value !== 'string' || !/[\d]$/.test(value) || /[+-]/.test(value)) return unfit
    const parsed = parseTime(value)
    if (parsed === undefined) return unfit
    column.pushWords(parsed.micros, Math.floor(parsed.micros / 4_294_967_296))
    return parsed.cut ? cut : taken
  }

const zonedTime =
  (column: BytesColumn): ValueWriter =>
  (value) => {
    if (typeof value !== 'string' || !/(?:z|[+-][\d:]+)$/i.test(value) || parseTime(value) === undefined) return unfit
    column.pushText(value)
    return taken
  }

const timestamp =
  (column: Int64Column, zone: boolean): ValueWriter =>
  (value) => {
    if (value instanceof Date) {
      const millis = value.getTime()
      if (Number.isNaN(millis)) return unfit
      column.push(BigInt(millis) * 1000n)
      return taken
    }
    const parsed = typeof value === 'string' ? parseTimestamp(value, zone) : undefined
    if (parsed === undefined) return unfit
    column.push(parsed.micros)
    return parsed.cut ? cut : taken
  }

const text =
  (column: BytesColumn): ValueWriter =>
  (value) =>
    typeof value === 'string' && column.pushText(value) ? taken : unfit

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i

const uuid =
  (column: BytesColumn): ValueWriter =>
  (value) => {
    if (typeof value !== 'string' || !UUID.test(value)) return unfit
    column.pushText(value.toLowerCase())
    return taken
  }

const json =
  (column: BytesColumn, kind: 'json' | 'array' | 'object'): ValueWriter =>
  (value) => {
    if (typeof value === 'string') return isJsonOf(kind, value) && column.pushText(value) ? taken : unfit
    if (!isOf(kind, value)) return unfit
    const written = jsonText(value)
    return written !== undefined && column.pushText(written) ? taken : unfit
  }

function isOf(kind: 'json' | 'array' | 'object', value: unknown): boolean {
  if (kind === 'json') return true
  return Array.isArray(value) ? kind === 'array' : kind === 'object' && typeof value === 'object' && value !== null
}

function isJsonOf(kind: 'json' | 'array' | 'object', text: string): boolean {
  try {
    return isOf(kind, JSON.parse(text))
  } catch {
    return false
  }
}
