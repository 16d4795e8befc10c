import type { FieldType } from './field-type.js'
import { sameFieldType } from './field-type-checks.js'

/**
 * The narrowest type that holds the values of both: associative, commutative, idempotent, so that the order in which types are seen
 * has no effect. From narrow to wide:
 *
 * - `int16` < `int32` < `int64` < decimals without fraction of at least 5, 10, 19 digits; decimals grow in whole and in fraction digits
 * - `float32` < `float64`; `int16` < `float32` and `int32` < `float64`, which hold every one of them exactly
 * - all other mixtures of numbers: unbounded `decimal`, all digits kept (not-a-number and infinities have no place there)
 * - arrays of arrays' items, objects of both's fields; inside them nothing is turned into text: types that JSON itself parts become `json`
 * - anything with `json`, `array` or `object`: `json`
 * - all else (numbers with dates, dates with timestamps, …): `string`
 */
export function widen(a: FieldType, b: FieldType): FieldType {
  return join(a, b, false)
}

function join(a: FieldType, b: FieldType, inside: boolean): FieldType {
  if (sameFieldType(a, b)) return a
  if (a.kind === 'array' && b.kind === 'array') return { kind: 'array', items: join(a.items, b.items, true) }
  if (a.kind === 'object' && b.kind === 'object') return joinObjects(a, b)
  const [first, second] = [family(a), family(b)]
  if (first === 'number' && second === 'number') return joinNumbers(a, b)
  if (first === 'json' || second === 'json') return { kind: 'json' }
  if (inside && first !== second) return { kind: 'json' }
  return { kind: 'string' }
}

function family(type: FieldType): 'number' | 'boolean' | 'text' | 'json' {
  switch (type.kind) {
    case 'int16':
    case 'int32':
    case 'int64':
    case 'float32':
    case 'float64':
    case 'decimal':
      return 'number'
    case 'json':
    case 'array':
    case 'object':
      return 'json'
    case 'boolean':
      return 'boolean'
    default:
      return 'text'
  }
}

type ObjectType = Extract<FieldType, { kind: 'object' }>

function joinObjects(a: ObjectType, b: ObjectType): FieldType {
  const types = new Map(a.fields.map(({ name, type }) => [name, type]))
  for (const { name, type } of b.fields) {
    const other = types.get(name)
    types.set(name, other === undefined ? type : join(other, type, true))
  }
  const sameNames = a.fields.length === b.fields.length && a.fields.every(({ name }, i) => name === b.fields[i]!.name)
  // An order that both do not share cannot be kept without preferring one of them.
  const names = sameNames ? a.fields.map(({ name }) => name) : [...types.keys()].sort()
  return { kind: 'object', fields: names.map((name) => ({ name, type: types.get(name)! })) }
}

const INT_DIGITS: { readonly [kind: string]: number } = { int16: 5, int32: 10, int64: 19 }
const FLOATS: ReadonlySet<string> = new Set(['float32', 'float64'])
const NARROW_TO_WIDE = ['int16', 'int32', 'int64'] as const

function joinNumbers(a: FieldType, b: FieldType): FieldType {
  if (FLOATS.has(a.kind) || FLOATS.has(b.kind)) return joinFloats(a.kind, b.kind)
  if (a.kind !== 'decimal' && b.kind !== 'decimal') {
    const index = (type: FieldType) => (NARROW_TO_WIDE as readonly string[]).indexOf(type.kind)
    return { kind: NARROW_TO_WIDE[Math.max(index(a), index(b))]! }
  }
  const [first, second] = [decimalDigits(a), decimalDigits(b)]
  if (first === undefined || second === undefined) return { kind: 'decimal' }
  const scale = Math.max(first.scale, second.scale)
  return { kind: 'decimal', precision: Math.max(first.whole, second.whole) + scale, scale }
}

function joinFloats(a: string, b: string): FieldType {
  const kinds = new Set([a, b])
  if (kinds.has('int64') || kinds.has('decimal')) return { kind: 'decimal' }
  return { kind: kinds.has('float64') || kinds.has('int32') ? 'float64' : 'float32' }
}

function decimalDigits(type: FieldType): { readonly whole: number; readonly scale: number } | undefined {
  if (type.kind !== 'decimal') return { whole: INT_DIGITS[type.kind]!, scale: 0 }
  if (type.precision === undefined || type.scale === undefined) return undefined
  return { whole: type.precision - type.scale, scale: type.scale }
}
