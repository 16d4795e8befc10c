import type { Batch } from '../../model/batch.js'
import { type RowDecoder, violation } from './decode-rows.js'

const COPY_DATA = 0x64
/** Code and length of a message. */
const FRAME = 5
const SIGNATURE = [0x50, 0x47, 0x43, 0x4f, 0x50, 0x59, 0x0a, 0xff, 0x0d, 0x0a, 0x00]
/** Signature, flags, length of the extension. */
const HEADER = SIGNATURE.length + 8

export interface BatchLimits {
  readonly rows: number
  readonly bytes: number
}

/**
 * Takes CopyData messages off the connection's bytes, wherever these are cut, and gives their rows to the decoder. The server puts every
 * row into a message of its own, the header into the first one's beginning and the trailer into the last.
 */
export class CopyFrames {
  /** Rows so far. */
  rows = 0
  /** Finished batches, in order; the reader takes them out. */
  readonly ready: Batch[] = []
  private headerSeen = false
  private trailerSeen = false
  /** A message that was cut, and how much of it is here. */
  private cut = Buffer.alloc(0)
  private cutBytes = 0

  constructor(
    private readonly decoder: RowDecoder,
    private readonly limits: BatchLimits,
  ) {}

  /**
   * Takes from the chunk, from `start`, until it ends or a message of another kind begins; returns where that is.
   * A message that the chunk cuts is kept (copied) until the rest comes.
   */
  take(chunk: Buffer, start: number): number {
    let at = this.cutBytes === 0 ? start : this.completeCut(chunk, start)
    if (this.cutBytes !== 0) return at
    const view = viewOf(chunk)
    const { length } = chunk
    while (at < length) {
      if (chunk[at] !== COPY_DATA) return at
      if (at + FRAME > length) break
      const end = at + 1 + messageLength(view, at)
      if (end > length) break
      this.message(chunk, view, at + FRAME, end)
      at = end
    }
    if (at < length) this.keepCut(chunk, at)
    return length
  }

  /** Called when the server has ended the copy: the rows that are left over as a last batch. */
  end(): void {
    if (!this.trailerSeen || this.cutBytes !== 0) throw violation('it ended early')
    if (this.decoder.rows > 0) this.ready.push(this.decoder.finish())
  }

  private message(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    if (this.trailerSeen) throw violation('something follows its trailer')
    let at = start
    if (!this.headerSeen) {
      at = headerEnd(bytes, view, start, end)
      this.headerSeen = true
      if (at === end) return
    }
    if (end - at === 2 && view.getInt16(at) === -1) {
      this.trailerSeen = true
      return
    }
    this.decoder.decode(bytes, view, at, end)
    this.rows++
    if (this.decoder.rows >= this.limits.rows || this.decoder.bytes >= this.limits.bytes) {
      this.ready.push(this.decoder.finish())
    }
  }

  private completeCut(chunk: Buffer, start: number): number {
    let at = start
    if (this.cutBytes < FRAME) at = this.fillCut(chunk, at, FRAME)
    if (this.cutBytes < FRAME) return at
    const size = 1 + messageLength(viewOf(this.cut), 0)
    this.reserveCut(size)
    at = this.fillCut(chunk, at, size)
    if (this.cutBytes < size) return at
    this.cutBytes = 0
    this.message(this.cut, viewOf(this.cut), FRAME, size)
    // An oversized value's memory is not kept for the next small one.
    if (this.cut.length > this.limits.bytes) this.cut = Buffer.alloc(0)
    return at
  }

  private keepCut(chunk: Buffer, start: number): void {
    const here = chunk.length - start
    this.reserveCut(here < FRAME ? FRAME : 1 + messageLength(viewOf(chunk), start))
    this.fillCut(chunk, start, here)
  }

  private fillCut(chunk: Buffer, start: number, upTo: number): number {
    const end = Math.min(chunk.length, start + upTo - this.cutBytes)
    chunk.copy(this.cut, this.cutBytes, start, end)
    this.cutBytes += end - start
    return end
  }

  private reserveCut(size: number): void {
    if (this.cut.length >= size) return
    const larger = Buffer.allocUnsafeSlow(Math.max(size, 4096))
    this.cut.copy(larger, 0, 0, this.cutBytes)
    this.cut = larger
  }
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

function messageLength(view: DataView, start: number): number {
  const length = view.getInt32(start + 1)
  if (length < 4) throw violation('a message has no length')
  return length
}

function headerEnd(bytes: Uint8Array, view: DataView, start: number, end: number): number {
  if (end - start < HEADER || SIGNATURE.some((byte, index) => bytes[start + index] !== byte)) {
    throw violation('it does not begin with its signature')
  }
  // The upper half of the flags must be understood; nothing in it is known today.
  if (view.getUint16(start + SIGNATURE.length) !== 0) throw violation('it has flags that are not known')
  const afterExtension = start + HEADER + view.getInt32(start + HEADER - 4)
  if (afterExtension < start + HEADER || afterExtension > end) throw violation('its header ends early')
  return afterExtension
}
