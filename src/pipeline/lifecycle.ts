import { setMaxListeners } from 'node:events'
import { SynclineError } from '../errors/syncline-error.js'
import { orAbort } from '../util/abort.js'

/**
 * The two signals of a run. `work` is the host's abort: pulling and writing stop. `settle` goes to seal, publish, discard and close, so that what is
 * under way ends properly; it aborts only when the deadline after an abort has passed.
 */
export interface RunSignals {
  readonly work: AbortSignal
  readonly settle: AbortSignal
  /** Rejects a moment after `settle` aborts: a connector that listens to no signal is left behind, instead of holding the run for ever. */
  readonly abandoned: Promise<never>
  /** Forgets the timer. */
  dispose(): void
}

export function runSignals(host: AbortSignal | undefined, closeTimeout: number): RunSignals {
  const work = new AbortController()
  const settle = new AbortController()
  // Every wait of a run listens; their number says nothing about a leak.
  setMaxListeners(0, work.signal, settle.signal)
  let timer: NodeJS.Timeout | undefined
  let abandon: (reason: unknown) => void = () => {}
  const abandoned = new Promise<never>((_, reject) => {
    abandon = reject
  })
  abandoned.catch(() => {}) // heard only while a run waits
  const abort = () => {
    work.abort(host!.reason)
    timer = setTimeout(() => {
      settle.abort(unsettled(closeTimeout))
      timer = setTimeout(() => abandon(settle.signal.reason), GRACE_MS)
    }, closeTimeout)
  }
  if (host?.aborted) abort()
  else host?.addEventListener('abort', abort, { once: true })
  return {
    work: work.signal,
    settle: settle.signal,
    abandoned,
    dispose() {
      clearTimeout(timer)
      host?.removeEventListener('abort', abort)
    },
  }
}

/** What connectors that do listen have for closing once the deadline has passed. */
const GRACE_MS = 1000

function unsettled(closeTimeout: number): SynclineError {
  return new SynclineError('PIPELINE_CANCELLED', `The run was aborted, and did not end within ${closeTimeout} ms.`, {
    hint: 'See what the connector waits for, or raise closeTimeout. The next run goes on from what was published.',
  })
}

/** Aborts with the first of them; like the signals of a run, for any number of listeners. */
export function firstOf(...signals: readonly AbortSignal[]): AbortSignal {
  const signal = AbortSignal.any([...signals])
  setMaxListeners(0, signal)
  return signal
}

/**
 * The items of an iterable, which is asked for with the first one, until the signal aborts. Leaving early returns the iterator and waits for that no longer than `settle` allows, so
 * that a connector that does not listen cannot hold a run for ever.
 */
export async function* pull<T>(
  items: () => AsyncIterable<T>,
  work: AbortSignal,
  settle: AbortSignal,
): AsyncGenerator<T> {
  const iterator = items()[Symbol.asyncIterator]()
  let ended = false
  try {
    for (;;) {
      work.throwIfAborted() // before the connector is asked for more
      const next = await orAbort(iterator.next(), work)
      if (next.done) {
        ended = true
        return
      }
      yield next.value
    }
  } finally {
    // Also after an error of `next`: an iterator that is no generator may still hold something. The cause of leaving is what counts.
    if (!ended) await orAbort(Promise.resolve(iterator.return?.()), settle).catch(() => {})
  }
}
