import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { RecordBatch } from 'apache-arrow'
import type { Commit, Destination, Load, Receipt, Writer } from '../../destination/destination.js'
import { BatchBuilder } from '../../model/batch-builder.js'
import type { BatchChanges } from '../../model/change.js'
import type { ConfiguredStream } from '../../model/configured-stream.js'
import type { Context } from '../../model/context.js'
import type { Json } from '../../model/json.js'
import type { ScopeState, Stored, StreamState } from '../../model/state.js'
import { streamKey, streamRef } from '../../model/stream.js'
import type { DestinationSyncMode, SyncMode } from '../../model/sync-mode.js'
import type { TableBatch, TableField, TableRole, TableShape } from '../../model/table.js'
import { createByteBudget } from '../../pipeline/budget.js'
import { comparableRows } from './comparable.js'
import type { DestinationConformance, DestinationFixture } from './destination-conformance.js'
import { jsonCopy, testContext } from './suite.js'

export const FIELDS: readonly TableField[] = [
  { name: 'id', type: { kind: 'int64' } },
  { name: 'name', type: { kind: 'string' } },
  { name: 'changed', type: { kind: 'timestamp', zone: true } },
]

/** Records of {@link FIELDS} with these ids. */
export function records(from: number, to: number, name = 'name'): Record<string, unknown>[] {
  return Array.from({ length: to - from }, (_, index) => ({
    id: BigInt(from + index),
    name: `${name} ${from + index}`,
    changed: '2026-01-02T03:04:05.000006Z',
  }))
}

export interface BenchTableOptions {
  readonly namespace?: string
  readonly fields?: readonly TableField[]
  readonly syncMode?: SyncMode
  readonly destinationSyncMode?: DestinationSyncMode
  readonly primaryKey?: readonly string[]
  readonly cursorField?: string
  readonly changeLog?: boolean
}

/** One stream with one main table, and where its generation stands. */
export class BenchTable {
  generation = 1
  generationId: string = randomUUID()
  open: boolean
  shape: TableShape
  readonly stream: ConfiguredStream

  constructor(
    readonly name: string,
    {
      namespace,
      fields = FIELDS,
      syncMode = 'incremental',
      destinationSyncMode = 'append',
      ...rest
    }: BenchTableOptions = {},
  ) {
    const ref = { ...(namespace !== undefined && { namespace }), name }
    this.open = syncMode === 'full_refresh' || rest.changeLog === true
    const { primaryKey, cursorField } = rest
    const keys = { ...(primaryKey && { primaryKey }), ...(cursorField !== undefined && { cursorField }) }
    this.shape = { stream: ref, role: 'main', ...ref, fields, ...keys }
    const schema = { fields: fields.map((field) => ({ ...field, nullable: true })) }
    const { changeLog } = rest
    this.stream = {
      ...ref,
      schema,
      syncModes: ['full_refresh', 'incremental'],
      scope: 'scope',
      syncMode,
      destinationSyncMode,
      target: ref,
      ...keys,
      ...(changeLog && { changeLog, sourceDefinedCursor: true }),
    }
  }

  /** A new, empty, invisible lifetime. */
  beginGeneration(): void {
    this.generation++
    this.generationId = randomUUID()
    this.open = true
  }

  get state(): StreamState {
    const { generation, generationId, open } = this
    const { schema: recordSchema, syncMode } = this.stream
    return { generation, generationId, open, schema: null, syncMode, recordSchema }
  }
}

/** Rows of one table as a writer takes them. */
export function rowsOf(
  table: TableShape,
  rows: readonly Record<string, unknown>[],
  changes?: BatchChanges,
): TableBatch {
  const builder = new BatchBuilder(table.stream, {
    fields: table.fields.map((field) => ({ ...field, nullable: true })),
  })
  for (const row of rows) builder.append(row)
  return { table, columns: builder.finish().columns, ...(changes && { changes }) }
}

export interface RunOptions {
  readonly run?: string
  readonly scope?: string
}

/** One run at a destination, as a pipeline would make it, step by step. */
export class BenchRun {
  readonly budget = createByteBudget(64 << 20)
  readonly context: Context
  #slices = 0
  #stored: Stored

  private constructor(
    readonly bench: DestinationBench,
    readonly load: Load,
    readonly tables: readonly BenchTable[],
    readonly scope: string,
    stored: Stored,
    context: Context,
    budget: ReturnType<typeof createByteBudget>,
  ) {
    this.#stored = stored
    this.context = context
    this.budget = budget
  }

  static async open(
    bench: DestinationBench,
    tables: readonly BenchTable[],
    options: RunOptions = {},
  ): Promise<BenchRun> {
    const { scope = 'scope' } = options
    const context = testContext({ run: options.run ?? bench.nextRun() })
    const stored = await bench.stored(scope, context)
    return BenchRun.openAt(bench, tables, stored, context, scope)
  }

  /** Opens with a version of one's own choice. */
  static async openAt(
    bench: DestinationBench,
    tables: readonly BenchTable[],
    stored: Stored,
    context: Context,
    scope = 'scope',
  ): Promise<BenchRun> {
    const budget = createByteBudget(64 << 20)
    const load = await bench.destination.open(
      {
        scope: { pipeline: 'conformance', scope },
        version: stored.version,
        ...(stored.state && { state: stored.state }),
        streams: tables.map(({ stream, generation, generationId, open, shape }) => ({
          stream,
          generation,
          generationId,
          open,
          tables: [shape],
        })),
        budget,
      },
      context,
    )
    return new BenchRun(bench, load, tables, scope, stored, context, budget)
  }

  get version(): number {
    return this.#stored.version
  }

  /** A writer of a new slice. */
  writer(...tables: readonly BenchTable[]): Promise<Writer> {
    const streams = (tables.length > 0 ? tables : this.tables).map(({ stream }) => streamRef(stream))
    return this.load.writer({ id: `${this.context.run}-slice-${++this.#slices}`, streams, data: null }, 1, this.context)
  }

  /** One sealed piece of a slice of its own. */
  async piece(table: BenchTable, rows: readonly Record<string, unknown>[], changes?: BatchChanges): Promise<Receipt> {
    return this.pieceOf([rowsOf(table.shape, rows, changes)], table)
  }

  async pieceOf(batches: readonly TableBatch[], ...tables: readonly BenchTable[]): Promise<Receipt> {
    const writer = await this.writer(...tables)
    const { copiesRows } = this.bench.destination.capabilities
    for (const batch of batches) {
      await writer.write(batch, this.context)
      if (copiesRows && 'columns' in batch) scribble(batch.columns)
    }
    const receipt = await writer.seal(this.context)
    await writer.discard(this.context)
    assert.deepEqual(jsonCopy(receipt), receipt, 'a receipt is not plain JSON')
    return jsonCopy(receipt)
  }

  commit(
    receipts: readonly Receipt[],
    {
      completed = [],
      tables = [],
      source = null,
    }: { completed?: readonly BenchTable[]; tables?: readonly TableShape[]; source?: Json } = {},
  ): Commit {
    const streams: Record<string, StreamState> = {}
    for (const table of this.tables) {
      streams[streamKey(table.stream)] = { ...table.state, open: table.open && !completed.includes(table) }
    }
    const state: ScopeState = { source, streams }
    return {
      receipts,
      completed: completed.map(({ stream }) => streamRef(stream)),
      tables: [...this.tables.map(({ shape }) => shape), ...tables],
      state,
      version: this.#stored.version,
    }
  }

  async publish(receipts: readonly Receipt[], options: Parameters<BenchRun['commit']>[1] = {}): Promise<Commit> {
    const commit = this.commit(receipts, options)
    await this.load.publish(commit, this.context)
    for (const table of options.completed ?? []) table.open = false
    this.published(commit)
    return commit
  }

  /** What the caller knows after a publish. */
  published(commit: Commit): void {
    this.#stored = { state: commit.state, version: commit.version + 1, run: this.context.run }
    this.bench.save(this.scope, this.#stored)
  }

  async close(): Promise<void> {
    await this.load.close(this.context)
    assert.equal(this.budget.used, 0, 'the run gave back less than it leased')
  }
}

/** A destination under test, and the state for it where it keeps none. */
export class DestinationBench {
  readonly destination: Destination
  readonly #kept: Map<string, Stored>
  readonly #runs: { last: number }

  constructor(
    readonly fixture: DestinationFixture,
    before?: DestinationBench,
  ) {
    this.destination = fixture.destination()
    this.#kept = before ? before.#kept : new Map()
    this.#runs = before ? before.#runs : { last: 0 }
  }

  nextRun(): string {
    return `run-${++this.#runs.last}`
  }

  get storesState(): boolean {
    return this.destination.recover !== undefined
  }

  supports(syncMode: SyncMode, destinationSyncMode: DestinationSyncMode): boolean {
    return this.destination.capabilities.modes.some(
      (pair) => pair.syncMode === syncMode && pair.destinationSyncMode === destinationSyncMode,
    )
  }

  async stored(scope = 'scope', context: Context = testContext()): Promise<Stored> {
    if (!this.destination.recover) return this.#kept.get(scope) ?? { version: 0 }
    return this.destination.recover({ pipeline: 'conformance', scope }, context)
  }

  save(scope: string, stored: Stored): void {
    this.#kept.set(scope, jsonCopy(stored))
  }

  /** A new process over the same place. */
  restarted(): DestinationBench {
    return new DestinationBench(this.fixture, this)
  }

  open(tables: readonly BenchTable[], options?: RunOptions): Promise<BenchRun> {
    return BenchRun.open(this, tables, options)
  }

  /** A run with one publish of one piece, closed. */
  async load(table: BenchTable, rows: readonly Record<string, unknown>[]): Promise<void> {
    const run = await this.open([table])
    const receipt = await run.piece(table, rows)
    await run.publish([receipt], { completed: table.open ? [table] : [] })
    await run.close()
  }

  async expectRows(table: BenchTable | TableShape, expected: readonly object[], message?: string): Promise<void> {
    const shape = table instanceof BenchTable ? table.shape : table
    const rows = await this.fixture.read(shape)
    assert.deepEqual(comparableRows(shape.fields, rows), comparableRows(shape.fields, expected), message)
  }
}

/** Runs a test on a fresh place, and frees it. */
export async function withDestination(
  { create }: DestinationConformance,
  test: (bench: DestinationBench) => Promise<void>,
): Promise<void> {
  const fixture = await create()
  try {
    await test(new DestinationBench(fixture))
  } finally {
    await fixture.close?.()
  }
}

/** A table shape of another role that belongs to the same stream. */
export function sideTable(table: BenchTable, role: TableRole, name: string, fields: readonly TableField[]): TableShape {
  const { namespace } = table.shape
  return { stream: table.shape.stream, role, ...(namespace !== undefined && { namespace }), name, fields }
}

/** What a source does with memory that is given back to it. */
function scribble({ data }: RecordBatch): void {
  for (const { values, valueOffsets, nullBitmap } of data.children) {
    for (const memory of [values, valueOffsets, nullBitmap] as (ArrayBufferView | undefined)[]) {
      if (memory) new Uint8Array(memory.buffer, memory.byteOffset, memory.byteLength).fill(0xa5)
    }
  }
}
