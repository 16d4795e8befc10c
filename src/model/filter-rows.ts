import type { RecordBatch } from 'apache-arrow'
import { Batch, type ValueChange } from './batch.js'
import type { BatchChanges } from './change.js'
import { concatColumns, takeColumnRows } from './column-data.js'
import { recordBatch } from './record-batch.js'

/** A batch with only these rows (ascending positions), with everything that belongs to them. */
export function filterRows(batch: Batch, rows: Uint32Array): Batch {
  if (rows.length === batch.length) return batch
  return new Batch(batch.stream, batch.schema, takeRows(batch.columns, rows), {
    ...(batch.changes === undefined ? {} : { changes: takeChanges(batch.changes, rows) }),
    valueChanges: takeValueChanges(batch.valueChanges, rows),
  })
}

/** The columns with only these rows, in this order. */
export function takeRows(columns: RecordBatch, rows: Uint32Array): RecordBatch {
  const taken = columns.data.children.map((data) => takeColumnRows(data, rows))
  return recordBatch(columns.schema, taken, rows.length)
}

/** Record batches of one schema as one. There is at least one; a single one is given back as it is. */
export function concatRows(batches: readonly RecordBatch[]): RecordBatch {
  if (batches.length === 1) return batches[0]!
  const { schema } = batches[0]!
  const columns = schema.fields.map((_, i) => concatColumns(batches.map(({ data }) => data.children[i]!)))
  return recordBatch(
    schema,
    columns,
    batches.reduce((sum, { numRows }) => sum + numRows, 0),
  )
}

function takeChanges(changes: BatchChanges, rows: Uint32Array): BatchChanges {
  const bytes = (values: Uint8Array) => Uint8Array.from(rows, (row) => values[row]!)
  return {
    operations: bytes(changes.operations),
    positions: BigUint64Array.from({ length: rows.length }, (_, i) => changes.positions[rows[i]!]!),
    ordinals: Uint32Array.from(rows, (row) => changes.ordinals[row]!),
    ...(changes.unchanged === undefined
      ? {}
      : { unchanged: new Map([...changes.unchanged].map(([field, mask]) => [field, bytes(mask)])) }),
  }
}

function takeValueChanges(changes: readonly ValueChange[], rows: Uint32Array): ValueChange[] {
  const taken: ValueChange[] = []
  let at = 0
  for (const change of changes) {
    while (at < rows.length && rows[at]! < change.row) at++
    if (at < rows.length && rows[at] === change.row) taken.push({ ...change, row: at })
  }
  return taken
}
