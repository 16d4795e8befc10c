import type { ErrorCode } from '../errors/codes.js'
import { isSynclineError, SynclineError, type SynclineErrorOptions } from '../errors/syncline-error.js'
import type { StreamRef } from '../model/stream.js'
import { streamKey } from '../model/stream.js'
import { shortList } from '../util/short-list.js'

/** Records and bytes, and the time they took. */
export interface Metrics {
  /** Records that were read, published and are covered by the saved state (rejected ones not counted). */
  readonly records: number
  /** Records that are stored in `_syncline_rejected` instead. */
  readonly rejected: number
  /** Bytes published, as the destination counts them. */
  readonly bytes: number
  /** Of a stream: from its first slice to its last publish. */
  readonly durationMs: number
  /** Records per second. */
  readonly throughput: number
}

export interface StreamResult extends Metrics {
  readonly stream: StreamRef
  readonly status: 'succeeded' | 'failed' | 'cancelled'
  /** Present when it failed. */
  readonly error?: SynclineError
}

export interface RunResult extends Metrics {
  readonly run: string
  readonly pipeline: string
  /** `partial`: some streams succeeded and some failed. `cancelled`: the signal was aborted; what was published stays. */
  readonly status: 'succeeded' | 'partial' | 'failed' | 'cancelled'
  readonly startedAt: string
  readonly streams: readonly StreamResult[]
}

/**
 * What `run()` rejects with, with the whole result: the error of the stream that failed; of several, their code and hint where they have
 * the same code (`STATE_LOCKED`, for one), else `PIPELINE_STREAMS_FAILED`. Told by {@link isRunError}.
 */
export class RunError extends SynclineError {
  override readonly name = 'RunError'
  readonly result: RunResult

  constructor(code: ErrorCode, message: string, options: SynclineErrorOptions, result: RunResult) {
    super(code, message, options)
    this.result = result
  }
}

/** Whether `run()` rejected with it: a `SynclineError` with the result of a run. */
export function isRunError(error: unknown): error is RunError {
  return isSynclineError(error) && error.name === 'RunError'
}

export function runError(result: RunResult, cause?: SynclineError): RunError {
  const failures = result.streams.filter((stream) => stream.status === 'failed')
  const only = cause ?? (failures.length === 1 ? failures[0]!.error : undefined)
  if (only !== undefined) {
    return new RunError(only.code, only.message, { ...details(only), cause: only }, result)
  }
  const first = failures[0]?.error
  const alike = first !== undefined && failures.every(({ error }) => error?.code === first.code)
  return new RunError(
    alike ? first.code : 'PIPELINE_STREAMS_FAILED',
    `${failures.length} of ${result.streams.length} streams failed. ${failureTexts(failures).join(' ')}`,
    {
      ...(alike && first.phase && { phase: first.phase }),
      ...(alike && first.connector && { connector: first.connector }),
      hint: [...(alike && first.hint ? [first.hint] : []), 'error.result.streams holds the error of each.'].join(' '),
      cause: first,
    },
    result,
  )
}

/** What went wrong, each once, with the streams that it hit. */
function failureTexts(failures: readonly StreamResult[]): string[] {
  const streams = new Map<string, string[]>()
  for (const { stream, error } of failures) {
    const text = `${error?.code} ${error?.message}`
    streams.set(text, [...(streams.get(text) ?? []), streamKey(stream)])
  }
  const texts = [...streams].map(([text, names]) => `${shortList(names, 5)}: ${text}`)
  const more = texts.length - 5
  return more > 0 ? [...texts.slice(0, 5), `And ${more} more reasons.`] : texts
}

function details(error: SynclineError): SynclineErrorOptions {
  const { phase, stream, connector, hint } = error
  return {
    ...(phase && { phase }),
    ...(stream && { stream }),
    ...(connector && { connector }),
    ...(hint && { hint }),
  }
}

export function metrics(records: number, rejected: number, bytes: number, durationMs: number): Metrics {
  return {
    records,
    rejected,
    bytes,
    durationMs,
    throughput: durationMs > 0 ? Math.round((records * 1000) / durationMs) : 0,
  }
}
