/** Bytes in memory that threads share, in chunks of equal size. */
export interface SharedBytes {
  readonly chunks: readonly SharedArrayBuffer[]
  readonly bytes: number
}

export const CHUNK_BYTES = 256 * 1024
/** Free memory that is kept for the next row groups. */
const MOST_FREE = 32 * 1024 ** 2

/**
 * Memory in which row groups are gathered and from which a thread reads them. It is used again and again: the system clears fresh pages one by
 * one, which costs more than the copy into them. Chunks of one size fit every group, so that what is held is what is used.
 */
export class SharedBuffers {
  readonly #free: SharedArrayBuffer[] = []

  take(): SharedArrayBuffer {
    return this.#free.pop() ?? new SharedArrayBuffer(CHUNK_BYTES)
  }

  give(chunks: readonly SharedArrayBuffer[]): void {
    const room = MOST_FREE / CHUNK_BYTES - this.#free.length
    this.#free.push(...chunks.slice(0, Math.max(0, room)))
  }
}
