/** Bytes at the beginning of a buffer that threads share. */
export interface SharedBytes {
  readonly buffer: SharedArrayBuffer
  readonly bytes: number
}

const SMALLEST = 1024 ** 2
/** Free memory that is kept for the next row groups. */
const MOST_FREE = 64 * 1024 ** 2

/**
 * Memory in which row groups are gathered and from which a thread reads them. It is used again and again: the system clears fresh pages one by
 * one, which costs more than the copy into them.
 */
export class SharedBuffers {
  /** Ascending by size. */
  #free: SharedArrayBuffer[] = []

  /** A buffer of at least so many bytes; it grows by doubling from one that is full. */
  take(least: number): SharedArrayBuffer {
    const index = this.#free.findIndex(({ byteLength }) => byteLength >= least)
    if (index >= 0) return this.#free.splice(index, 1)[0]!
    let size = SMALLEST
    while (size < least) size *= 2
    return new SharedArrayBuffer(size)
  }

  give(buffer: SharedArrayBuffer): void {
    this.#free.push(buffer)
    this.#free.sort((a, b) => a.byteLength - b.byteLength)
    // Small ones are the first to go: they would have to grow.
    while (this.#free.reduce((sum, { byteLength }) => sum + byteLength, 0) > MOST_FREE) this.#free.shift()
  }
}
