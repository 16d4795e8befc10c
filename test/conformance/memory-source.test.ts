import type { RecordSchema, Stream } from 'syncline'
import { MemoryTables, memorySource, type SourceFixture, sourceConformance } from 'syncline/testing'
import { describe, it } from 'vitest'

const SCHEMA: RecordSchema = {
  fields: [
    { name: 'id', type: { kind: 'int64' }, nullable: false },
    { name: 'name', type: { kind: 'string' }, nullable: true },
    { name: 'changed', type: { kind: 'timestamp', zone: true }, nullable: true },
  ],
}

function record(id: number) {
  // Four of a kind: ties on the cursor, also at the ends of batches.
  const changed = `2026-01-01T00:00:${String(Math.floor(id / 4)).padStart(2, '0')}Z`
  return { id: BigInt(id), name: id % 5 === 0 ? null : `name ${id}`, changed }
}

const RECORDS = Array.from({ length: 30 }, (_, index) => record(index + 1))

function world(): MemoryTables {
  const tables = new MemoryTables()
  const filled = tables.table({
    name: 'customers',
    namespace: 'shop',
    schema: SCHEMA,
    primaryKey: ['id'],
    cursorField: 'changed',
  })
  for (const values of RECORDS) filled.insert(values)
  tables.table({ name: 'empty', schema: SCHEMA, cursorField: 'id' })
  for (const name of ['log_a', 'log_b']) {
    const logged = tables.table({ name, schema: SCHEMA, primaryKey: ['id'], changeLog: true })
    for (const values of RECORDS.slice(0, 10)) logged.insert(values)
  }
  return tables
}

function expected({ name }: Stream): object[] {
  return name === 'empty' ? [] : name === 'customers' ? RECORDS : RECORDS.slice(0, 10)
}

for (const [name, options] of [
  ['memory', {}],
  ['memory, ordered slices planned late', { ordered: true, latePlanned: true }],
  ['memory, one record at a time', { slices: 5, batchRows: 1, checkpointRows: 1 }],
] as const) {
  sourceConformance(
    { describe, it },
    {
      name,
      expected,
      async create(): Promise<SourceFixture> {
        const tables = world()
        let next = 100
        return {
          source: memorySource(tables, options),
          addRecords: async (stream) => {
            const table = tables.find(stream)!
            // One shares the highest cursor value with what was read before.
            const last = table.rows.at(-1)
            if (last) table.insert({ ...last.values, id: BigInt(next++) })
            table.insert({ ...record(59), id: BigInt(next++), changed: `2026-02-01T00:00:00.${next}Z` })
          },
          endEpochs: async () => tables.endEpochs(),
        }
      },
    },
  )
}
