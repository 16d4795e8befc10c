import type { Destination, Load, Writer } from '../destination/destination.js'
import type { StateStore } from '../state/state-store.js'
import { type CallDetails, hooked, type OnCall } from './on-call.js'

/** The same destination, with `onCall` around each of its calls. */
export function observedDestination(destination: Destination, onCall: OnCall): Destination {
  let loads = 0
  const { recover } = destination
  return {
    name: destination.name,
    capabilities: destination.capabilities,
    check: (context) => hooked(onCall, 'destination.check', {}, () => destination.check(context)),
    ...(recover && {
      recover: (scope, context) =>
        hooked(onCall, 'destination.recover', { scope: scope.scope }, () => recover.call(destination, scope, context)),
    }),
    async open(plan, context) {
      const id = { load: ++loads, scope: plan.scope.scope }
      const details = { ...id, version: plan.version }
      return observedLoad(
        await hooked(onCall, 'destination.open', details, () => destination.open(plan, context)),
        id,
        onCall,
      )
    },
  }
}

function observedLoad(load: Load, id: CallDetails, onCall: OnCall): Load {
  return {
    async writer(slice, attempt, context) {
      const details = { ...id, slice: slice.id, attempt }
      return observedWriter(
        await hooked(onCall, 'load.writer', details, () => load.writer(slice, attempt, context)),
        details,
        onCall,
      )
    },
    publish: (commit, context) =>
      hooked(
        onCall,
        'load.publish',
        {
          ...id,
          version: commit.version,
          pieces: commit.receipts.map(({ slice, attempt, piece }) => JSON.stringify([slice, attempt, piece])),
          state: commit.state.source,
        },
        () => load.publish(commit, context),
      ),
    close: (context) => hooked(onCall, 'load.close', id, () => load.close(context)),
  }
}

function observedWriter(writer: Writer, id: CallDetails, onCall: OnCall): Writer {
  return {
    write: (batch, context) => hooked(onCall, 'writer.write', id, () => writer.write(batch, context)),
    seal: (context) =>
      hooked(
        onCall,
        'writer.seal',
        id,
        () => writer.seal(context),
        ({ slice, attempt, piece, tables }) => ({
          piece: JSON.stringify([slice, attempt, piece]),
          empty: tables.length === 0,
        }),
      ),
    discard: (context) => hooked(onCall, 'writer.discard', id, () => writer.discard(context)),
  }
}

/** The same state store, with `onCall` around each of its calls. */
export function observedStateStore(store: StateStore, onCall: OnCall): StateStore {
  const { acquire } = store
  return {
    get: (scope, context) => hooked(onCall, 'state.get', { scope: scope.scope }, () => store.get(scope, context)),
    put: (scope, next, context) =>
      hooked(onCall, 'state.put', { scope: scope.scope, version: next.version, state: next.state.source }, () =>
        store.put(scope, next, context),
      ),
    ...(acquire && {
      async acquire(scope, context) {
        const id = { scope: scope.scope }
        const lock = await hooked(onCall, 'state.acquire', id, () => acquire.call(store, scope, context))
        return { release: () => hooked(onCall, 'state.release', id, () => lock.release()) }
      },
    }),
  }
}
