/** A total order over the changes of one log: the log position (commit), then the ordinal inside it. */
export interface OrderKey {
  /** Unsigned 64-bit log position. */
  readonly position: bigint
  readonly ordinal: number
}

export const OPERATION = { insert: 0, update: 1, delete: 2 } as const

/** What makes a batch a change batch, column by column; each array is as long as the batch. */
export interface BatchChanges {
  /** One of `OPERATION` per row. */
  readonly operations: Uint8Array
  readonly positions: BigUint64Array
  readonly ordinals: Uint32Array
  /** For columns with values that the log did not carry (unchanged TOAST): 1 per such row. The column holds null there. */
  readonly unchanged?: ReadonlyMap<string, Uint8Array>
}
