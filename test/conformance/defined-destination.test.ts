import { type DeliveredRecord, defineDestination, type TableShape, tableKey } from 'syncline'
import { type DestinationFixture, destinationConformance } from 'syncline/testing'
import { describe, it } from 'vitest'

destinationConformance(
  { describe, it },
  {
    name: 'defineDestination',
    async create(): Promise<DestinationFixture> {
      const tables = new Map<string, DeliveredRecord[]>()
      const destination = () =>
        defineDestination({
          name: 'defined',
          modes: ['append'],
          batchRecords: 7,
          json: 'text',
          deliver({ records, table }) {
            tables.set(tableKey(table), [...(tables.get(tableKey(table)) ?? []), ...records])
          },
        })
      return {
        destination,
        read: async (table) => (tables.get(tableKey(table)) ?? []).map((record) => stored(table, record)),
      }
    },
  },
)

/** Records are JSON: bytes come as base64. */
function stored({ fields }: TableShape, record: DeliveredRecord): object {
  const binary = new Set(fields.filter(({ type }) => type.kind === 'binary').map(({ name }) => name))
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [
      name,
      binary.has(name) && typeof value === 'string' ? new Uint8Array(Buffer.from(value, 'base64')) : value,
    ]),
  )
}
