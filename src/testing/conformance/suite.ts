import type { ConfiguredStream } from '../../model/configured-stream.js'
import type { Context } from '../../model/context.js'
import { type Stream, type StreamRef, streamKey, streamRef } from '../../model/stream.js'
import type { SyncModePair } from '../../model/sync-mode.js'

/** The two functions of a test runner that a suite needs; those of vitest, jest, mocha and `node:test` all fit. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => void
  readonly it: (name: string, body: () => Promise<void>) => void
}

/** A context as a pipeline would give it. */
export function testContext(options: { readonly run?: string; readonly signal?: AbortSignal } = {}): Context {
  return {
    signal: options.signal ?? new AbortController().signal,
    log: () => {},
    now: () => new Date(),
    run: options.run ?? 'run-1',
  }
}

export function abortedContext(): Context {
  return testContext({ signal: AbortSignal.abort(new Error('aborted by the suite')) })
}

/** A stream as a pipeline would configure it, written under its own name. */
export function configured(
  stream: Stream,
  modes: SyncModePair,
  target: StreamRef = streamRef(stream),
): ConfiguredStream {
  const { defaultCursorField, ...rest } = stream
  const byCursor = modes.syncMode === 'incremental' && !stream.sourceDefinedCursor
  return {
    ...rest,
    scope: stream.scope ?? streamKey(stream),
    ...modes,
    target,
    ...(byCursor && defaultCursorField !== undefined && { cursorField: defaultCursorField }),
  }
}

/** What JSON keeps of a value, bigints and bytes included: two records are equal when their texts are. */
export function recordText(record: object): string {
  return JSON.stringify(record, (_key, value: unknown) => {
    if (typeof value === 'bigint') return `${value}n`
    if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
    if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
    return value
  })
}

export function sorted(texts: Iterable<string>): string[] {
  return [...texts].sort()
}

/** Frozen all the way down, so that a function that promises to be pure throws when it is not. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) deepFreeze(inner)
    Object.freeze(value)
  }
  return value
}

export function jsonCopy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}
