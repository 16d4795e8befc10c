import type { DestinationCapabilities } from '../../destination/capabilities.js'
import type { Destination } from '../../destination/destination.js'
import { SynclineError } from '../../errors/syncline-error.js'
import type { ScopeRef } from '../../model/state.js'
import { observedDestination } from '../observed-destination.js'
import type { OnCall } from '../on-call.js'
import { MemoryLoad } from './memory-load.js'
import { type MemoryStore, scopeKey } from './memory-store.js'
import { MEMORY_ROWS } from './native-rows.js'

export interface MemoryDestinationOptions {
  readonly name?: string
  /** Whether it keeps the state with the data. False: it needs a state store beside it. Default true. */
  readonly storesState?: boolean
  /** Whether it takes `memory/rows`. Default false. */
  readonly native?: boolean
  readonly capabilities?: Partial<DestinationCapabilities>
  /** Called around every call. */
  readonly onCall?: OnCall
}

const CAPABILITIES: DestinationCapabilities = {
  modes: [
    { syncMode: 'full_refresh', destinationSyncMode: 'overwrite' },
    { syncMode: 'full_refresh', destinationSyncMode: 'append' },
    { syncMode: 'full_refresh', destinationSyncMode: 'append_dedup' },
    { syncMode: 'incremental', destinationSyncMode: 'append' },
    { syncMode: 'incremental', destinationSyncMode: 'append_dedup' },
  ],
  identifiers: { maxBytes: 255, caseSensitive: true },
  types: { asText: [], maxDecimalPrecision: 38 },
  visibility: 'atomic',
  cadence: { bytes: 1 << 20, milliseconds: 1000 },
}

/**
 * A destination that implements every promise of the contract over a plain object: the reference against which real destinations are read. It
 * also writes down, in `store.violations`, whatever its caller does against the contract.
 */
export function memoryDestination(store: MemoryStore, options: MemoryDestinationOptions = {}): Destination {
  const { storesState = true } = options
  const stored = (scope: ScopeRef) => store.scopes.get(scopeKey(scope)) ?? { version: 0 }
  const destination: Destination = {
    name: options.name ?? 'memory',
    capabilities: {
      ...CAPABILITIES,
      ...(options.native && { nativeFormats: [MEMORY_ROWS] }),
      ...options.capabilities,
    },
    async check({ signal }) {
      signal.throwIfAborted()
    },
    ...(storesState && {
      async recover(scope, { signal }) {
        signal.throwIfAborted()
        return structuredClone(stored(scope))
      },
    }),
    async open(plan, context) {
      context.signal.throwIfAborted()
      const { version } = stored(plan.scope)
      if (storesState && version !== plan.version) {
        throw new SynclineError('STATE_CONFLICT', `The stored version is ${version}, not ${plan.version}.`, {
          phase: 'open',
          hint: 'Another run has moved the state; run again.',
        })
      }
      return new MemoryLoad(store, plan, context.run, storesState)
    },
  }
  return options.onCall ? observedDestination(destination, options.onCall) : destination
}
