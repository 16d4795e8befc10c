import type { DestinationCapabilities } from '#src/destination/capabilities.js'
import type { Batch } from '#src/model/batch.js'
import { Batch as BatchClass } from '#src/model/batch.js'
import { BatchBuilder } from '#src/model/batch-builder.js'
import type { ConfiguredStream } from '#src/model/configured-stream.js'
import type { RecordSchema } from '#src/model/schema.js'
import type { TableBatch, TableRows } from '#src/model/table.js'
import type { NormalizeContext } from '#src/normalizer/normalizer.js'

export const capabilities: DestinationCapabilities = {
  modes: [{ syncMode: 'full_refresh', destinationSyncMode: 'append' }],
  identifiers: { maxBytes: 63, caseSensitive: true },
  types: { asText: [], maxDecimalPrecision: 38 },
  visibility: 'atomic',
  cadence: { bytes: 1, milliseconds: 1 },
}

export function streamOf(schema: RecordSchema, more: Partial<ConfiguredStream> = {}): ConfiguredStream {
  return {
    name: 'customers',
    namespace: 'public',
    schema,
    syncModes: ['full_refresh', 'incremental'],
    scope: 'customers',
    syncMode: 'full_refresh',
    destinationSyncMode: 'append',
    target: { namespace: 'lake', name: 'customers' },
    ...more,
  }
}

export const context: NormalizeContext = {
  pipeline: 'p',
  run: 'run-1',
  generation: 3,
  generationId: '6f1ed002-ab5d-4a2b-8c3f-0d1e2f3a4b5c',
  slice: 's-1',
  position: 0,
  extractedAt: new Date('2024-05-06T07:08:09.010Z'),
}

export function batchOf(schema: RecordSchema, records: readonly Readonly<Record<string, unknown>>[]): Batch {
  const builder = new BatchBuilder({ namespace: 'public', name: 'customers' }, schema)
  for (const record of records) builder.append(record)
  return builder.finish()
}

export function isRows(batch: TableBatch | undefined): batch is TableRows {
  return batch !== undefined && 'columns' in batch
}

/** The rows of table batches, in their tables' names. */
export function rowsOf(batches: readonly TableBatch[]): Record<string, unknown>[] {
  return batches.flatMap((batch) => {
    if (!isRows(batch)) throw new Error('no rows')
    const schema = { fields: batch.table.fields.map((field) => ({ ...field, nullable: true })) }
    return [...new BatchClass(batch.table.stream, schema, batch.columns).rows()]
  })
}

/** Names to types. */
export const typesOf = (batch: TableBatch) =>
  Object.fromEntries(batch.table.fields.map(({ name, type }) => [name, type]))
