import { SynclineError } from '../../errors/syncline-error.js'
import type { Context } from '../../model/context.js'
import { serverVersion } from './check.js'
import { openSession } from './client.js'
import type { PostgresSourceConfig } from './config.js'
import type { Session } from './session.js'
import { literal, qualified } from './sql.js'
import { SESSION_SETTINGS } from './types.js'

type Name = { readonly namespace: string; readonly name: string }

/**
 * How long a reader waits for a lock, in milliseconds. Somebody who wants to change a table waits for the keeper, and stands before the reader: without
 * an end to that wait, nobody would move.
 */
const LOCK_WAIT = 5000

/**
 * One snapshot, seen by several sessions. Its keeper does nothing but hold it; each reader has imported it and can take the keeper's place.
 * Every session holds ACCESS SHARE locks on the tables: what rewrites or truncates a table would else empty it for the snapshot, and move
 * rows between the ranges of addresses that slices are.
 */
export class Snapshot {
  readonly #idle: Session[] = []
  readonly #readers = new Set<Session>()
  /** Readers that could not take the locks, because somebody who waits to change a table stands before them. */
  readonly #unlocked = new WeakSet<Session>()
  readonly #waiting: (() => void)[] = []
  #opening = 0
  #limit: number
  #closed = false

  private constructor(
    private readonly config: PostgresSourceConfig,
    private readonly locked: readonly Name[],
    private keeper: Session | undefined,
    /** As the server names it. A new keeper gives it another name. */
    private id: string,
  ) {
    this.#limit = config.connections
    const most = config.connection.pool?.options?.max
    if (most !== undefined) this.#limit = Math.min(this.#limit, most - 1)
    this.#watch()
  }

  get name(): string {
    return this.id
  }

  /** Whether the table has been locked since before the snapshot, and goes on to be if only this session is left. */
  isLocked(table: Name, session: Session): boolean {
    if (this.#unlocked.has(session)) return false
    return this.locked.some(({ namespace, name }) => namespace === table.namespace && name === table.name)
  }

  static async open(config: PostgresSourceConfig, tables: readonly Name[], context: Context): Promise<Snapshot> {
    const { signal } = context
    const most = config.connection.pool?.options?.max
    if (most !== undefined && most < 2) {
      throw new SynclineError('CONFIG_INVALID', 'Invalid options of postgres: pool allows only one client.', {
        connector: 'postgres',
        hint: 'Set max of the pool to 2 or more: one client holds the snapshot, another reads.',
      })
    }
    const session = await openSession(config.connection, signal)
    try {
      await begin(session, config, signal)
      const locked: Name[] = []
      for (const table of tables) if (await lock(session, table, context)) locked.push(table)
      // The first query: from here on the snapshot stands.
      const [row] = await session.query<'id'>('SELECT pg_catalog.pg_export_snapshot() AS id', signal)
      return new Snapshot(config, locked, session, row!.id!)
    } catch (error) {
      session.destroy()
      throw error
    }
  }

  /** A session in the snapshot, for one user. Waits while all are in use. `SOURCE_EPOCH_LOST` when nobody has the snapshot any more. */
  async acquire(signal: AbortSignal): Promise<Session> {
    for (;;) {
      signal.throwIfAborted()
      if (this.#closed) throw lost()
      const idle = this.#idle.pop()
      if (idle?.gone) this.#readers.delete(idle)
      else if (idle !== undefined) {
        if (this.keeper !== undefined) return idle
        await this.#promote(idle, signal)
      } else if (this.keeper === undefined && this.#readers.size === 0 && this.#opening === 0) throw lost()
      else if (this.keeper !== undefined && this.#readers.size + this.#opening < this.#limit) {
        const reader = await this.#openReader(signal)
        if (reader !== undefined) return reader
      } else await this.#turn(signal)
    }
  }

  /** Gives a session back. One that failed or was left in the middle of something is given up. */
  release(session: Session, reusable: boolean): void {
    if (reusable && !session.gone && !this.#closed) this.#idle.push(session)
    else {
      this.#readers.delete(session)
      session.destroy()
    }
    this.#wake()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#wake()
    const idle = new Set(this.#idle)
    const sessions = [...this.#readers].filter((reader) => idle.has(reader))
    for (const reader of this.#readers) if (!idle.has(reader)) reader.destroy()
    await Promise.all(
      [...sessions, ...(this.keeper === undefined ? [] : [this.keeper])].map((session) => session.end()),
    )
  }

  /** Undefined where none could be opened but others are there to wait for. */
  async #openReader(signal: AbortSignal): Promise<Session | undefined> {
    this.#opening++
    let session: Session | undefined
    try {
      session = await openSession(this.config.connection, signal)
      await begin(session, this.config, signal, this.id)
      if (!(await lockOrGoOn(session, this.locked, signal))) this.#unlocked.add(session)
      if (this.#closed) throw lost()
      this.#readers.add(session)
      return session
    } catch (error) {
      session?.destroy()
      signal.throwIfAborted()
      // The keeper may have gone while its snapshot was imported: then the loop finds another, or none.
      if (this.keeper !== undefined && isSnapshotGone(error)) this.#dismiss()
      if (this.keeper === undefined) return undefined
      if (this.#readers.size === 0) throw error
      this.#limit = this.#readers.size
      return undefined
    } finally {
      this.#opening--
      this.#wake()
    }
  }

  /** A reader that imported the snapshot exports it again; that holds after its first exporter has ended. */
  async #promote(reader: Session, signal: AbortSignal): Promise<void> {
    this.#readers.delete(reader)
    this.#opening++
    try {
      const [row] = await reader.query<'id'>('SELECT pg_catalog.pg_export_snapshot() AS id', signal)
      this.id = row!.id!
      this.keeper = reader
      this.#watch()
    } catch {
      reader.destroy()
      signal.throwIfAborted()
    } finally {
      this.#opening--
      this.#wake()
    }
  }

  #watch(): void {
    const keeper = this.keeper
    keeper?.onLost(() => {
      if (this.keeper === keeper) this.#dismiss()
    })
  }

  #dismiss(): void {
    this.keeper?.destroy()
    this.keeper = undefined
    this.#wake()
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        signal.removeEventListener('abort', wake)
        resolve()
      }
      signal.addEventListener('abort', wake, { once: true })
      this.#waiting.push(wake)
    })
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}

/** Begins the one transaction of a session. No role, database or server default can end it early or change how values print. */
async function begin(
  session: Session,
  { statementTimeout }: PostgresSourceConfig,
  signal: AbortSignal,
  snapshot?: string,
): Promise<void> {
  const version = await serverVersion(session, signal)
  await session.query(
    [
      'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
      ...(snapshot === undefined ? [] : [`SET TRANSACTION SNAPSHOT ${literal(snapshot)}`]),
      'SET LOCAL idle_in_transaction_session_timeout = 0',
      'SET LOCAL lock_timeout = 0',
      'SET LOCAL standard_conforming_strings = on',
      ...Object.entries(SESSION_SETTINGS).map(([name, value]) => `SET LOCAL ${name} = ${literal(value)}`),
      `SET LOCAL statement_timeout = ${statementTimeout}`,
      ...(version >= 170_000 ? ['SET LOCAL transaction_timeout = 0'] : []),
    ].join('; '),
    signal,
  )
}

const lockAll = (tables: readonly Name[]) => `LOCK TABLE ${tables.map(qualified).join(', ')} IN ACCESS SHARE MODE`

/** Whether all could be locked. From here on no statement of the session waits longer for a lock. */
async function lockOrGoOn(session: Session, tables: readonly Name[], signal: AbortSignal): Promise<boolean> {
  await session.query(`SET LOCAL lock_timeout = ${LOCK_WAIT}; SAVEPOINT locking`, signal)
  if (tables.length === 0) return true
  try {
    await session.query(`${lockAll(tables)}; RELEASE SAVEPOINT locking`, signal)
    return true
  } catch (error) {
    if (session.gone) throw error
    await session.query('ROLLBACK TO SAVEPOINT locking', signal)
    return false
  }
}

/** Views over something unreadable, foreign tables and tables of which the user may read only columns cannot be locked. */
async function lock(session: Session, table: Name, context: Context): Promise<boolean> {
  const waiting = setTimeout(() => {
    context.log('warn', 'Waiting for a table that another session locks.', {
      table: `${table.namespace}.${table.name}`,
    })
  }, LOCK_WAIT)
  try {
    await session.query(`SAVEPOINT locking; ${lockAll([table])}; RELEASE SAVEPOINT locking`, context.signal)
    return true
  } catch (error) {
    if (session.gone) throw error
    await session.query('ROLLBACK TO SAVEPOINT locking; RELEASE SAVEPOINT locking', context.signal)
    context.log('debug', 'A table could not be locked.', { table: `${table.namespace}.${table.name}` })
    return false
  } finally {
    clearTimeout(waiting)
  }
}

/** The server knows no such snapshot: its keeper has ended there, though its connection seems open here. */
function isSnapshotGone(error: unknown): boolean {
  const code = (error as { cause?: { code?: unknown } } | undefined)?.cause?.code
  return code === '22023' || code === '42704' || code === '55000'
}

function lost(): SynclineError {
  return new SynclineError('SOURCE_EPOCH_LOST', 'The snapshot is gone: no connection holds it any more.', {
    connector: 'postgres',
    hint: 'A new reading is opened. If it happens often, see what ends connections: restarts, poolers, timeouts of proxies.',
  })
}
