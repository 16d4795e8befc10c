import type { TypeRules } from '../destination/capabilities.js'
import type { FieldType } from '../model/field-type.js'

/** The type that a column has at the destination: text where it cannot hold the field's own. An unbounded decimal needs a precision without limit. */
export function tableType(type: FieldType, rules: TypeRules): FieldType {
  if (rules.asText.includes(type.kind)) return { kind: 'string' }
  if (type.kind !== 'decimal') return type
  const { precision = Number.POSITIVE_INFINITY, scale = 0 } = type
  return precision <= rules.maxDecimalPrecision && scale >= 0 && scale <= precision ? type : { kind: 'string' }
}
