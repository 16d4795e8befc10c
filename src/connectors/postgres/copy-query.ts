import type { Socket } from 'node:net'
import type { CopyFrames } from './copy-frames.js'
import { violation } from './decode-rows.js'

/** Decoding goes on for so long before timers and input of the host get their turn, in milliseconds. */
const TURN = 2.5

const ENDING = { copyDone: 0x63, error: 0x45 }

interface InnerConnection {
  readonly stream: Socket
  query(text: string): void
}

type DataListener = (chunk: Buffer) => void

/**
 * One COPY TO STDOUT as a query of the `pg` driver. While it runs it listens to the socket in the driver's place, because the driver would make an
 * object of every row; all messages but CopyData are passed on to the driver. The socket is paused while `wanted` says no.
 */
export class CopyQuery {
  /** The driver puts its timeout's clean-up here. */
  callback: ((error?: unknown) => void) | undefined
  /** Rows by the server's own count, once it is complete. */
  serverRows: number | undefined
  /** Set when the server is ready for the next query. */
  complete = false
  error: unknown
  private connection: InnerConnection | undefined
  private driverListeners: DataListener[] = []
  private ending = false
  private abandoned = false
  /** Bytes that are left of a message for the driver; its own length too while `lengthBytes` are missing. */
  private foreignBytes = 0
  private lengthBytes = 0
  private turnBegan = 0
  private turnScheduled = false
  private turnOver = false

  /**
   * @param changed Called when something happened that the reader may wait for.
   * @param wanted Whether more bytes should be read now.
   */
  constructor(
    private readonly text: string,
    private readonly frames: CopyFrames,
    private readonly changed: () => void,
    private readonly wanted: () => boolean,
  ) {}

  /** Lets the socket flow again, after `wanted` has become true. */
  resume(): void {
    if (!this.ending && !this.turnOver) this.connection?.stream.resume()
  }

  /** Nothing is read any more. Unless the server had already ended the copy, the connection is of no use afterwards and its owner must destroy it. */
  abandon(): void {
    this.abandoned = true
    if (!this.ending) this.connection?.stream.pause()
  }

  submit(connection: unknown): Error | null {
    if (this.abandoned) return new Error('The copy was given up before it began.')
    const inner = connection as InnerConnection
    this.connection = inner
    this.driverListeners = inner.stream.listeners('data') as DataListener[]
    for (const listener of this.driverListeners) inner.stream.removeListener('data', listener)
    inner.stream.on('data', this.onData)
    inner.query(this.text)
    return null
  }

  handleError(error: unknown): void {
    this.detach()
    this.error ??= error
    this.settle()
  }

  handleCommandComplete(message: { readonly text?: string }): void {
    const rows = /^COPY (\d+)$/.exec(message.text ?? '')?.[1]
    if (rows !== undefined) this.serverRows = Number(rows)
  }

  handleReadyForQuery(): void {
    this.complete = true
    this.settle()
  }

  // The driver may call these; a COPY has none of it.
  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleCopyData(): void {}
  handlePortalSuspended(): void {}
  handleEmptyQuery(): void {}

  private readonly onData = (chunk: Buffer): void => {
    if (this.abandoned) return
    this.beginTurn()
    try {
      this.takeChunk(chunk)
    } catch (error) {
      this.error = error
      this.abandon()
      this.settle()
      return
    }
    if (this.ending) return
    if (performance.now() - this.turnBegan > TURN) this.turnOver = true
    if (this.frames.ready.length > 0) this.changed()
    if (this.turnOver || !this.wanted()) this.connection!.stream.pause()
  }

  private takeChunk(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (this.foreignBytes > 0 || this.lengthBytes > 0) {
        at = this.passOn(chunk, at)
        continue
      }
      at = this.frames.take(chunk, at)
      if (at === chunk.length) return
      const code = chunk[at]
      if (code === ENDING.copyDone || code === ENDING.error) {
        if (code === ENDING.copyDone) this.frames.end()
        this.detach()
        this.toDriver(chunk.subarray(at))
        return
      }
      // Notices, notifications, changed parameters: a byte of code, then four of length, which counts itself.
      this.toDriver(chunk.subarray(at, at + 1))
      at += 1
      this.lengthBytes = 4
    }
  }

  private passOn(chunk: Buffer, start: number): number {
    let at = start
    for (; this.lengthBytes > 0 && at < chunk.length; at++) {
      this.foreignBytes = this.foreignBytes * 256 + chunk[at]!
      if (--this.lengthBytes === 0) this.foreignBytes -= 4
      if (this.foreignBytes < 0) throw violation('a message has no length')
      this.toDriver(chunk.subarray(at, at + 1))
    }
    if (this.lengthBytes > 0) return at
    const end = Math.min(chunk.length, at + this.foreignBytes)
    if (end > at) this.toDriver(chunk.subarray(at, end))
    this.foreignBytes -= end - at
    return end
  }

  /** Marks when this turn of the event loop began, and when it is over. */
  private beginTurn(): void {
    if (this.turnScheduled) return
    this.turnScheduled = true
    this.turnBegan = performance.now()
    setImmediate(() => {
      this.turnScheduled = false
      if (!this.turnOver) return
      this.turnOver = false
      if (!this.abandoned && this.wanted()) this.resume()
    })
  }

  private toDriver(bytes: Buffer): void {
    for (const listener of this.driverListeners) listener.call(this.connection!.stream, bytes)
  }

  private detach(): void {
    if (this.ending || this.connection === undefined) return
    this.ending = true
    const { stream } = this.connection
    stream.removeListener('data', this.onData)
    for (const listener of this.driverListeners) stream.on('data', listener)
    stream.resume()
  }

  private settle(): void {
    this.callback?.()
    this.changed()
  }
}
