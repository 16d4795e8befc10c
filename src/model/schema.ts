import type { FieldType } from './field-type.js'

/** One field of a record. */
export interface Field {
  readonly name: string
  readonly type: FieldType
  /** False only where the source guarantees a value. */
  readonly nullable: boolean
  readonly comment?: string
}

/** The shape of a stream's records. Plain JSON; field names are unique. */
export interface RecordSchema {
  readonly fields: readonly Field[]
}
