export interface Backoff {
  /** Wait before the first retry, in milliseconds. */
  readonly initial: number
  readonly factor: number
  /** Longest wait, in milliseconds. */
  readonly max: number
}

/** The wait before a retry (counted from 1), with full jitter in its upper half. */
export function backoffDelay(retry: number, backoff: Backoff, random: () => number = Math.random): number {
  const full = Math.min(backoff.max, backoff.initial * backoff.factor ** (retry - 1))
  return full / 2 + (full / 2) * random()
}
