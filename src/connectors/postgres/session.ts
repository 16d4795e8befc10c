import { connect } from 'node:net'
import type pg from 'pg'
import { postgresError } from './errors.js'

/** All values as the text that the server sent. */
export type TextRow<Column extends string> = { readonly [name in Column]: string | null }

// The host may have set parsers for the whole process; these queries do not depend on them.
const AS_TEXT = { getTypeParser: () => (value: string) => value } as unknown as pg.CustomTypesConfig

/** How long a polite goodbye may take before the socket is closed. */
const GOODBYE = 2000

const ignore = () => {}

/** One connection, for one user at a time. */
export class Session {
  #ended = false
  #lost: Error | undefined
  readonly #onLost = new Set<() => void>()
  readonly #listener = (error: Error) => this.#lose(error)
  readonly #endListener = () => this.#lose(new Error('Connection terminated unexpectedly'))

  constructor(
    readonly client: pg.ClientBase,
    private readonly release: (destroy: boolean) => Promise<void>,
  ) {
    client.on('error', this.#listener)
    client.on('end', this.#endListener)
  }

  /** Whether the connection broke or was given up. */
  get gone(): boolean {
    return this.#ended || this.#lost !== undefined
  }

  /** Called once when the connection breaks by itself. */
  onLost(listener: () => void): void {
    this.#onLost.add(listener)
  }

  /** Rows as text. On abort the statement is cancelled and the session is gone. */
  async query<Column extends string = never>(
    sql: string,
    signal: AbortSignal,
    values: readonly (string | null)[] = [],
  ): Promise<TextRow<Column>[]> {
    return this.whileOpen(signal, async () => {
      const result = await this.client.query<TextRow<Column>>({
        text: sql,
        ...(values.length > 0 && { values: [...values] }),
        types: AS_TEXT,
      })
      // Several statements in one text give several results; the last one counts.
      const last = Array.isArray(result) ? (result as pg.QueryResult<TextRow<Column>>[]).at(-1) : result
      return last?.rows ?? []
    })
  }

  /** Runs work on this session; an abort cancels it and ends the session. */
  async whileOpen<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted()
    let abort: () => void = () => {}
    const aborted = new Promise<never>((_, reject) => {
      abort = () => {
        this.destroy()
        reject(signal.reason)
      }
      signal.addEventListener('abort', abort, { once: true })
    })
    const working = work()
    working.catch(() => {})
    try {
      return await Promise.race([working, aborted])
    } catch (error) {
      signal.throwIfAborted()
      throw postgresError(this.#lost ?? error)
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  /** Gives the connection back: closed, or to its pool with the transaction rolled back. */
  async end(): Promise<void> {
    if (this.gone) return this.destroy()
    this.#ended = true
    const timer = setTimeout(() => this.#closeSocket(), GOODBYE)
    try {
      await this.client.query('ROLLBACK')
      this.#forget()
      await this.release(false)
    } catch {
      this.#forget()
      await this.release(true).catch(() => {})
    } finally {
      clearTimeout(timer)
    }
  }

  /** Gives the connection up at once, whatever it is doing; the server is told to stop. */
  destroy(): void {
    if (this.#ended) return
    this.#ended = true
    if (this.#lost === undefined) requestCancel(this.client)
    this.#forget()
    this.release(true).catch(() => {})
    this.#closeSocket()
  }

  #lose(error: Error): void {
    if (this.gone) return
    this.#lost = error
    for (const listener of this.#onLost) listener()
  }

  #forget(): void {
    // An error that comes late must not be without a listener: that would end the process.
    if (!this.client.listeners('error').includes(ignore)) this.client.on('error', ignore)
    this.client.removeListener('error', this.#listener)
    this.client.removeListener('end', this.#endListener)
  }

  #closeSocket(): void {
    inner(this.client).connection?.stream?.destroy()
  }
}

interface InnerClient {
  readonly connection?: { readonly stream?: { destroy(): void } }
  readonly processID?: number | null
  readonly secretKey?: number | null
  readonly host?: string
  readonly port?: number
}

const inner = (client: pg.ClientBase) => client as unknown as InnerClient

/**
 * Asks the server to cancel what the client is running. Without it a backend notices a closed socket only when it next sends something. Best effort: a
 * request is a connection of its own, without login, and has no answer.
 */
function requestCancel(client: pg.ClientBase): void {
  const { processID, secretKey, host, port } = inner(client)
  if (typeof processID !== 'number' || typeof secretKey !== 'number' || host === undefined || port === undefined) return
  const message = Buffer.alloc(16)
  message.writeInt32BE(16, 0)
  message.writeInt32BE(80_877_102, 4)
  message.writeInt32BE(processID, 8)
  message.writeInt32BE(secretKey, 12)
  const socket = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host)
  socket.on('error', () => {})
  socket.setTimeout(GOODBYE, () => socket.destroy())
  socket.end(message)
}
