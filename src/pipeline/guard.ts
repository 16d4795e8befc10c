import type { ErrorCode } from '../errors/codes.js'
import { isSynclineError, SynclineError, type SynclineErrorOptions, toSynclineError } from '../errors/syncline-error.js'

/**
 * A connector's error as the pipeline reports it. Messages of unknown errors may hold values or secrets, so they stay in the cause.
 */
export function connectorError(error: unknown, code: ErrorCode, options: SynclineErrorOptions): SynclineError {
  if (isSynclineError(error)) return toSynclineError(error, code, options)
  const kind = error instanceof Error ? error.name : typeof error
  return new SynclineError(code, `${options.connector ?? 'The connector'} failed with an unexpected error (${kind}).`, {
    hint: 'The original error is in `cause`.',
    ...options,
    cause: error,
  })
}

/** Calls a connector; what it throws becomes a `SynclineError` with these details, but an abort stays an abort. */
export async function guarded<T>(
  signal: AbortSignal,
  code: ErrorCode,
  options: SynclineErrorOptions,
  call: () => Promise<T>,
): Promise<T> {
  try {
    return await call()
  } catch (error) {
    if (signal.aborted && !isSynclineError(error)) throw signal.reason
    throw connectorError(error, code, options)
  }
}

/** Whether everything that is not published has to be read again by another reading. */
export function endsEpoch(error: unknown): error is SynclineError {
  return isSynclineError(error) && (error.code === 'SOURCE_EPOCH_LOST' || error.code === 'DESTINATION_GENERATION_LOST')
}
