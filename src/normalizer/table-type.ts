import type { TypeRules } from '../destination/capabilities.js'
import type { FieldType } from '../model/field-type.js'

/** The type that a column has at the destination: text where it cannot hold the field's own. */
export function tableType(type: FieldType, rules: TypeRules): FieldType {
  if (rules.asText.includes(type.kind)) return { kind: 'string' }
  if (type.kind !== 'decimal') return type
  const { precision, scale } = type
  const held = precision !== undefined && scale !== undefined && scale >= 0 && scale <= precision
  return held && precision <= rules.maxDecimalPrecision ? type : { kind: 'string' }
}
