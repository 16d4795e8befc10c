import type { FieldType } from './field-type.js'
import type { Json } from './json.js'

/** A JSON Schema, or a part of one. */
export type JsonSchema = { readonly [keyword: string]: Json }

/** Keyword that keeps the exact {@link FieldType} where the standard's and Airbyte's words alone would give back another. */
export const FIELD_TYPE_KEYWORD = 'syncline_type'

/** How many values a small integer has on either side of zero. */
export const INT_BOUNDS = { int16: 2 ** 15, int32: 2 ** 31 } as const

/** A type in the words of the standard and of Airbyte, without its inner schemas. */
export function standardWords(type: FieldType): JsonSchema {
  switch (type.kind) {
    case 'boolean':
      return { type: 'boolean' }
    case 'int16':
    case 'int32':
      return { type: 'integer', minimum: -INT_BOUNDS[type.kind], maximum: INT_BOUNDS[type.kind] - 1 }
    case 'int64':
      return { type: 'integer' }
    case 'float32':
    case 'float64':
    case 'decimal':
      return { type: 'number' }
    case 'string':
    case 'interval':
      return { type: 'string' }
    case 'uuid':
      return { type: 'string', format: 'uuid' }
    case 'binary':
      return { type: 'string', contentEncoding: 'base64' }
    case 'date':
      return { type: 'string', format: 'date' }
    case 'time':
      return { type: 'string', format: 'time', airbyte_type: `time_${type.zone ? 'with' : 'without'}_timezone` }
    case 'timestamp':
      return {
        type: 'string',
        format: 'date-time',
        airbyte_type: `timestamp_${type.zone ? 'with' : 'without'}_timezone`,
      }
    case 'json':
      return {}
    case 'array':
      return { type: 'array' }
    case 'object':
      return { type: 'object' }
  }
}
