import type { Stream, StreamRef } from './stream.js'
import type { DestinationSyncMode, SyncMode } from './sync-mode.js'

/**
 * A stream as one pipeline reads and writes it. `schema` is already cut down to the selected fields, in the source's order.
 * `scope` is always set here.
 */
export interface ConfiguredStream extends Stream {
  readonly scope: string
  readonly syncMode: SyncMode
  readonly destinationSyncMode: DestinationSyncMode
  /** Set for every incremental stream whose order the source does not define itself. */
  readonly cursorField?: string
  /** What the destination calls it, after namespace mapping and prefix, before its own cleaning of names. */
  readonly target: StreamRef
}

export interface ConfiguredCatalog {
  readonly streams: readonly ConfiguredStream[]
}
