import { isSynclineError, type SynclineError } from '../errors/syncline-error.js'
import { delay } from '../util/abort.js'
import { type Backoff, backoffDelay } from '../util/backoff.js'

export interface RetryOptions extends Backoff {
  /** Attempts in a row without progress, the first one included. */
  readonly attempts: number
}

export type OnRetry = (what: string, attempt: number, delayMs: number, error: SynclineError) => void

/** Counts attempts without progress and waits between them. */
export class RetryCounter {
  #failures = 0

  constructor(
    readonly what: string,
    private readonly options: RetryOptions,
    private readonly onRetry: OnRetry,
  ) {}

  progressed(): void {
    this.#failures = 0
  }

  /** Waits for the next attempt, or throws the error: its policy is not automatic, or there have been enough attempts. */
  async again(error: unknown, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (!isSynclineError(error) || error.retry !== 'automatic') throw error
    this.#failures++
    if (this.#failures >= this.options.attempts) throw error
    const wait = backoffDelay(this.#failures, this.options)
    this.onRetry(this.what, this.#failures, Math.round(wait), error)
    await delay(wait, signal)
  }
}

/** Calls until it succeeds, its error is not automatic, or the attempts are used up. */
export async function withRetry<T>(
  what: string,
  call: () => Promise<T>,
  options: RetryOptions,
  onRetry: OnRetry,
  signal: AbortSignal,
): Promise<T> {
  const counter = new RetryCounter(what, options, onRetry)
  for (;;) {
    try {
      return await call()
    } catch (error) {
      await counter.again(error, signal)
    }
  }
}
