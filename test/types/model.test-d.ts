import type { Batch, FieldType, Message, RecordSchema, TableBatch } from 'syncline'

// Checked by the compiler alone: an error that is expected and does not come is an error itself.

const types: FieldType[] = [
  { kind: 'int64' },
  { kind: 'decimal', precision: 15, scale: 2 },
  { kind: 'decimal' },
  { kind: 'timestamp', zone: true },
  { kind: 'array', items: { kind: 'object', fields: [{ name: 'a', type: { kind: 'json' } }] } },
]

// @ts-expect-error no such kind
types.push({ kind: 'integer' })
// @ts-expect-error a timestamp says whether it has a zone
types.push({ kind: 'timestamp' })
// @ts-expect-error digits are numbers
types.push({ kind: 'decimal', precision: '15', scale: 2 })
// @ts-expect-error an array says what it holds
types.push({ kind: 'array' })

export const schema: RecordSchema = { fields: [{ name: 'id', type: { kind: 'int64' }, nullable: false }] }
// @ts-expect-error a schema is not changed after it was given
schema.fields.push({ name: 'x', type: { kind: 'json' }, nullable: true })

/** Every kind has to be handled. */
export function describeKind(type: FieldType): string {
  switch (type.kind) {
    case 'decimal':
      return `${type.precision ?? 'any'}`
    case 'time':
    case 'timestamp':
      return String(type.zone)
    case 'array':
      return describeKind(type.items)
    case 'object':
      return type.fields.map(({ name }) => name).join()
    default: {
      // @ts-expect-error plain kinds have nothing but their kind
      type.items
      return type.kind
    }
  }
}

export function lengthOf(message: Message): number | undefined {
  // @ts-expect-error only batches have a length
  message.length
  return message.type === 'batch' ? message.length : undefined
}

export function rowsOf(batch: Batch, table: TableBatch): void {
  for (const row of batch.rows()) {
    const value: unknown = row['id']
    // @ts-expect-error values of a batch are unknown
    const id: bigint = row['id']
    void [value, id]
  }
  if ('columns' in table) table.columns.numRows
  // @ts-expect-error native bytes have no columns
  else table.columns
}
