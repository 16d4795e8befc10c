import { type Schema as ArrowSchema, type Data, makeData, RecordBatch, Struct } from 'apache-arrow'

/** A record batch of finished columns. The number of rows is explicit, since a table may have no columns. */
export function recordBatch(schema: ArrowSchema, columns: readonly Data[], rows: number): RecordBatch {
  const data = makeData({ type: new Struct(schema.fields), length: rows, nullCount: 0, children: [...columns] })
  return new RecordBatch(schema, data)
}
