import type { RecordSchema } from './schema.js'
import type { SyncMode } from './sync-mode.js'

/** Names one stream of one source. Two refs are the same stream when both parts are equal. */
export interface StreamRef {
  /** Database schema, folder, account: whatever parts streams of the same name. */
  readonly namespace?: string
  readonly name: string
}

/** What a source says about one of its streams. Plain JSON. */
export interface Stream extends StreamRef {
  readonly schema: RecordSchema
  /** How it can be read; never empty. */
  readonly syncModes: readonly SyncMode[]
  readonly primaryKey?: readonly string[]
  /** The cursor that is used when the configuration names none. */
  readonly defaultCursorField?: string
  /** True where only the source knows the order (a change log): a configured cursor field is then an error. */
  readonly sourceDefinedCursor?: boolean
  /** Streams with the same scope share one state. Left out: a scope of its own. */
  readonly scope?: string
  /**
   * True where the stream is a first copy followed by changes, so that its first copy is a generation of its own
   * also when it is read incrementally.
   */
  readonly changeLog?: boolean
  readonly comment?: string
  readonly estimatedRecords?: number
}

/** The streams that a source offers. */
export interface Catalog {
  readonly streams: readonly Stream[]
}

/**
 * A ref as one string, without loss: dots and backslashes inside the parts are escaped. Ordinary names read as
 * `namespace.name`, or `name` without a namespace.
 */
export function streamKey(ref: StreamRef): string {
  const escaped = (part: string) => part.replace(/[\\.]/g, '\\$&')
  return ref.namespace === undefined ? escaped(ref.name) : `${escaped(ref.namespace)}.${escaped(ref.name)}`
}

/** Only the two naming parts of a ref, for messages, states and events. */
export function streamRef(ref: StreamRef): StreamRef {
  return ref.namespace === undefined ? { name: ref.name } : { namespace: ref.namespace, name: ref.name }
}

export function sameStream(a: StreamRef, b: StreamRef): boolean {
  return a.name === b.name && a.namespace === b.namespace
}
