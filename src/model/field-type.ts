/**
 * The type of a value, independent of any vendor.
 *
 * How values travel in a batch (Arrow) and how they look in a record (`batch.rows()`):
 *
 * | kind | Arrow | record |
 * | --- | --- | --- |
 * | `boolean` | Bool | `boolean` |
 * | `int16`, `int32` | Int16, Int32 | `number` |
 * | `int64` | Int64 | `bigint` |
 * | `float32`, `float64` | Float32, Float64 | `number` |
 * | `decimal` with precision up to 38 | Decimal128(p, s) | `string`, all digits |
 * | `decimal` beyond, or unbounded | Utf8 | `string`, all digits |
 * | `string`, `interval`, `uuid`, `json`, `array`, `object` | Utf8 | `string`; the last three are JSON text |
 * | `binary` | Binary | `Uint8Array` |
 * | `date` | Date32 (days) | `string`, `YYYY-MM-DD`; other years as in ISO 8601: `+012345-…`, `-000043-…` (44 BC) |
 * | `time` | Time64 (microseconds), without zone; Utf8 with zone | `string` |
 * | `timestamp` | Timestamp (microseconds), zone `UTC` or none | `string`, ISO 8601, microseconds kept |
 *
 * `array` and `object` carry their inner types for normalizers and JSON Schema; their values travel as JSON text.
 */
export type FieldType =
  | { readonly kind: 'boolean' }
  | { readonly kind: 'int16' }
  | { readonly kind: 'int32' }
  | { readonly kind: 'int64' }
  | { readonly kind: 'float32' }
  | { readonly kind: 'float64' }
  /** `precision` and `scale` are both given or both left out (unbounded). */
  | { readonly kind: 'decimal'; readonly precision?: number; readonly scale?: number }
  | { readonly kind: 'string' }
  | { readonly kind: 'binary' }
  | { readonly kind: 'date' }
  | { readonly kind: 'time'; readonly zone: boolean }
  | { readonly kind: 'timestamp'; readonly zone: boolean }
  /** ISO 8601 duration or the vendor's own text; compared by nobody. */
  | { readonly kind: 'interval' }
  | { readonly kind: 'uuid' }
  | { readonly kind: 'json' }
  | { readonly kind: 'array'; readonly items: FieldType }
  | { readonly kind: 'object'; readonly fields: readonly { readonly name: string; readonly type: FieldType }[] }

export type FieldKind = FieldType['kind']
