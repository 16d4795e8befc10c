import type { FieldType } from './field-type.js'
import type { Json } from './json.js'

/** One column of a projection: where its value comes from, as data that a source can put into its own query. */
export type ProjectedColumn =
  /** A field of the record, cast to `type` where its own type differs. */
  | { readonly name: string; readonly type: FieldType; readonly from: 'field'; readonly field: string }
  | { readonly name: string; readonly type: FieldType; readonly from: 'constant'; readonly value: Json }
  /** The id of the row, which the destination gives: the id prefix of the slice and the row's position. */
  | { readonly name: string; readonly type: FieldType; readonly from: 'row_id' }

/** Renames, casts and constants that make a destination's row of a source's record without seeing a value. */
export interface Projection {
  readonly columns: readonly ProjectedColumn[]
}
