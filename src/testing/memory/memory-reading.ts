import { SynclineError } from '../../errors/syncline-error.js'
import type { Context } from '../../model/context.js'
import type { Json } from '../../model/json.js'
import type { Message } from '../../model/message.js'
import type { Checkpoint, Slice } from '../../model/slice.js'
import { type StreamRef, sameStream, streamKey, streamRef } from '../../model/stream.js'
import type { Planned, Reading, ReadRequest, ReadScope, ReadStream } from '../../source/source.js'
import { yieldToEventLoop } from '../../util/abort.js'
import { toJson } from './json-values.js'
import type { MemorySourceOptions } from './memory-source.js'
import { advanceMemory, memoryState, type ProofPosition } from './memory-state.js'
import type { MemorySnapshot, MemoryTables } from './memory-tables.js'
import { planScope, type ScopePlan } from './plan-scope.js'
import { cursorRows, idsAt, isInside, type SliceData, sliceStart } from './plan-table.js'
import { readChanges } from './read-changes.js'
import { readNative, readTable, type TableRead } from './read-table.js'

export class MemoryReading implements Reading {
  readonly restarted: readonly StreamRef[]
  readonly #snapshot: MemorySnapshot
  readonly #plans: readonly ScopePlan[]
  readonly #given = new Map<string, ReadScope>()
  readonly #reading = new Set<string>()
  readonly #done = new Set<string>()
  #sliced = false
  #closed = false

  constructor(
    private readonly world: MemoryTables,
    request: ReadRequest,
    private readonly options: MemorySourceOptions,
  ) {
    this.#snapshot = world.snapshot()
    this.#plans = request.scopes.map((scope) => planScope(world, this.#snapshot, scope, request.until, options))
    this.restarted = this.#plans.flatMap(({ streams }) =>
      streams.filter(({ restarted }) => restarted).map(({ read }) => streamRef(read.stream)),
    )
    world.openReadings++
  }

  async *slices({ signal }: Context): AsyncGenerator<Slice | Planned, void, undefined> {
    if (this.#sliced) this.#violation('slices called twice')
    if (this.#closed) this.#violation('slices called after close')
    this.#sliced = true
    const planned: Planned[] = []
    for (const plan of this.#plans) {
      for (const stream of plan.streams) {
        for (const slice of stream.slices) yield await this.#give(slice, plan.scope, signal)
        planned.push({ planned: streamRef(stream.read.stream) })
        if (!this.options.latePlanned) yield* planned.splice(0)
      }
      // The end of a change log may be far away; the copies before it must be able to complete.
      yield* planned.splice(0, plan.changes ? planned.length : 0)
      if (plan.changes) yield await this.#give(plan.changes, plan.scope, signal)
    }
    yield* planned.slice(0, -1)
  }

  async *read(slice: Slice, after: Checkpoint | undefined, context: Context): AsyncGenerator<Message, void, undefined> {
    const scope = this.#given.get(slice.id)
    if (scope === undefined) throw this.#violation(`read of slice ${slice.id}, which was not given`)
    if (this.#reading.has(slice.id)) this.#violation(`slice ${slice.id} is read twice at a time`)
    if (this.#closed) this.#violation(`read of slice ${slice.id} after close`)
    if (after && after.slice !== slice.id) this.#violation(`read of slice ${slice.id} after a checkpoint of another`)
    for (const earlier of slice.after ?? []) {
      // Changes come after the copies; but copies of streams that were set aside are never done.
      const early = slice.streams.length > 1 ? this.#reading.has(earlier) : !this.#done.has(earlier)
      if (early) this.#violation(`slice ${slice.id} is read before ${earlier} is done`)
    }
    this.#reading.add(slice.id)
    try {
      for await (const message of this.#messages(slice, after, scope, context)) {
        await yieldToEventLoop()
        context.signal.throwIfAborted()
        if (!slice.id.startsWith('changes:')) this.#requireEpoch(slice)
        if (message.type === 'slice_done') this.#done.add(slice.id)
        yield message
      }
    } finally {
      this.#reading.delete(slice.id)
    }
  }

  advance = advanceMemory

  async acknowledge(state: Json, scope: string): Promise<void> {
    if (this.#closed) this.#violation('acknowledge after close')
    this.world.acknowledged.push({ scope, state })
    const { position } = memoryState(state)
    if (position !== undefined) this.world.free(position)
  }

  async close(): Promise<void> {
    if (this.#closed) {
      this.#violation('close called twice')
      return
    }
    this.#closed = true
    this.world.openReadings--
    if (this.#reading.size > 0) this.#violation('close while a slice is read')
  }

  async #give(slice: Slice, scope: ReadScope, signal: AbortSignal): Promise<Slice> {
    await yieldToEventLoop()
    signal.throwIfAborted()
    this.#given.set(slice.id, scope)
    return slice
  }

  #messages(slice: Slice, after: Checkpoint | undefined, scope: ReadScope, context: Context) {
    const { batchRows = 3, checkpointRows = 6 } = this.options
    const data = slice.data as unknown as SliceData
    const position = after?.position as unknown as ProofPosition | undefined
    const common = { slice, before: after?.records ?? 0, batchRows, checkpointRows }
    if (data.kind === 'changes') {
      const from = position?.kind === 'changes' ? position.position : data.from
      const { world } = this
      return readChanges({ ...common, world, streams: scope.streams, data, from, signal: context.signal })
    }
    const stream = scope.streams.find((candidate) => sameStream(candidate.stream, slice.streams[0]!))!
    const read: TableRead =
      data.kind === 'copy'
        ? { ...common, stream, ...this.#copyRows(stream, data, position) }
        : { ...common, stream, ...this.#windowRows(stream, data, position) }
    return stream.native ? readNative(read) : readTable(read)
  }

  #copyRows(
    { stream }: ReadStream,
    data: Extract<SliceData, { kind: 'copy' }>,
    position: ProofPosition | undefined,
  ): Pick<TableRead, 'rows' | 'positionAfter' | 'finalPosition'> {
    const { kind, from, to, ...copy } = data
    const begin = position?.kind === 'copy' ? position.row : from
    const rows = this.#snapshotFor(data.epoch).rows.get(streamKey(stream)) ?? []
    const at = (row: number): ProofPosition => ({ kind, stream: streamKey(stream), row, ...copy })
    return { rows: rows.slice(begin, to), positionAfter: (count) => at(begin + count), finalPosition: at(to) }
  }

  #windowRows(
    { stream }: ReadStream,
    data: Extract<SliceData, { kind: 'window' }>,
    position: ProofPosition | undefined,
  ): Pick<TableRead, 'rows' | 'positionAfter' | 'finalPosition'> {
    const { kind, era, type, cursorField, from, uppers, index } = data
    const key = streamKey(stream)
    const all = cursorRows(this.#snapshot.rows.get(key) ?? [], type, cursorField)
    const start = position?.kind === 'window' ? { lower: position.point.value } : sliceStart(data)
    const rows = all.filter((row) => isInside(row, start, uppers[index], type, cursorField))
    const at = (value: Json): ProofPosition => {
      const point = { value, seen: idsAt(all, value, cursorField) }
      return { kind, stream: key, era, type, from, uppers, index, point }
    }
    return {
      rows,
      positionAfter(count) {
        const [last, next] = [rows[count - 1]!, rows[count]].map((row) => toJson(row?.values[cursorField]))
        // Rows of one value stay together: what comes between them later could not be told from what was read.
        return last === next ? undefined : at(last!)
      },
      finalPosition: at(uppers[index]!),
    }
  }

  #requireEpoch({ epoch }: Slice): void {
    this.#snapshotFor(epoch ?? this.#snapshot.epoch)
  }

  #snapshotFor(epoch: string): MemorySnapshot {
    const snapshot = this.world.snapshotOf(epoch)
    if (snapshot !== undefined) return snapshot
    throw new SynclineError('SOURCE_EPOCH_LOST', 'The snapshot is gone.', { phase: 'read' })
  }

  #violation(text: string): SynclineError {
    this.world.violations.push(text)
    return new SynclineError('SOURCE_PROTOCOL_VIOLATION', text, { hint: 'The caller broke the contract of Reading.' })
  }
}
