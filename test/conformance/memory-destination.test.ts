import {
  type DestinationFixture,
  destinationConformance,
  memoryDestination,
  memoryStore,
  readMemoryTable,
} from 'syncline/testing'
import { describe, expect, it } from 'vitest'

for (const storesState of [true, false]) {
  destinationConformance(
    { describe, it },
    {
      name: storesState ? 'memory' : 'memory, without state',
      async create(): Promise<DestinationFixture> {
        const store = memoryStore()
        return {
          destination: () => memoryDestination(store, { storesState }),
          read: async (table) => readMemoryTable(store, table),
          // The suite keeps the promises of a caller.
          close: async () => expect(store.violations).toEqual([]),
        }
      },
    },
  )
}
