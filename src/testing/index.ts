export { CallModel } from './call-model.js'
export {
  type DestinationConformance,
  type DestinationFixture,
  destinationConformance,
} from './conformance/destination-conformance.js'
export { type SourceConformance, type SourceFixture, sourceConformance } from './conformance/source-conformance.js'
export {
  type StateStoreConformance,
  type StateStoreFixture,
  stateStoreConformance,
} from './conformance/state-store-conformance.js'
export { type TestRunner, testContext } from './conformance/suite.js'
export { abortAt, type Fault, failAt, hooks, killAt, noFault, strikeAt } from './faults.js'
export { type MemoryDestinationOptions, memoryDestination } from './memory/memory-destination.js'
export { type MemorySourceOptions, memorySource } from './memory/memory-source.js'
export { type MemoryStore, memoryStore, readMemoryTable, type StoredRow } from './memory/memory-store.js'
export {
  type MemoryRow,
  type MemoryRowOptions,
  type MemoryTable,
  type MemoryTableDefinition,
  MemoryTables,
} from './memory/memory-tables.js'
export { MEMORY_ROWS } from './memory/native-rows.js'
export { observedDestination, observedStateStore } from './observed-destination.js'
export { observedSource } from './observed-source.js'
export type { CallDetails, CallName, CallPhase, OnCall } from './on-call.js'
export { forSeeds, type Random, seededRandom } from './seeded-random.js'
