import {
  type Destination,
  memoryStateStore,
  Pipeline,
  type PipelineOptions,
  RunError,
  type RunResult,
  type Source,
} from 'syncline'
import {
  CallModel,
  type Fault,
  hooks,
  type MemoryStore,
  memoryDestination,
  memorySource,
  memoryStore,
  noFault,
  observedStateStore,
  type Random,
  type StoredRow,
} from 'syncline/testing'
import { isWholeCustomers, read, Shop, sourceTexts, texts } from './shop.js'

export interface WorldOptions {
  /** False: a state store beside the destination. Default true. */
  readonly storesState?: boolean
  /** Breaks the source of a pipeline. */
  readonly breakSource?: (source: Source, world: World) => Source
  /** Breaks the destination of a pipeline. */
  readonly breakDestination?: (destination: Destination, world: World) => Destination
  readonly pipeline?: Partial<PipelineOptions>
}

export type Outcome =
  | { readonly kind: 'ended'; readonly result: RunResult }
  | { readonly kind: 'killed'; readonly moment: string }

/** A shop, a store and what outlives a process; every `run` is a new process. */
export class World {
  readonly shop: Shop
  readonly store: MemoryStore = memoryStore()
  readonly #states = memoryStateStore()
  /** Calls that no pipeline may make, over all runs. */
  readonly violations: string[] = []
  moments = 0

  constructor(
    readonly random: Random,
    readonly options: WorldOptions = {},
  ) {
    this.shop = new Shop(random)
  }

  get storesState(): boolean {
    return this.options.storesState ?? true
  }

  /** One process. It may be killed by its fault, or end by itself. */
  async run(fault: Fault = noFault(), signal?: AbortSignal): Promise<Outcome> {
    const { shop, store, random, options } = this
    const model = new CallModel()
    signal?.addEventListener('abort', () => model.abort())
    const onCall = hooks(model.onCall, fault.onCall)
    const source = memorySource(shop.tables, {
      // What is read again is the same rows with the same ids only where it is cut the same way.
      slices: this.storesState ? random.int(1, 4) : 3,
      batchRows: random.int(1, 5),
      checkpointRows: random.int(1, 4),
      ordered: random.chance(0.3),
      latePlanned: random.chance(0.3),
      onCall,
    })
    const destination = memoryDestination(store, { storesState: this.storesState, onCall })
    const pipeline = new Pipeline({
      name: 'shop',
      source: options.breakSource?.(source, this) ?? source,
      destination: options.breakDestination?.(destination, this) ?? destination,
      ...(!this.storesState && { state: observedStateStore(withoutLock(this.#states), onCall) }),
      concurrency: random.int(1, 3),
      cadence: { bytes: random.pick([1, 200, 100_000]), milliseconds: random.pick([1, 1000]) },
      retry: { attempts: 4, initial: 0, max: 0 },
      streams: {
        events: { syncMode: 'incremental', destinationSyncMode: 'append' },
        customers: { syncMode: 'full_refresh', destinationSyncMode: 'overwrite' },
        orders: { syncMode: 'incremental', destinationSyncMode: 'append_dedup' },
        stock: { syncMode: 'incremental', destinationSyncMode: 'append_dedup' },
        prices: { syncMode: 'incremental', destinationSyncMode: 'append_dedup' },
      },
      ...options.pipeline,
    })
    const running = pipeline
      .run({ onStreamFailure: 'report', ...(signal && { signal }) })
      .then((result): Outcome => ({ kind: 'ended', result }))
      .catch((error: unknown): Outcome => {
        if (error instanceof RunError) return { kind: 'ended', result: error.result }
        throw error
      })
    const killed = fault.deadly
      ? fault.struck.then(async (moment): Promise<Outcome> => {
          // A process that is dead does nothing later: what was under way gets to where it stops.
          for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
          return { kind: 'killed', moment }
        })
      : new Promise<never>(() => {})
    const outcome = await Promise.race([running, killed])
    this.moments = Math.max(this.moments, fault.moments())
    if (outcome.kind === 'ended') this.violations.push(...model.finish())
    else {
      this.violations.push(...model.violations)
      // The dead process holds nothing any more.
      Object.assign(store.open, { loads: 0, writers: 0 })
      shop.tables.openReadings = 0
    }
    return outcome
  }

  /** A run that nothing disturbs: whatever does not succeed is a problem. */
  async runToSuccess(): Promise<string[]> {
    const outcome = await this.run()
    if (outcome.kind === 'killed') throw new Error('nothing kills this run')
    return outcome.result.streams
      .filter(({ status }) => status !== 'succeeded')
      .map(({ stream, status, error }) => `${stream.name} ${status}: ${error?.code} ${error?.message}`)
  }

  /**
   * What differs between source and destination, in words; empty after a successful run. A full refresh that went on with an old snapshot shows that
   * one; `refreshed` says that it was read anew.
   */
  differences({ refreshed = true } = {}): string[] {
    const { shop, store } = this
    const found: string[] = []
    const compare = (name: string, there: readonly string[], wanted: readonly string[]) => {
      const missing = without(wanted, there)
      const surplus = without(there, wanted)
      if (missing.length > 0) found.push(`${name}: missing ${missing.join(' ')}`)
      if (surplus.length > 0) found.push(`${name}: too many ${surplus.join(' ')}`)
    }
    for (const table of [shop.events, shop.customers, shop.orders, ...shop.logged]) {
      if (table === shop.customers && !refreshed) continue
      compare(table.definition.name, texts(this.#distinct(read(store, table))), sourceTexts(table))
    }
    return refreshed ? found : [...found, ...this.unseemly()]
  }

  /** What a reader must never see, whatever happened. */
  unseemly(): string[] {
    const rows = this.#distinct(read(this.store, this.shop.customers))
    return isWholeCustomers(this.shop, rows) ? [] : ['D8: a reader sees a part of a full refresh']
  }

  /** At least once: what was repeated has the row id that it had before. */
  #distinct(rows: StoredRow[]): StoredRow[] {
    if (this.storesState) return rows
    return [...new Map(rows.map((row) => [row['_airbyte_raw_id'], row])).values()]
  }

  /** Broken promises between pipeline and connectors. */
  allViolations(): string[] {
    const { shop, store } = this
    const open = { ...store.open, readings: shop.tables.openReadings }
    const left = Object.entries(open).filter(([, count]) => count !== 0)
    return [
      ...this.violations,
      ...store.violations,
      ...shop.tables.violations,
      ...left.map(([what, count]) => `${count} ${what} left open`),
    ]
  }
}

/** A dead process of these tests still lives, and so does its lock. */
function withoutLock(store: ReturnType<typeof memoryStateStore>) {
  return { get: store.get.bind(store), put: store.put.bind(store) }
}

function without(from: readonly string[], taken: readonly string[]): string[] {
  const left = new Map<string, number>()
  for (const text of taken) left.set(text, (left.get(text) ?? 0) + 1)
  return from.filter((text) => {
    const count = left.get(text) ?? 0
    left.set(text, count - 1)
    return count <= 0
  })
}
