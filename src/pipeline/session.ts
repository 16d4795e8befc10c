import pLimit from 'p-limit'
import type { Load } from '../destination/destination.js'
import { isSynclineError, type SynclineError } from '../errors/syncline-error.js'
import type { ScopeState, Stored } from '../model/state.js'
import { sameStream } from '../model/stream.js'
import type { Reading, ReadScope } from '../source/source.js'
import { connectorError, endsEpoch, guarded } from './guard.js'
import { prepareScope } from './prepare-scope.js'
import { withRetry } from './retry.js'
import type { RunServices } from './run.js'
import type { ScopePlan } from './scope-plan.js'
import { ScopeRun } from './scope-run.js'
import { SliceReader } from './slice-reader.js'
import type { StreamRun } from './stream-run.js'

/** Scopes that are recovered or opened at a time. */
const OPENING = 8

type Limit = <T>(task: () => Promise<T>) => Promise<T>

interface PreparedScope {
  readonly plan: ScopePlan
  readonly stored: Stored
  readonly streams: readonly StreamRun[]
}

/**
 * One reading over the scopes that are left: recover, open, read and publish, close. An error that ends the epoch ends the session; the run then
 * begins another with what was published.
 */
export class Session {
  readonly #scopes: ScopeRun[] = []
  readonly #closing = new Map<ScopeRun, Promise<void>>()
  #epochError: SynclineError | undefined

  constructor(
    private readonly run: RunServices,
    private readonly plans: readonly ScopePlan[],
  ) {}

  /**
   * Whether anything was published that another session need not read again: not so a part of a generation that began here, as only a
   * session that goes on with it shows that the source can.
   */
  get progressed(): boolean {
    return this.#scopes.some(({ published, streams }) => published && streams.some((s) => !s.open || !s.restart))
  }

  /** Settles every scope (see `ScopePlan.end`), or throws what ended the session for those that are not settled. */
  async execute(): Promise<void> {
    const limit = pLimit(OPENING)
    const prepared = await Promise.all(this.plans.map((plan) => limit(() => this.#prepare(plan))))
    const ready = prepared.filter((scope) => scope !== undefined)
    if (ready.length > 0) await this.#readScopes(ready, limit)
    if (this.#epochError !== undefined) throw this.#epochError
  }

  async #readScopes(ready: readonly PreparedScope[], limit: Limit): Promise<void> {
    const { run } = this
    try {
      const reading = await this.#openReading(ready)
      try {
        await this.#begin(ready, reading, limit)
        const asked = new Set(ready.flatMap(({ streams }) => streams.map(({ key }) => key)))
        const slices = new SliceReader(run, reading, this.#scopes, asked, (scope) => this.#closeIfComplete(scope))
        await slices.readAll()
        this.#epochError ??= slices.epochError
        await Promise.all(this.#scopes.map((scope) => this.#close(scope)))
      } finally {
        await this.#closeReading(reading)
      }
    } finally {
      await Promise.all(
        ready.map(({ plan }) => run.owner.release(plan.ref).catch((error) => this.#warn('release', error))),
      )
    }
  }

  async #prepare(plan: ScopePlan): Promise<PreparedScope | undefined> {
    const { run } = this
    try {
      const details = { phase: 'recover', connector: run.destination.name } as const
      const stored = await withRetry(
        `recover ${plan.ref.scope}`,
        () => guarded(run.work.signal, 'STATE_FAILED', details, () => run.owner.read(plan.ref, run.work)),
        run.retry,
        run.onRetry,
        run.work.signal,
      )
      return { plan, stored, streams: prepareScope(plan, stored.state, run) }
    } catch (error) {
      await run.owner.release(plan.ref).catch((cause) => this.#warn('release', cause))
      this.#endScope(plan, error)
      return undefined
    }
  }

  async #openReading(ready: readonly PreparedScope[]): Promise<Reading> {
    const { run } = this
    const scopes = ready.map(({ plan, stored, streams }): ReadScope => {
      const state = startState(streams, stored.state)
      return {
        scope: plan.ref.scope,
        streams: streams.map(({ stream, restart, native }) => ({ stream, restart, ...(native && { native }) })),
        ...(state !== undefined && { state }),
      }
    })
    const until = run.continuous ? 'abort' : 'now'
    return guarded(run.work.signal, 'SOURCE_FAILED', { phase: 'open', connector: run.source.name }, () =>
      run.source.open({ scopes, until }, run.work),
    )
  }

  async #begin(ready: readonly PreparedScope[], reading: Reading, limit: Limit): Promise<void> {
    for (const { streams } of ready) {
      for (const stream of streams) {
        if (!stream.restart && reading.restarted.some((ref) => sameStream(ref, stream.ref))) {
          stream.beginGeneration()
          this.run.events.emit('stream:restarted', { stream: stream.ref, generation: stream.generation })
        }
        this.run.events.emit('stream:started', { stream: stream.ref, generation: stream.generation })
      }
    }
    await Promise.all(ready.map((scope) => limit(() => this.#openScope(scope, reading))))
  }

  async #openScope({ plan, stored, streams }: PreparedScope, reading: Reading): Promise<void> {
    const { run } = this
    const details = { phase: 'open', connector: run.destination.name } as const
    let load: Load | undefined
    try {
      const source = startState(streams, stored.state)
      const states: ScopeState = {
        source: source ?? null,
        streams: { ...stored.state?.streams, ...Object.fromEntries(streams.map((s) => [s.key, s.state(s.open)])) },
      }
      const version = await withRetry(
        `claim ${plan.ref.scope}`,
        () =>
          guarded(run.work.signal, 'STATE_FAILED', details, () =>
            run.owner.claim(plan.ref, states, stored.version, run.work),
          ),
        run.retry,
        run.onRetry,
        run.work.signal,
      )
      load = await withRetry(
        `open ${plan.ref.scope}`,
        () =>
          guarded(run.work.signal, 'DESTINATION_FAILED', details, () =>
            run.destination.open(
              {
                scope: plan.ref,
                version,
                ...(stored.state && { state: stored.state }),
                budget: run.budget,
                streams: streams.map((stream) => stream.loadStream()),
              },
              run.work,
            ),
          ),
        run.retry,
        run.onRetry,
        run.work.signal,
      )
      // With a state store the claim already saved the new generations; else the first publish does.
      const saved = version === stored.version ? (stored.state?.streams ?? {}) : states.streams
      const scope = new ScopeRun(
        plan,
        streams,
        load,
        { source, version, streams: saved },
        {
          owner: run.owner,
          reading,
          events: run.events,
          cadence: run.cadence,
          retry: run.retry,
          onRetry: run.onRetry,
          settle: run.settle,
          source: run.source.name,
          destination: run.destination.name,
        },
      )
      this.#scopes.push(scope)
      for (const stream of streams) if (stream.setAside) scope.setAside(stream, stream.setAside)
    } catch (error) {
      await load?.close(run.settle).catch((cause: unknown) => this.#warn('close', cause))
      plan.noteLost(error, streams)
      this.#endScope(plan, error)
    }
  }

  /** Frees what a scope holds as soon as it is done, and not only at the end of the run. */
  #closeIfComplete(scope: ScopeRun): void {
    if (scope.reading === 0 && this.#isDone(scope)) void this.#close(scope)
  }

  /** Of a change log more slices may come after its streams are planned. */
  #isDone(scope: ScopeRun): boolean {
    return scope.complete && !scope.streams.some(({ stream }) => stream.changeLog)
  }

  #close(scope: ScopeRun): Promise<void> {
    const closing = this.#closing.get(scope) ?? this.#closeScope(scope)
    this.#closing.set(scope, closing)
    return closing
  }

  async #closeScope(scope: ScopeRun): Promise<void> {
    const { plan } = scope
    await scope.finish()
    await scope.load.close(this.run.settle).catch((error: unknown) => this.#warn('close', error))
    if (scope.error !== undefined) {
      plan.noteLost(scope.error, scope.streams)
      return this.#endScope(plan, scope.error)
    }
    // The next session goes on with it.
    if (this.#epochError !== undefined && !this.run.work.signal.aborted && !this.#isDone(scope)) return
    const cancelled = this.run.work.signal.aborted && !scope.complete
    plan.end(cancelled ? 'cancelled' : 'succeeded')
  }

  #endScope(plan: ScopePlan, error: unknown): void {
    if (this.run.work.signal.aborted && !isSynclineError(error)) plan.end('cancelled')
    else if (endsEpoch(error)) this.#epochError ??= error
    else plan.end('failed', connectorError(error, 'PIPELINE_FAILED', {}))
  }

  async #closeReading(reading: Reading): Promise<void> {
    await reading.close(this.run.settle).catch((error: unknown) => this.#warn('close', error))
  }

  #warn(what: string, error: unknown): void {
    const { code, message } = connectorError(error, 'PIPELINE_FAILED', {})
    this.run.work.log('warn', `Could not ${what}: ${message}`, { code })
  }
}

/** The source state that a session begins with: nothing where every stream of the scope begins anew. */
function startState(streams: readonly StreamRun[], saved: ScopeState | undefined) {
  return streams.every(({ restart }) => restart) ? undefined : (saved?.source ?? undefined)
}
