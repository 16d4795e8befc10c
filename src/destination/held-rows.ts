import { type RecordBatch, Table, tableFromIPC, tableToIPC } from 'apache-arrow'
import type { BudgetLease, ByteBudget } from '../model/budget.js'
import { type TableRows, type TableShape, tableKey } from '../model/table.js'
import { SpillFile, type Stretch } from './spill-file.js'

/** Rows of one piece, in memory as far as the budget allows, else in a temporary file. Not for concurrent use, but for `relieve`. */
export class HeldRows {
  private readonly lease: BudgetLease
  private inMemory: TableRows[] = []
  private readonly spilled: { readonly table: TableShape; readonly stretch: Stretch }[] = []
  private file: SpillFile | undefined
  private spilling: Promise<void> = Promise.resolve()
  private freed = false
  readonly counts = new Map<string, { readonly table: TableShape; records: number; bytes: number }>()

  constructor(
    private readonly budget: ByteBudget,
    private readonly directory: string | undefined,
  ) {
    this.lease = budget.lease(() => this.spill())
  }

  async add(rows: TableRows, signal: AbortSignal): Promise<void> {
    const { byteLength } = rows.columns.data
    // Nobody asks this lease while it waits itself, so what would not fit goes first.
    const own = this.lease.bytes + byteLength
    if (own > this.budget.limit / 4 || this.budget.used + byteLength > this.budget.limit) await this.spill()
    await this.lease.resize(this.lease.bytes + byteLength, signal)
    await this.spilling
    this.inMemory.push(rows)
    const key = tableKey(rows.table)
    const count = this.counts.get(key) ?? { table: rows.table, records: 0, bytes: 0 }
    count.records += rows.columns.numRows
    count.bytes += byteLength
    this.counts.set(key, count)
  }

  /** The rows in the order in which they were added. */
  async *read(): AsyncGenerator<TableRows, void, undefined> {
    await this.spilling
    for (const { table, stretch } of this.spilled) {
      for (const columns of batchesOf(await this.file!.read(stretch))) yield { table, columns }
    }
    // Read without a copy; they stay until `free`.
    yield* [...this.inMemory]
  }

  async free(): Promise<void> {
    this.freed = true
    await this.spilling.catch(() => {})
    this.inMemory = []
    this.lease.release()
    await this.file?.close()
  }

  /** Moves everything in memory to the file. Spilled rows stay in front of those in memory, so the order is kept. */
  private spill(): Promise<void> {
    this.spilling = this.spilling.then(async () => {
      // One by one, so that a reader meets each row in the file or in memory, never in both.
      for (let rows = this.inMemory[0]; rows !== undefined && !this.freed; rows = this.inMemory[0]) {
        this.file ??= await SpillFile.create(this.directory)
        const stretch = await this.file.append(tableToIPC(new Table([rows.columns]), 'stream'))
        this.spilled.push({ table: rows.table, stretch })
        this.inMemory.shift()
      }
      await this.lease.resize(0, NEVER)
    })
    return this.spilling
  }
}

/** A smaller lease is granted at once, so nothing has to end this wait. */
const NEVER = new AbortController().signal

const batchesOf = (bytes: Uint8Array): readonly RecordBatch[] => tableFromIPC(bytes).batches
