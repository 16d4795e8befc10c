import {
  type Field as ArrowField,
  type Schema as ArrowSchema,
  DataType,
  type Decimal,
  type Int,
  Precision,
} from 'apache-arrow'
import { arrowType, FIELD_TYPE_METADATA } from './arrow-type.js'
import type { FieldType } from './field-type.js'
import { isFieldType } from './field-type-checks.js'
import type { RecordSchema } from './schema.js'

const EXTENSIONS: { readonly [name: string]: FieldType } = {
  'arrow.uuid': { kind: 'uuid' },
  'arrow.json': { kind: 'json' },
}

/**
 * The field type of any Arrow field: what its metadata says (`FIELD_TYPE_METADATA`) where that travels as this Arrow type, else the narrowest
 * kind that holds every value of the Arrow type. Units finer than microseconds and types that only Arrow knows map to the nearest kind;
 * unions to `json`.
 */
export function fieldTypeOfArrow(field: ArrowField): FieldType {
  const named = field.metadata.get(FIELD_TYPE_METADATA)
  if (named !== undefined) {
    const type = parseFieldType(named)
    if (type !== undefined && String(arrowType(type)) === String(field.type)) return type
  }
  return EXTENSIONS[field.metadata.get('ARROW:extension:name') ?? ''] ?? ofDataType(field.type)
}

/** The record schema of any Arrow schema. */
export function recordSchemaOfArrow(schema: ArrowSchema): RecordSchema {
  return {
    fields: schema.fields.map((field) => ({
      name: field.name,
      type: fieldTypeOfArrow(field),
      nullable: field.nullable,
    })),
  }
}

function parseFieldType(text: string): FieldType | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isFieldType(value) ? value : undefined
  } catch {
    return undefined
  }
}

function ofDataType(type: DataType): FieldType {
  if (DataType.isBool(type)) return { kind: 'boolean' }
  if (DataType.isInt(type)) return ofInt(type)
  if (DataType.isFloat(type)) return { kind: type.precision === Precision.DOUBLE ? 'float64' : 'float32' }
  if (DataType.isDecimal(type)) return ofDecimal(type)
  if (isBytes(type)) return { kind: 'binary' }
  if (DataType.isDate(type)) return { kind: 'date' }
  if (DataType.isTime(type)) return { kind: 'time', zone: false }
  if (DataType.isTimestamp(type)) return { kind: 'timestamp', zone: Boolean(type.timezone) }
  if (DataType.isInterval(type) || DataType.isDuration(type)) return { kind: 'interval' }
  if (DataType.isList(type) || DataType.isFixedSizeList(type)) {
    return { kind: 'array', items: fieldTypeOfArrow(type.children[0]!) }
  }
  if (DataType.isMap(type)) return { kind: 'array', items: fieldTypeOfArrow(type.children[0]!) }
  if (DataType.isStruct(type)) {
    return {
      kind: 'object',
      fields: type.children.map((child) => ({ name: child.name, type: fieldTypeOfArrow(child) })),
    }
  }
  if (DataType.isUnion(type)) return { kind: 'json' }
  if (DataType.isDictionary(type)) return ofDataType(type.dictionary)
  return { kind: 'string' }
}

function isBytes(type: DataType): boolean {
  return (
    DataType.isBinary(type) ||
    DataType.isLargeBinary(type) ||
    DataType.isFixedSizeBinary(type) ||
    DataType.isBinaryView(type)
  )
}

function ofInt(type: Int): FieldType {
  const bits = type.isSigned ? type.bitWidth : type.bitWidth * 2
  if (bits <= 16) return { kind: 'int16' }
  if (bits <= 32) return { kind: 'int32' }
  return bits <= 64 ? { kind: 'int64' } : { kind: 'decimal', precision: 20, scale: 0 }
}

function ofDecimal({ precision, scale }: Decimal): FieldType {
  if (scale < 0) return { kind: 'decimal', precision: precision - scale, scale: 0 }
  return { kind: 'decimal', precision: Math.max(precision, scale), scale }
}
