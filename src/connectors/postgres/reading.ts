import { isSynclineError, SynclineError, toSynclineError } from '../../errors/syncline-error.js'
import type { ConfiguredStream } from '../../model/configured-stream.js'
import type { Context } from '../../model/context.js'
import type { Json } from '../../model/json.js'
import type { Message } from '../../model/message.js'
import type { Checkpoint, Proof, Slice } from '../../model/slice.js'
import { type StreamRef, streamKey, streamRef } from '../../model/stream.js'
import type { Planned, Reading, ReadRequest, ReadScope, ReadStream } from '../../source/source.js'
import { lagOf, type PostgresSourceConfig } from './config.js'
import { copyBatches } from './copy-reader.js'
import { Cursor } from './cursor.js'
import { isServerError } from './errors.js'
import { type FullSliceData, fullRefreshQuery, planFullRefresh } from './full-refresh.js'
import { type IncrementalSliceData, planIncremental } from './incremental.js'
import { hashesQuery, rangeQuery } from './incremental-query.js'
import { type ReadTable, ReadTables } from './read-tables.js'
import { NO_ROWS, remembered } from './remembered-rows.js'
import { lockUnchanged } from './rewritten.js'
import type { Session } from './session.js'
import { Snapshot } from './snapshot.js'
import {
  advanceState,
  type Boundary,
  type FullRefreshProof,
  type FullRefreshState,
  type IncrementalProof,
  type IncrementalState,
  parseState,
} from './state.js'
import { fieldOf } from './types.js'

interface StreamPlan extends ReadStream {
  readonly state: Json | undefined
}

/** One run's session: one snapshot for everything that it reads. */
export class PostgresReading implements Reading {
  readonly restarted: readonly StreamRef[]
  readonly #tables: ReadTables
  /** Of slices whose stream cannot be read: reading them says why, so that the other streams go on. */
  readonly #failed = new Map<string, SynclineError>()

  private constructor(
    private readonly config: PostgresSourceConfig,
    private readonly streams: readonly StreamPlan[],
    private readonly snapshot: Snapshot,
    /** Not the snapshot's name: that may come again after a restart of the server. */
    private readonly epoch: string,
  ) {
    this.#tables = new ReadTables(streams.map(({ stream }) => stream))
    this.restarted = streams.filter((plan) => isInterrupted(plan)).map(({ stream }) => streamRef(stream))
  }

  static async open(config: PostgresSourceConfig, request: ReadRequest, context: Context): Promise<PostgresReading> {
    const streams = request.scopes.flatMap(streamsOf)
    const tables = streams.map(({ stream }) => ({ namespace: stream.namespace ?? '', name: stream.name }))
    const snapshot = await Snapshot.open(config, tables, context)
    return new PostgresReading(config, streams, snapshot, `${snapshot.name}/${crypto.randomUUID()}`)
  }

  async *slices(context: Context): AsyncGenerator<Slice | Planned> {
    for (const plan of this.streams) {
      yield* await this.#plan(plan, context)
      yield { planned: streamRef(plan.stream) }
    }
  }

  async #plan(plan: StreamPlan, context: Context): Promise<Slice[]> {
    const { stream } = plan
    try {
      return await this.#inSnapshot(context.signal, (session) => this.#planIn(session, plan, context))
    } catch (error) {
      context.signal.throwIfAborted()
      const known = toSynclineError(error, 'SOURCE_FAILED', {
        phase: 'read',
        connector: 'postgres',
        stream: streamRef(stream),
      })
      // What takes too long takes as long in another reading, which helps against everything else that may pass: waits for locks, for one.
      const tooLong = isServerError(known.cause) && known.cause.code === '57014'
      if (known.retry === 'automatic' && !tooLong) throw known
      const id = `failed-${crypto.randomUUID()}`
      this.#failed.set(id, known)
      return [{ id, streams: [streamRef(stream)], data: { kind: 'failed', code: known.code } }]
    }
  }

  async #planIn(session: Session, { stream, state, restart }: StreamPlan, context: Context): Promise<Slice[]> {
    const { signal } = context
    const saved = restart ? undefined : state
    const { relation, columns } = await this.#table(session, stream, signal)
    if (relation.rowSecurity) {
      context.log('warn', 'Row security is on for this user: only the rows that policies show are read.', {
        stream: streamKey(stream),
      })
    }
    if (stream.syncMode === 'full_refresh') {
      const done = parseState(saved, 'full_refresh') as FullRefreshState | undefined
      if (done !== undefined && done.done.length === done.count) return []
      return planFullRefresh(
        session,
        relation,
        columns,
        { sliceBytes: this.config.sliceBytes, epoch: this.epoch },
        signal,
      )
    }
    const position = parseState(saved, 'incremental') as IncrementalState | undefined
    const { boundaryRows, sliceBytes } = this.config
    const options = { lag: lagOf(this.config.lag, stream), boundaryRows, sliceBytes }
    return planIncremental(session, stream, relation, position, options, context)
  }

  async *read(slice: Slice, _after: Checkpoint | undefined, context: Context): AsyncGenerator<Message> {
    const failed = this.#failed.get(slice.id)
    if (failed !== undefined) throw failed
    const data = slice.data as unknown as FullSliceData | IncrementalSliceData
    const ref = slice.streams[0]!
    const stream = this.streams.find((plan) => streamKey(plan.stream) === streamKey(ref))?.stream
    if (stream === undefined || (slice.epoch !== undefined && slice.epoch !== this.epoch)) {
      throw new SynclineError('SOURCE_EPOCH_LOST', 'The slice is not of this reading.', {
        connector: 'postgres',
        stream: ref,
      })
    }
    const { signal } = context
    const session = await this.snapshot.acquire(signal)
    let complete = false
    try {
      const table = await this.#table(session, stream, signal)
      const query = queryOf(data, table, stream)
      const schema = { fields: table.columns.map(fieldOf) }
      const { rows } = yield* copyBatches(session.client, query, ref, schema, table.columns, { signal })
      const position =
        data.kind === 'full_refresh'
          ? fullRefreshProof(this.epoch, data)
          : await incrementalProof(session, data, table, stream, signal)
      complete = true
      yield { type: 'slice_done', slice: slice.id, records: rows, position: position as unknown as Json }
      signal.throwIfAborted()
    } catch (error) {
      signal.throwIfAborted()
      throw isSynclineError(error) ? error : toSynclineError(error, 'SOURCE_FAILED', { message: 'Reading failed.' })
    } finally {
      this.snapshot.release(session, complete)
    }
  }

  advance(state: Json | undefined, proof: Proof): Json {
    return advanceState(state, proof)
  }

  async close(): Promise<void> {
    await this.snapshot.close()
  }

  async #table(session: Session, stream: ConfiguredStream, signal: AbortSignal): Promise<ReadTable> {
    const table = await this.#tables.get(session, stream, signal)
    if (!this.snapshot.isLocked(table.relation, session)) await lockUnchanged(session, table.relation, signal)
    return table
  }

  async #inSnapshot<T>(signal: AbortSignal, work: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.snapshot.acquire(signal)
    let complete = false
    try {
      const result = await work(session)
      complete = true
      return result
    } finally {
      this.snapshot.release(session, complete)
    }
  }
}

function streamsOf({ scope, streams, state }: ReadScope): StreamPlan[] {
  if (streams.length !== 1) {
    throw new SynclineError(
      'SOURCE_STATE_INVALID',
      `The scope ${scope} has ${streams.length} streams; tables have one each.`,
      {
        connector: 'postgres',
        hint: 'Do not set scope on the streams of this source.',
      },
    )
  }
  return streams.map((stream) => ({ ...stream, state }))
}

/** A full refresh that was left in the middle, in a snapshot that is gone. */
function isInterrupted({ stream, state, restart }: StreamPlan): boolean {
  if (restart || stream.syncMode !== 'full_refresh' || state === undefined || state === null) return false
  const saved = state as unknown as Partial<FullRefreshState>
  return saved.mode === 'full_refresh' && saved.done?.length !== saved.count
}

function queryOf(
  data: FullSliceData | IncrementalSliceData,
  { relation, columns }: ReadTable,
  stream: ConfiguredStream,
): string {
  if (data.kind === 'full_refresh') return fullRefreshQuery(data.parts, columns)
  return rangeQuery(relation, columns, Cursor.of(stream, relation), data.range)
}

function fullRefreshProof(epoch: string, { count, index }: FullSliceData): FullRefreshProof {
  return { mode: 'full_refresh', epoch, count, index }
}

async function incrementalProof(
  session: Session,
  { start, index, target }: IncrementalSliceData,
  { relation }: ReadTable,
  stream: ConfiguredStream,
  signal: AbortSignal,
): Promise<IncrementalProof> {
  if (target === undefined) return { mode: 'incremental', start, range: index! }
  const { low, high, basis } = target
  const boundary = (rows: Boundary['rows']): IncrementalProof => ({
    mode: 'incremental',
    start,
    boundary: { low, high, rows },
  })
  if (basis === undefined) return boundary(NO_ROWS)
  // In the same snapshot as the rows themselves: exactly these were delivered.
  const rows = await session.query<'hash'>(
    hashesQuery(relation, Cursor.of(stream, relation), { low, high }, basis),
    signal,
  )
  return boundary(
    remembered(
      basis.by,
      basis.columns,
      rows.map((row) => row.hash!),
    ),
  )
}
