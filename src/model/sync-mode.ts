/** How a stream is read. The values are the Airbyte protocol's words. */
export type SyncMode = 'full_refresh' | 'incremental'

/** How a stream is written. The values are the Airbyte protocol's words. */
export type DestinationSyncMode = 'overwrite' | 'append' | 'append_dedup'

/** A pair that a destination may support. */
export interface SyncModePair {
  readonly syncMode: SyncMode
  readonly destinationSyncMode: DestinationSyncMode
}
