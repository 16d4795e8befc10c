import { randomUUID } from 'node:crypto'
import type { Json } from '../../model/json.js'
import type { RecordSchema } from '../../model/schema.js'
import { type Stream, type StreamRef, sameStream, streamKey } from '../../model/stream.js'
import type { SyncMode } from '../../model/sync-mode.js'

export interface MemoryTableDefinition extends StreamRef {
  readonly schema: RecordSchema
  readonly primaryKey?: readonly string[]
  readonly cursorField?: string
  /** Keeps the table's changes in the world's one log: the stream is then a first copy followed by changes, and shares a scope. */
  readonly changeLog?: boolean
  readonly syncModes?: readonly SyncMode[]
}

export interface MemoryRowOptions {
  /** The row cannot be taken: it is given as a rejected record. */
  readonly rejected?: { readonly code: string; readonly reason: string }
  /** Fields that cannot be represented: null in the batch, with this reason. */
  readonly nulled?: { readonly [field: string]: string }
}

/** One row. `id` is a hidden serial number that never changes and is never used again. */
export interface MemoryRow extends MemoryRowOptions {
  readonly id: number
  readonly values: Readonly<Record<string, unknown>>
}

export interface MemoryChange {
  readonly position: number
  readonly stream: StreamRef
  readonly operation: 'insert' | 'update' | 'delete' | 'truncate'
  readonly values: Readonly<Record<string, unknown>>
  /** Fields whose values the log does not carry. */
  readonly unchanged: readonly string[]
}

/** What one reading sees, and what others see again while the epoch lasts. */
export interface MemorySnapshot {
  readonly epoch: string
  /** End of the change log at that moment. */
  readonly position: number
  readonly rows: ReadonlyMap<string, readonly MemoryRow[]>
}

/** One table of the world. Rows are replaced, never changed in place, so that snapshots stay as they were. */
export class MemoryTable {
  rows: MemoryRow[] = []

  constructor(
    readonly definition: MemoryTableDefinition,
    private readonly world: MemoryTables,
  ) {}

  insert(values: Record<string, unknown>, options: MemoryRowOptions = {}): MemoryRow {
    const row = { ...options, id: this.world.nextRowId(), values: { ...values } }
    this.rows = [...this.rows, row]
    this.#log('insert', row.values)
    return row
  }

  /** Changes some fields of one row; `unchanged` names fields whose values the change log leaves out. */
  update(id: number, values: Record<string, unknown>, unchanged: readonly string[] = []): void {
    this.rows = this.rows.map((row) => {
      if (row.id !== id) return row
      const next = { ...row, values: { ...row.values, ...values } }
      this.#log('update', next.values, unchanged)
      return next
    })
  }

  delete(id: number): void {
    const row = this.rows.find((candidate) => candidate.id === id)
    if (row === undefined) return
    this.rows = this.rows.filter((candidate) => candidate !== row)
    this.#log('delete', row.values)
  }

  truncate(): void {
    this.rows = []
    this.#log('truncate', {})
  }

  #log(operation: MemoryChange['operation'], values: MemoryRow['values'], unchanged: readonly string[] = []): void {
    if (this.definition.changeLog) this.world.append({ stream: this.definition, operation, values, unchanged })
  }
}

/** The scope that all change-log tables share. */
export const MEMORY_LOG_SCOPE = 'memory_log'

/**
 * The world of a memory source: tables, a change log and snapshots. It outlives sources as a database outlives its clients: a new process is a new
 * `memorySource` over the same world.
 */
export class MemoryTables {
  readonly tables: MemoryTable[] = []
  /** Every acknowledged state, in order. */
  readonly acknowledged: { readonly scope: string; readonly state: Json }[] = []
  /** Broken promises of the caller, in words. */
  readonly violations: string[] = []
  /** Readings that were opened and not closed. */
  openReadings = 0
  #log: MemoryChange[] = []
  #position = 0
  #freed = 0
  #rowIds = 0
  #epochs = 0
  /** Another world's epochs are not this one's. */
  readonly #world = randomUUID().slice(0, 8)
  #snapshots = new Map<string, MemorySnapshot>()
  #waiting: (() => void)[] = []

  table(definition: MemoryTableDefinition): MemoryTable {
    const table = new MemoryTable(definition, this)
    this.tables.push(table)
    return table
  }

  find(ref: StreamRef): MemoryTable | undefined {
    return this.tables.find(({ definition }) => sameStream(definition, ref))
  }

  streams(): Stream[] {
    return this.tables.map(({ definition: { cursorField, changeLog, ...rest }, rows }) => ({
      syncModes: cursorField !== undefined || changeLog ? ['full_refresh', 'incremental'] : ['full_refresh'],
      ...rest,
      ...(cursorField !== undefined && !changeLog && { defaultCursorField: cursorField }),
      ...(changeLog && { changeLog, sourceDefinedCursor: true, scope: MEMORY_LOG_SCOPE }),
      estimatedRecords: rows.length,
    }))
  }

  nextRowId(): number {
    return ++this.#rowIds
  }

  append(change: Omit<MemoryChange, 'position'>): void {
    this.#log.push({ ...change, position: ++this.#position })
    for (const wake of this.#waiting.splice(0)) wake()
  }

  /** Changes behind `from` up to `to`. */
  changes(from: number, to: number): MemoryChange[] {
    return this.#log.filter(({ position }) => position > from && position <= to)
  }

  get position(): number {
    return this.#position
  }

  /** Changes up to here were acknowledged, and are gone. */
  get freed(): number {
    return this.#freed
  }

  free(position: number): void {
    this.#freed = Math.max(this.#freed, position)
    this.#log = this.#log.filter((change) => change.position > this.#freed)
  }

  /** Resolves when the log grows. */
  grown(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  snapshot(): MemorySnapshot {
    const rows = new Map(this.tables.map((table) => [streamKey(table.definition), table.rows] as const))
    const snapshot = { epoch: `${this.#world}.${++this.#epochs}`, position: this.#position, rows }
    this.#snapshots.set(snapshot.epoch, snapshot)
    return snapshot
  }

  /** The snapshot, unless its epoch ended. */
  snapshotOf(epoch: string): MemorySnapshot | undefined {
    return this.#snapshots.get(epoch)
  }

  /** All snapshots are gone: readings fail with `SOURCE_EPOCH_LOST`, unfinished copies begin again. */
  endEpochs(): void {
    this.#snapshots.clear()
  }
}
