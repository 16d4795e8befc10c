import { type Data, makeData } from 'apache-arrow'
import { arrowType, isDecimal128 } from './arrow-type.js'
import type { BytesColumn } from './bytes-column.js'
import { alignedNulls } from './column-data.js'
import type { FieldType } from './field-type.js'
import { valueReader } from './record-values.js'
import { FIT, valueColumn } from './value-writer.js'

export interface CastColumn {
  readonly column: Data
  /** Rows whose value has no place in the new type (a float that is not a number, as JSON): null in the column. Ascending. */
  readonly unfit: readonly number[]
}

/**
 * A column in a wider type, as `widen` gives it, or as text. Without copying where the values travel in the same form. Numbers as text are their
 * shortest exact digits, bytes are base64, `json` gets JSON literals.
 */
export function castColumn(column: Data, from: FieldType, to: FieldType): CastColumn {
  const type = arrowType(to)
  if (sameForm(from, to)) return { column, unfit: [] }
  const numbers = widerNumbers(column, from.kind, to.kind)
  if (numbers !== undefined) {
    return {
      column: makeData({ type, length: column.length, ...alignedNulls(column), data: numbers } as never),
      unfit: [],
    }
  }
  return castValues(column, from, to)
}

const TEXT_FORMS: ReadonlySet<string> = new Set(['string', 'interval', 'uuid'])
const JSON_FORMS: ReadonlySet<string> = new Set(['json', 'array', 'object'])

/** Whether values of `from` are values of `to` just as they travel. */
function sameForm(from: FieldType, to: FieldType): boolean {
  if (from.kind === to.kind && String(arrowType(from)) === String(arrowType(to))) return true
  if (JSON_FORMS.has(from.kind)) return JSON_FORMS.has(to.kind) || to.kind === 'string'
  if (to.kind !== 'string') return false
  return (
    TEXT_FORMS.has(from.kind) || (from.kind === 'decimal' && !isDecimal128(from)) || (from.kind === 'time' && from.zone)
  )
}

function widerNumbers(column: Data, from: string, to: string): ArrayLike<number | bigint> | undefined {
  if (from === 'float32' && to === 'float64') return Float64Array.from(column.values as Float32Array)
  if (from !== 'int16' && from !== 'int32') return undefined
  const values = column.values as Int16Array | Int32Array
  switch (to) {
    case 'int32':
      return Int32Array.from(values)
    case 'int64': {
      const words = new Int32Array(values.length * 2)
      for (let i = 0; i < values.length; i++) {
        words[i * 2] = values[i]!
        words[i * 2 + 1] = values[i]! >> 31
      }
      return new BigInt64Array(words.buffer)
    }
    case 'float32':
      return Float32Array.from(values)
    case 'float64':
      return Float64Array.from(values)
    default:
      return undefined
  }
}

function castValues(column: Data, from: FieldType, to: FieldType): CastColumn {
  const read = valueReader(from, column)
  const target = valueColumn(to)
  const text = to.kind === 'string' ? asText(from) : to.kind === 'json' ? asJson(from) : undefined
  const unfit: number[] = []
  for (let row = 0; row < column.length; row++) {
    const value = read(row)
    if (value === null) {
      target.column.pushNull()
      continue
    }
    const written = text?.(value)
    const taken =
      text === undefined
        ? target.write(value) !== FIT.unfit
        : written !== undefined && (target.column as BytesColumn).pushText(written)
    if (taken) continue
    target.column.pushNull()
    unfit.push(row)
  }
  return { column: target.column.finish(), unfit }
}

type ToText = (value: unknown) => string | undefined

function asText(from: FieldType): ToText {
  if (from.kind === 'binary') return (value) => Buffer.from(value as Uint8Array).toString('base64')
  if (from.kind === 'float32') return (value) => float32Text(value as number)
  return String
}

function asJson(from: FieldType): ToText {
  switch (from.kind) {
    case 'float32':
    case 'float64':
      return (value) => (Number.isFinite(value) ? asText(from)(value) : undefined)
    case 'boolean':
    case 'int16':
    case 'int32':
    case 'int64':
    case 'decimal':
      return String
    default: {
      const text = asText(from)
      return (value) => JSON.stringify(text(value))
    }
  }
}

/** The shortest digits that give back the same float32, which as a float64 would show the digits of its rounding. */
function float32Text(value: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === value) return String(short)
  }
  return String(Number.isFinite(value) ? Number(value.toPrecision(9)) : value)
}
