import type { Writer } from '../destination/destination.js'
import { SynclineError } from '../errors/syncline-error.js'
import type { Batch } from '../model/batch.js'
import type { BudgetLease, ByteBudget } from '../model/budget.js'
import type { Context } from '../model/context.js'
import type { Message, Native, Rejected, Truncate } from '../model/message.js'
import type { Checkpoint, Slice, SliceDone } from '../model/slice.js'
import { type StreamRef, streamKey } from '../model/stream.js'
import type { TableBatch } from '../model/table.js'
import type { NormalizeContext, RejectedRows } from '../normalizer/normalizer.js'
import type { Reading } from '../source/source.js'
import type { EventHub } from './events.js'
import { connectorError, guarded } from './guard.js'
import { pull } from './lifecycle.js'
import type { ValuePolicy } from './options.js'
import { PieceCount } from './piece-count.js'
import type { ScopeRun } from './scope-run.js'
import type { StreamRun } from './stream-run.js'
import { applyValuePolicy } from './value-policy.js'

/** What an attempt at a slice needs of its run. */
export interface SliceServices {
  readonly scope: ScopeRun
  readonly reading: Reading
  readonly budget: ByteBudget
  readonly events: EventHub
  readonly valuePolicy: ValuePolicy
  /** Whether a batch's memory is free once it is written. */
  readonly copiesRows: boolean
  readonly cadence: { readonly bytes: number; readonly milliseconds: number }
  readonly extractedAt: Date
  /** For reading and writing; ends with the run's abort or the scope's failure. */
  readonly work: Context
  /** For seal and discard. */
  readonly settle: Context
  readonly source: string
  readonly destination: string
}

/** Rejected records are written together, up to so many and to about so many characters: they wait outside of the budget. */
const REJECTED_ROWS = 1000
const REJECTED_TEXT = 1 << 20

/**
 * One attempt at one slice: reads it from where it stands to its end into one writer, sealing a piece at checkpoints as the cadence says and at
 * the end. Used once.
 */
export class SliceAttempt {
  /** The last sealed checkpoint: where the next attempt begins. */
  after: Checkpoint | undefined
  readonly #streams: ReadonlyMap<string, StreamRun>
  readonly #lease: BudgetLease
  #position: number
  #native = false
  #piece = new PieceCount()
  #pieceSince = performance.now()
  #rejected: Rejected[] = []
  #rejectedText = 0

  constructor(
    private readonly slice: Slice,
    private readonly attempt: number,
    after: Checkpoint | undefined,
    private readonly services: SliceServices,
  ) {
    this.after = after
    this.#position = after?.records ?? 0
    this.#lease = services.budget.lease()
    this.#streams = new Map(services.scope.streams.map((stream) => [stream.key, stream]))
  }

  async run(): Promise<void> {
    const { scope, work, settle, destination } = this.services
    const details = { phase: 'write', connector: destination } as const
    work.signal.throwIfAborted()
    const writer = await guarded(work.signal, 'DESTINATION_FAILED', details, () =>
      scope.load.writer(this.slice, this.attempt, work),
    )
    try {
      await this.#readInto(writer)
    } finally {
      this.#lease.release()
      await writer.discard(settle).catch((error: unknown) => {
        const { code, message } = connectorError(error, 'DESTINATION_FAILED', details)
        settle.log('warn', `A writer could not be closed: ${message}`, { code, slice: this.slice.id })
      })
    }
  }

  async #readInto(writer: Writer): Promise<void> {
    const { reading, work, settle, source } = this.services
    const details = {
      phase: 'read',
      connector: source,
      ...(this.slice.streams.length === 1 && { stream: this.slice.streams[0]! }),
    } as const
    work.signal.throwIfAborted()
    const messages = pull(() => reading.read(this.slice, this.after, work), work.signal, settle.signal)
    try {
      for (;;) {
        const next = await guarded(work.signal, 'SOURCE_FAILED', details, () => messages.next())
        // Nothing may be proved of a stream after it was set aside, or the next run would not begin it anew.
        if (this.#isSetAside()) return
        if (next.done) throw this.#violation('ended without slice_done')
        if (await this.#take(next.value, writer)) return
      }
    } finally {
      await messages.return(undefined)
    }
  }

  #isSetAside(): boolean {
    return this.slice.streams.every((ref) => this.#streams.get(streamKey(ref))?.setAside !== undefined)
  }

  /** Whether the slice is done. */
  async #take(message: Message, writer: Writer): Promise<boolean> {
    switch (message.type) {
      case 'batch':
        await this.#batch(message, writer)
        return false
      case 'rejected':
        await this.#reject({ ...message, position: this.#position }, writer)
        this.#position++
        return false
      case 'native':
        await this.#passThrough(message, writer)
        return false
      case 'truncate':
        await this.#truncate(message, writer)
        return false
      case 'checkpoint':
        await this.#checkpoint(message, writer)
        return false
      case 'slice_done':
        await this.#done(message, writer)
        return true
    }
  }

  async #batch(batch: Batch, writer: Writer): Promise<void> {
    const stream = this.#stream(batch.stream)
    const position = this.#position
    this.#position += batch.length
    if (batch.length === 0 || stream.setAside !== undefined) return
    const { work, valuePolicy } = this.services
    await this.#lease.resize(batch.byteLength, work.signal)
    const { kept, rows, rejected } = applyValuePolicy(valuePolicy, batch, position)
    for (const record of rejected) await this.#reject(record, writer)
    if (kept.length > 0) {
      const context = { ...this.#normalizeContext(stream, position), ...(rows && { rows }) }
      await this.#write(this.#normalize(stream, kept, context), writer)
      this.#piece.read(stream, kept.length, kept.byteLength)
      stream.tally.written += kept.length
      stream.tally.writtenBytes += kept.byteLength
      this.services.events.emit('batch:written', { stream: stream.ref, records: kept.length, bytes: kept.byteLength })
    }
    await this.#lease.resize(0, work.signal)
    if (this.services.copiesRows) batch.release()
  }

  async #truncate(message: Truncate, writer: Writer): Promise<void> {
    const stream = this.#stream(message.stream)
    if (stream.setAside !== undefined) return
    await this.#flushRejected(writer)
    await this.#write(this.#normalize(stream, message, this.#normalizeContext(stream, this.#position)), writer)
  }

  async #passThrough(message: Native, writer: Writer): Promise<void> {
    const stream = this.#stream(message.stream)
    const table = stream.normalizer.tables().find(({ role }) => role === 'main')
    if (stream.native === undefined || table === undefined) throw this.#violation('yielded bytes without an agreement')
    this.#native = true
    await this.#lease.resize(message.bytes.byteLength, this.services.work.signal)
    await this.#write([{ table, native: message.bytes }], writer)
    this.#piece.passed(stream, message.bytes.byteLength)
    stream.tally.writtenBytes += message.bytes.byteLength
    await this.#lease.resize(0, this.services.work.signal)
  }

  async #reject(record: Rejected, writer: Writer): Promise<void> {
    const stream = this.#stream(record.stream)
    if (stream.setAside !== undefined) return
    this.#rejected.push(record)
    this.#rejectedText += record.record?.length ?? 0
    this.#piece.rejected(stream)
    if (this.#rejected.length >= REJECTED_ROWS || this.#rejectedText >= REJECTED_TEXT) await this.#flushRejected(writer)
  }

  async #flushRejected(writer: Writer): Promise<void> {
    const rejected = this.#rejected
    this.#rejected = []
    this.#rejectedText = 0
    for (const rows of groupBy(rejected, ({ stream }) => streamKey(stream))) {
      const stream = this.#stream(rows[0]!.stream)
      const input: RejectedRows = { type: 'rejected_rows', rows }
      await this.#write(this.#normalize(stream, input, this.#normalizeContext(stream, this.#position)), writer)
      for (const alike of groupBy(rows, ({ code, reason }) => JSON.stringify([code, reason]))) {
        const { code, reason } = alike[0]!
        this.services.events.emit('record:rejected', { stream: stream.ref, code, reason, records: alike.length })
      }
    }
  }

  async #checkpoint(checkpoint: Checkpoint, writer: Writer): Promise<void> {
    this.#ownMessage(checkpoint)
    const { cadence } = this.services
    const due = this.#piece.bytes >= cadence.bytes || performance.now() - this.#pieceSince >= cadence.milliseconds
    if (this.#native || !due) return
    if (checkpoint.records !== this.#position) {
      throw this.#violation(`counted ${checkpoint.records} records at a checkpoint, but yielded ${this.#position}`)
    }
    await this.#seal(checkpoint, writer)
    this.after = checkpoint
  }

  async #done(done: SliceDone, writer: Writer): Promise<void> {
    this.#ownMessage(done)
    if (!this.#native && done.records !== this.#position) {
      throw this.#violation(`counted ${done.records} records in all, but yielded ${this.#position}`)
    }
    if (this.#native) this.#piece.passedRecords(done.records)
    await this.#seal(done, writer)
  }

  async #seal(proof: Checkpoint | SliceDone, writer: Writer): Promise<void> {
    const { scope, settle, destination, work } = this.services
    await this.#flushRejected(writer)
    work.signal.throwIfAborted()
    const receipt = await guarded(settle.signal, 'DESTINATION_FAILED', { phase: 'write', connector: destination }, () =>
      writer.seal(settle),
    )
    this.#piece.compare(receipt, destination)
    this.#piece = new PieceCount()
    this.#pieceSince = performance.now()
    scope.sealed({ receipt, proof })
  }

  #normalize(stream: StreamRun, input: Batch | Truncate | RejectedRows, context: NormalizeContext): TableBatch[] {
    try {
      return stream.normalizer.normalize(input, context)
    } catch (error) {
      throw connectorError(error, 'NORMALIZE_FAILED', { phase: 'normalize', stream: stream.ref })
    }
  }

  async #write(tables: readonly TableBatch[], writer: Writer): Promise<void> {
    const { work, destination } = this.services
    for (const table of tables) {
      await guarded(
        work.signal,
        'DESTINATION_FAILED',
        { phase: 'write', connector: destination, stream: table.table.stream },
        () => writer.write(table, work),
      )
    }
  }

  #normalizeContext(stream: StreamRun, position: number): NormalizeContext {
    const { scope, work, extractedAt } = this.services
    return {
      pipeline: scope.ref.pipeline,
      run: work.run,
      generation: stream.generation,
      generationId: stream.generationId,
      slice: this.slice.id,
      position,
      extractedAt,
    }
  }

  #stream(ref: StreamRef): StreamRun {
    const stream = this.#streams.get(streamKey(ref))
    if (stream === undefined) throw this.#violation(`yielded records of ${streamKey(ref)}, which it was not asked for`)
    return stream
  }

  #ownMessage({ slice }: Checkpoint | SliceDone): void {
    if (slice !== this.slice.id) throw this.#violation(`yielded a message of slice ${slice}`)
  }

  #violation(what: string): SynclineError {
    return new SynclineError('SOURCE_PROTOCOL_VIOLATION', `While reading slice ${this.slice.id} the source ${what}.`, {
      phase: 'read',
      connector: this.services.source,
      hint: 'This is a bug of the source connector.',
    })
  }
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Iterable<readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(key(item))
    if (group === undefined) groups.set(key(item), [item])
    else group.push(item)
  }
  return groups.values()
}
