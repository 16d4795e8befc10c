import {
  Field as ArrowField,
  Schema as ArrowSchema,
  Binary,
  Bool,
  type DataType,
  DateDay,
  Decimal,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  TimeMicrosecond,
  TimestampMicrosecond,
  Utf8,
} from 'apache-arrow'
import type { FieldType } from './field-type.js'
import type { Field, RecordSchema } from './schema.js'

/** The widest decimal that Arrow's Decimal128 holds. */
export const DECIMAL128_PRECISION = 38

/** The Arrow type in which values of a field travel. Total; see the table at {@link FieldType}. */
export function arrowType(type: FieldType): DataType {
  switch (type.kind) {
    case 'boolean':
      return new Bool()
    case 'int16':
      return new Int16()
    case 'int32':
      return new Int32()
    case 'int64':
      return new Int64()
    case 'float32':
      return new Float32()
    case 'float64':
      return new Float64()
    case 'decimal':
      return isDecimal128(type) ? new Decimal(type.scale, type.precision, 128) : new Utf8()
    case 'binary':
      return new Binary()
    case 'date':
      return new DateDay()
    case 'time':
      return type.zone ? new Utf8() : new TimeMicrosecond()
    case 'timestamp':
      return new TimestampMicrosecond(type.zone ? 'UTC' : null)
    case 'string':
    case 'interval':
    case 'uuid':
    case 'json':
    case 'array':
    case 'object':
      return new Utf8()
  }
}

/** Whether a decimal travels as Arrow's Decimal128, and not as text. */
export function isDecimal128(
  type: FieldType,
): type is { readonly kind: 'decimal'; readonly precision: number; readonly scale: number } {
  return (
    type.kind === 'decimal' &&
    type.precision !== undefined &&
    type.scale !== undefined &&
    type.precision <= DECIMAL128_PRECISION &&
    type.scale >= 0 &&
    type.scale <= type.precision
  )
}

/** Key of the Arrow field metadata that keeps the exact {@link FieldType} where Arrow's own type is wider. */
export const FIELD_TYPE_METADATA = 'syncline.type'

/** One field for Arrow, nullable always: a batch may hold null where a value did not fit. */
export function arrowField(field: Field): ArrowField {
  return new ArrowField(
    field.name,
    arrowType(field.type),
    true,
    new Map([[FIELD_TYPE_METADATA, JSON.stringify(field.type)]]),
  )
}

export function arrowSchema(schema: RecordSchema): ArrowSchema {
  return new ArrowSchema(schema.fields.map(arrowField))
}
