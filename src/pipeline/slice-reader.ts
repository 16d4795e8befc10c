import { isSynclineError, SynclineError } from '../errors/syncline-error.js'
import type { Slice } from '../model/slice.js'
import { type StreamRef, sameStream, streamKey } from '../model/stream.js'
import type { Reading } from '../source/source.js'
import { connectorError, endsEpoch, guarded } from './guard.js'
import { firstOf, pull } from './lifecycle.js'
import { RetryCounter } from './retry.js'
import type { RunServices } from './run.js'
import type { ScopeRun } from './scope-run.js'
import { SliceAttempt } from './slice-run.js'
import { Slots } from './slots.js'
import type { StreamRun } from './stream-run.js'

/** Reads the slices of one reading, so many at a time, each after those that it waits for. Used once. */
export class SliceReader {
  /** What ended the epoch: everything that is not published has to be read again by another reading. */
  epochError: SynclineError | undefined
  readonly #bySlice = new Map<string, Promise<void>>()
  readonly #stop = new AbortController()

  constructor(
    private readonly run: RunServices,
    private readonly reading: Reading,
    private readonly scopes: readonly ScopeRun[],
    /** Keys of the streams that the reading was opened for; the scopes of some may have ended since. */
    private readonly asked: ReadonlySet<string>,
    /** Called when a slice of the scope has ended or a stream of it is planned. */
    private readonly onProgress: (scope: ScopeRun) => void,
  ) {}

  /** Never throws: what fails is noted at its scope, or ends the epoch. */
  async readAll(): Promise<void> {
    const { run, reading } = this
    const slots = new Slots(run.concurrency)
    const work = firstOf(run.work.signal, this.#stop.signal)
    const tasks: Promise<void>[] = []
    const items = pull(() => reading.slices({ ...run.work, signal: work }), work, run.settle.signal)
    try {
      for (;;) {
        await slots.acquire(work)
        let held = true
        try {
          const next = await guarded(work, 'SOURCE_FAILED', { phase: 'read', connector: run.source.name }, () =>
            items.next(),
          )
          if (next.done) break
          if ('planned' in next.value) this.#planned(next.value.planned)
          else {
            const task = this.#startSlice(next.value, slots, work)
            if (task !== undefined) {
              held = false
              tasks.push(task)
            }
          }
        } finally {
          if (held) slots.release()
        }
      }
      for (const scope of this.scopes) for (const stream of scope.streams) stream.planned = true
    } catch (error) {
      this.#endReading(error)
    }
    await Promise.all([...tasks, items.return(undefined)])
  }

  /** Reads a slice when those that it comes after are done; undefined where its scope has ended. */
  #startSlice(slice: Slice, slots: Slots, work: AbortSignal): Promise<void> | undefined {
    if (slice.streams.length === 0 || slice.streams.some((ref) => !this.asked.has(streamKey(ref)))) {
      // To leave it out would make an empty table of the stream that it was meant for.
      throw new SynclineError('SOURCE_PROTOCOL_VIOLATION', `The slice ${slice.id} is of no stream that is read.`, {
        phase: 'read',
        connector: this.run.source.name,
        hint: 'This is a bug of the source connector.',
      })
    }
    const scope = this.#scopeOf(slice.streams[0])
    if (scope === undefined || scope.stop.signal.aborted) return undefined
    const streams = scope.streams.filter(({ ref }) => slice.streams.some((other) => sameStream(ref, other)))
    if (streams.every((stream) => stream.setAside !== undefined)) return undefined
    scope.unread.add(slice.id)
    scope.reading++
    for (const stream of streams) {
      stream.tally.begin()
      if (!stream.planned) stream.unproved.add(slice.id)
    }
    const before = (slice.after ?? []).flatMap((id) => this.#bySlice.get(id) ?? [])
    const task = (async () => {
      let held = true
      try {
        if (before.length > 0) {
          slots.release() // others may go on meanwhile, those that it waits for among them
          held = false
          await Promise.all(before)
          await slots.acquire(work)
          held = true
          if (scope.stop.signal.aborted || streams.every((stream) => stream.setAside !== undefined)) return
        }
        await this.#readSlice(slice, scope, work)
      } catch (error) {
        this.#sliceFailed(slice, scope, streams, error)
      } finally {
        if (held) slots.release()
        scope.reading--
        this.onProgress(scope)
      }
    })()
    this.#bySlice.set(slice.id, task)
    return task
  }

  async #readSlice(slice: Slice, scope: ScopeRun, work: AbortSignal): Promise<void> {
    const { run, reading } = this
    const signal = firstOf(work, scope.stop.signal)
    const retry = new RetryCounter(`read slice ${slice.id}`, run.retry, run.onRetry)
    let after = slice.resume
    for (let number = 1; ; number++) {
      const attempt = new SliceAttempt(slice, number, after, {
        scope,
        reading,
        budget: run.budget,
        events: run.events,
        valuePolicy: run.valuePolicy,
        copiesRows: run.destination.capabilities.copiesRows ?? false,
        cadence: run.cadence,
        extractedAt: run.extractedAt,
        work: { ...run.work, signal },
        settle: run.settle,
        source: run.source.name,
        destination: run.destination.name,
      })
      try {
        return await attempt.run()
      } catch (error) {
        if (attempt.after !== after) retry.progressed()
        after = attempt.after
        if (endsEpoch(error) || signal.aborted) throw error
        const lost = slice.streams.length > 1 ? blamedStream(scope, error) : undefined
        if (lost === undefined) await retry.again(error, signal)
        else scope.setAside(lost, error as SynclineError) // the others of the slice read on
      }
    }
  }

  #sliceFailed(slice: Slice, scope: ScopeRun, streams: readonly StreamRun[], error: unknown): void {
    const { run } = this
    if (endsEpoch(error)) {
      scope.plan.noteLost(error, scope.streams)
      this.epochError ??= error
      this.#stop.abort(error)
      return
    }
    if (run.work.signal.aborted || this.#stop.signal.aborted || scope.stop.signal.aborted) return
    const known = connectorError(error, 'PIPELINE_FAILED', { phase: 'read' })
    const [only] = streams
    scope.unread.delete(slice.id)
    if (scope.streams.length > 1 && streams.length === 1 && only !== undefined) scope.setAside(only, known)
    else scope.fail(known)
  }

  /** The iteration of slices ended early: by an abort, by the end of the epoch, or by an error of the source. */
  #endReading(error: unknown): void {
    if (this.run.work.signal.aborted || this.#stop.signal.aborted) return
    const known = connectorError(error, 'SOURCE_FAILED', { phase: 'read', connector: this.run.source.name })
    if (known.retry === 'automatic') {
      this.epochError ??= known
      this.#stop.abort(known)
    } else for (const scope of this.scopes) scope.fail(known)
  }

  #planned(ref: StreamRef): void {
    const scope = this.#scopeOf(ref)
    const stream = scope?.streams.find((candidate) => sameStream(candidate.ref, ref))
    if (scope === undefined || stream === undefined) return
    stream.planned = true
    this.onProgress(scope)
  }

  #scopeOf(ref: StreamRef | undefined): ScopeRun | undefined {
    return this.scopes.find((scope) => ref !== undefined && scope.streams.some((stream) => sameStream(stream.ref, ref)))
  }
}

/** The stream of a shared slice that alone is to blame for an error that will not pass. */
function blamedStream(scope: ScopeRun, error: unknown): StreamRun | undefined {
  if (!isSynclineError(error) || error.retry === 'automatic' || error.stream === undefined) return undefined
  const key = streamKey(error.stream)
  return scope.streams.find((stream) => stream.key === key && stream.setAside === undefined)
}
