import type { BudgetLease, ByteBudget } from '../model/budget.js'
import { orAbort } from '../util/abort.js'

interface Waiter {
  readonly lease: Lease
  readonly bytes: number
  readonly grant: () => void
}

interface Lease extends BudgetLease {
  bytes: number
  readonly relieve: (() => Promise<void>) | undefined
  relieving: boolean
}

/**
 * The byte budget of one run. Waiters are served in their order. A lease is granted although the budget is spent when nobody else can be asked to
 * give back: one oversized value then passes instead of stopping the run for ever.
 */
export function createByteBudget(limit: number): ByteBudget {
  const leases = new Set<Lease>()
  const waiters: Waiter[] = []
  let used = 0

  function set(lease: Lease, bytes: number): void {
    used += bytes - lease.bytes
    lease.bytes = bytes
    if (bytes > 0) leases.add(lease)
    else leases.delete(lease)
  }

  function serve(): void {
    for (let waiter = waiters[0]; waiter !== undefined; waiter = waiters[0]) {
      const more = waiter.bytes - waiter.lease.bytes
      if (used + more > limit && !mustPass(waiter)) {
        askLargest(waiter)
        return
      }
      waiters.shift()
      set(waiter.lease, waiter.bytes)
      waiter.grant()
    }
  }

  /**
   * Nobody else can be asked to give back. Holders that cannot be asked may themselves be waiting for this very grant (a batch is held while it is
   * written), so it passes: over the limit by what is in flight, and never stuck.
   */
  function mustPass(waiter: Waiter): boolean {
    return ![...leases].some((lease) => lease !== waiter.lease && lease.relieve !== undefined)
  }

  function askLargest(waiter: Waiter): void {
    let largest: Lease | undefined
    for (const lease of leases) {
      if (lease.relieving) return // one at a time: what it gives back may be enough
      if (lease === waiter.lease || lease.relieve === undefined) continue
      if (largest === undefined || lease.bytes > largest.bytes) largest = lease
    }
    if (largest === undefined) return
    const asked = largest
    const before = asked.bytes
    asked.relieving = true
    void asked.relieve!()
      .catch(() => {}) // the holder's own next call reports what failed
      .finally(() => {
        asked.relieving = false
        if (asked.bytes < before || waiters.length === 0) serve()
        else overdraw()
      })
  }

  /** The largest holder could give nothing back: let the first waiter pass rather than wait for ever. */
  function overdraw(): void {
    const waiter = waiters.shift()
    if (waiter === undefined) return
    set(waiter.lease, waiter.bytes)
    waiter.grant()
    serve()
  }

  return {
    limit,
    get used() {
      return used
    },
    lease(relieve) {
      const lease: Lease = {
        bytes: 0,
        relieve,
        relieving: false,
        async resize(bytes, signal) {
          if (bytes <= lease.bytes || (used + bytes - lease.bytes <= limit && waiters.length === 0)) {
            const smaller = bytes < lease.bytes
            set(lease, bytes)
            if (smaller) serve()
            return
          }
          let waiter: Waiter | undefined
          const granted = new Promise<void>((grant) => {
            waiter = { lease, bytes, grant }
            waiters.push(waiter)
          })
          serve()
          try {
            await orAbort(granted, signal)
          } catch (error) {
            const index = waiters.indexOf(waiter!)
            if (index >= 0) waiters.splice(index, 1)
            serve()
            throw error
          }
        },
        release() {
          if (lease.bytes === 0) return
          set(lease, 0)
          serve()
        },
      }
      return lease
    },
  }
}
