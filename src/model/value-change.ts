/**
 * Reasons of value changes: the Airbyte protocol's words (`AirbyteRecordMessageMetaChange`) as far as syncline gives them, and one
 * of its own for a value that a change log did not carry.
 */
export const CHANGE_REASON = {
  /** The source's value has no place in the field's type. */
  sourceUnfit: 'SOURCE_SERIALIZATION_ERROR',
  /** The source's value had more digits than the field's type keeps. */
  sourceCut: 'SOURCE_FIELD_SIZE_LIMITATION',
  /** The value has no place in the column's type at the destination. */
  destinationUnfit: 'DESTINATION_TYPECAST_ERROR',
  /** The change log did not carry the value, as it did not change. */
  unchanged: 'unchanged',
} as const
