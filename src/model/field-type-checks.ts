import type { FieldType } from './field-type.js'

const PLAIN_KINDS: ReadonlySet<unknown> = new Set([
  'boolean',
  'int16',
  'int32',
  'int64',
  'float32',
  'float64',
  'string',
  'binary',
  'date',
  'interval',
  'uuid',
  'json',
])

/** Whether a value from outside (metadata, a saved schema) is a field type. */
export function isFieldType(value: unknown): value is FieldType {
  if (typeof value !== 'object' || value === null) return false
  const { kind, precision, scale, zone, items, fields } = value as { readonly [key: string]: unknown }
  if (kind === 'decimal') {
    if (precision === undefined && scale === undefined) return true
    return Number.isSafeInteger(precision) && Number.isSafeInteger(scale) && (precision as number) > 0
  }
  if (kind === 'time' || kind === 'timestamp') return typeof zone === 'boolean'
  if (kind === 'array') return isFieldType(items)
  if (kind === 'object') {
    return Array.isArray(fields) && fields.every((field) => typeof field?.name === 'string' && isFieldType(field.type))
  }
  return PLAIN_KINDS.has(kind)
}

/** Whether two types are the same, inner types and their order included. */
export function sameFieldType(a: FieldType, b: FieldType): boolean {
  if (a === b) return true
  if (a.kind === 'decimal' && b.kind === 'decimal') return a.precision === b.precision && a.scale === b.scale
  if ((a.kind === 'time' || a.kind === 'timestamp') && a.kind === b.kind)
    return a.zone === (b as { zone: boolean }).zone
  if (a.kind === 'array' && b.kind === 'array') return sameFieldType(a.items, b.items)
  if (a.kind === 'object' && b.kind === 'object') {
    return (
      a.fields.length === b.fields.length &&
      a.fields.every((field, i) => field.name === b.fields[i]!.name && sameFieldType(field.type, b.fields[i]!.type))
    )
  }
  return a.kind === b.kind
}
