import type { Destination } from '../destination/destination.js'
import { SynclineError } from '../errors/syncline-error.js'
import type { Context } from '../model/context.js'
import type { ScopeRef, ScopeState, Stored } from '../model/state.js'
import type { StateLock, StateStore } from '../state/state-store.js'

/** Who has the authority over states: the destination, or a store beside it. */
export interface StateOwner {
  /** The state as it stands, after settling what an earlier run left. */
  read(scope: ScopeRef, context: Context): Promise<Stored>
  /** Before anything is written: the generations that this run begins. Gives the version that the first publish must find. */
  claim(scope: ScopeRef, state: ScopeState, version: number, context: Context): Promise<number>
  /** After a publish at the destination. */
  save(scope: ScopeRef, state: ScopeState, version: number, context: Context): Promise<void>
  release(scope: ScopeRef): Promise<void>
}

/** Throws `CONFIG_STATE_OWNER` unless there is exactly one owner. */
export function stateOwner(destination: Destination, store: StateStore | undefined): StateOwner {
  if (destination.recover !== undefined) {
    if (store === undefined) return destinationOwner(destination)
    throw new SynclineError(
      'CONFIG_STATE_OWNER',
      `${destination.name} keeps the state with the data; a state store beside it would disagree.`,
      {
        phase: 'configure',
        connector: destination.name,
        hint: 'Leave `state` out.',
      },
    )
  }
  if (store !== undefined) return storeOwner(store)
  throw new SynclineError('CONFIG_STATE_OWNER', `${destination.name} keeps no state.`, {
    phase: 'configure',
    connector: destination.name,
    hint: 'Give a state store, for example `state: fileStateStore(directory)`.',
  })
}

function destinationOwner(destination: Destination): StateOwner {
  return {
    read: (scope, context) => destination.recover!(scope, context),
    claim: async (_scope, _state, version) => version, // publish alone decides, in the destination's own transaction
    save: async () => {},
    release: async () => {},
  }
}

function storeOwner(store: StateStore): StateOwner {
  const locks = new Map<string, StateLock>()
  return {
    async read(scope, context) {
      // A second session of the same run already holds it.
      if (store.acquire !== undefined && !locks.has(scope.scope))
        locks.set(scope.scope, await store.acquire(scope, context))
      return store.get(scope, context)
    },
    async claim(scope, state, version, context) {
      await store.put(scope, { state, version, run: context.run }, context)
      return version + 1
    },
    save: (scope, state, version, context) => store.put(scope, { state, version, run: context.run }, context),
    async release(scope) {
      const lock = locks.get(scope.scope)
      locks.delete(scope.scope)
      await lock?.release()
    },
  }
}
