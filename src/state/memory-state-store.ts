import type { ScopeRef, Stored } from '../model/state.js'
import { compareVersions, lockedError } from './compare-and-set.js'
import type { StateStore } from './state-store.js'

/** Keeps state as long as the store itself is kept: for tests, and for hosts that always read everything again. */
export function memoryStateStore(): StateStore {
  const states = new Map<string, Stored>()
  const locks = new Set<string>()
  const keyOf = (scope: ScopeRef) => JSON.stringify([scope.pipeline, scope.scope])
  return {
    async get(scope, { signal }) {
      signal.throwIfAborted()
      return structuredClone(states.get(keyOf(scope)) ?? { version: 0 })
    },
    async put(scope, { state, version, run }, { signal }) {
      signal.throwIfAborted()
      const key = keyOf(scope)
      if (compareVersions(scope, states.get(key) ?? { version: 0 }, { version, run }) === 'written') return
      states.set(key, { state: structuredClone(state), version: version + 1, run })
    },
    async acquire(scope, { signal }) {
      signal.throwIfAborted()
      const key = keyOf(scope)
      if (locks.has(key)) throw lockedError(scope)
      locks.add(key)
      let held = true
      return {
        async release() {
          if (held) locks.delete(key)
          held = false
        },
      }
    },
  }
}
