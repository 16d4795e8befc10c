import type { StreamRef } from '../model/stream.js'
import { type ErrorCode, type RetryPolicy, retryPolicy } from './codes.js'

/** What syncline was doing. */
export type ErrorPhase =
  | 'configure'
  | 'check'
  | 'discover'
  | 'recover'
  | 'open'
  | 'read'
  | 'normalize'
  | 'write'
  | 'publish'
  | 'acknowledge'
  | 'close'

export interface SynclineErrorOptions {
  readonly phase?: ErrorPhase
  readonly stream?: StreamRef
  /** Name of the source, destination or store. */
  readonly connector?: string
  /** What the reader can do about it. */
  readonly hint?: string
  readonly cause?: unknown
}

const MARK = Symbol.for('syncline.error')

/**
 * The one error class. Told by {@link isSynclineError}, not by `instanceof`, so that two copies of the library in one program understand each
 * other. Messages and hints hold no record values, connection strings or secrets.
 */
export class SynclineError extends Error {
  override readonly name: string = 'SynclineError'
  readonly code: ErrorCode
  readonly phase: ErrorPhase | undefined
  readonly stream: StreamRef | undefined
  readonly connector: string | undefined
  readonly hint: string | undefined
  /** What the pipeline does about it. */
  readonly retry: RetryPolicy
  readonly [MARK] = true

  constructor(code: ErrorCode, message: string, options: SynclineErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.phase = options.phase
    this.stream = options.stream
    this.connector = options.connector
    this.hint = options.hint
    this.retry = retryPolicy(code)
  }

  /** JSON-safe, without cause and stack. */
  toJSON(): { [key: string]: unknown } {
    const { name, code, message, phase, stream, connector, hint, retry } = this
    return { name, code, message, phase, stream, connector, hint, retry }
  }
}

export function isSynclineError(error: unknown): error is SynclineError {
  return typeof error === 'object' && error !== null && MARK in error
}

/**
 * The error itself if it is a `SynclineError` (with missing details filled in), else a new one with the given code and the original as its
 * cause. Whoever calls it must know that the original's message is safe to show; else give a message.
 */
export function toSynclineError(
  error: unknown,
  code: ErrorCode,
  options: SynclineErrorOptions & { readonly message?: string } = {},
): SynclineError {
  if (isSynclineError(error)) {
    if (hasAll(error, options)) return error
    return new SynclineError(error.code, error.message, {
      ...options,
      ...definedDetails(error),
      cause: error.cause ?? error,
    })
  }
  const message = options.message ?? (error instanceof Error ? error.message : 'An unknown value was thrown.')
  return new SynclineError(code, message, { ...options, cause: error })
}

type Details = Pick<SynclineErrorOptions, 'phase' | 'stream' | 'connector' | 'hint'>
const DETAILS = ['phase', 'stream', 'connector', 'hint'] as const

function hasAll(error: SynclineError, options: Details): boolean {
  return DETAILS.every((detail) => options[detail] === undefined || error[detail] !== undefined)
}

function definedDetails(error: SynclineError): Details {
  return Object.fromEntries(
    DETAILS.filter((detail) => error[detail] !== undefined).map((detail) => [detail, error[detail]]),
  )
}
