import type { Json } from './json.js'
import type { RecordSchema } from './schema.js'
import type { SyncMode } from './sync-mode.js'

/** Names one state: one stream, or all streams of a change log, of one pipeline. */
export interface ScopeRef {
  readonly pipeline: string
  readonly scope: string
}

/** What is kept of one stream between runs. */
export interface StreamState {
  /** Counts the lifetimes of a fully read table, from 1. */
  readonly generation: number
  /** Unique to this lifetime; part of physical names. */
  readonly generationId: string
  /** The generation is still being filled and not visible. */
  readonly open: boolean
  /** The normalizer's grown schema, opaque to everyone else. */
  readonly schema: Json
  /** How it was last read: a stream whose mode changes begins anew. */
  readonly syncMode: SyncMode
  /** The record schema that was last read, for the schema policy. */
  readonly recordSchema: RecordSchema
}

/** What must be kept to go on. Plain JSON. */
export interface ScopeState {
  /** The source's part, opaque to everyone else; `null` before the first proof. */
  readonly source: Json
  /** By stream key. */
  readonly streams: { readonly [streamKey: string]: StreamState }
}

/** A state as its owner has it. Before the first run: no state, version 0. */
export interface Stored {
  readonly state?: ScopeState
  readonly version: number
  /** The run that published it. */
  readonly run?: string
}
