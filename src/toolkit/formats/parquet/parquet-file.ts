import type { RecordBatch, Schema } from 'apache-arrow'
import type { BudgetLease, ByteBudget } from '../../../model/budget.js'
import type { Context } from '../../../model/context.js'
import type { TableShape } from '../../../model/table.js'
import { orAbort } from '../../../util/abort.js'
import type { ByteSink, FileEncoder } from '../file-format.js'
import type { ParquetSettings } from './parquet-options.js'
import { fileSchema, RowGroup } from './row-group.js'
import type { SharedBuffers } from './shared-buffers.js'
import { ParquetStitcher } from './stitch.js'
import type { Encoded, EncodeRequest } from './worker-protocol.js'

export type GroupToEncode = Pick<EncodeRequest, 'stream' | 'rows' | 'position'>
type Encode = (group: GroupToEncode) => Promise<Encoded>

/** Encoding changes the size; so much of what waits counts for the size of the file. */
const GUESSED_RATIO = 0.4

/** One Parquet file: gathers row groups under the budget, has them encoded elsewhere, and puts them out in order. */
export class ParquetFile implements FileEncoder {
  records = 0
  readonly #schema: Schema
  readonly #output: ByteSink
  readonly #encode: Encode
  readonly #buffers: SharedBuffers
  readonly #budget: ByteBudget
  readonly #lease: BudgetLease
  readonly #rows: number
  readonly #blockSize: number
  readonly #stitcher = new ParquetStitcher()
  /** Row groups are written with a signal of the file: an aborted `write` is no reason to lose one that was taken before. */
  readonly #stop = new AbortController()
  readonly #context: Context
  #group: RowGroup
  /** Bytes of row groups on their way. */
  #pending = 0
  #tail: Promise<void> = Promise.resolve()
  #failure: unknown

  constructor(
    table: TableShape,
    output: ByteSink,
    settings: ParquetSettings,
    budget: ByteBudget,
    context: Context,
    buffers: SharedBuffers,
    encode: Encode,
  ) {
    this.#buffers = buffers
    this.#budget = budget
    this.#schema = fileSchema(table)
    this.#output = output
    this.#encode = encode
    this.#rows = settings.rowGroupRows
    this.#blockSize = Math.min(settings.blockSize, Math.max(1, Math.floor(budget.limit / 8)))
    this.#context = { ...context, signal: this.#stop.signal }
    this.#lease = budget.lease(() => this.#relieve())
    this.#group = new RowGroup(this.#schema, this.#buffers)
  }

  get bytes(): number {
    const waiting = this.#pending + (this.#group.rows > 0 ? this.#group.bytes : 0)
    return this.#stitcher.position + Math.round(GUESSED_RATIO * waiting)
  }

  async write(columns: RecordBatch, context: Context): Promise<void> {
    for (let from = 0; from < columns.numRows; ) {
      const to = Math.min(columns.numRows, from + this.#rows - this.#group.rows)
      await this.#add(from === 0 && to === columns.numRows ? columns : columns.slice(from, to), context)
      from = to
    }
  }

  async #add(columns: RecordBatch, context: Context): Promise<void> {
    this.#throwFailure()
    const held = this.#pending + this.#group.bytes
    await this.#lease.resize(held + columns.data.byteLength, context.signal)
    this.#group.add(columns)
    this.records += columns.numRows
    await this.#lease.resize(this.#pending + this.#group.bytes, context.signal)
    if (this.#group.rows < this.#rows && this.#group.bytes < this.#mostBytes()) return
    // At most one row group is on its way while the next one is gathered.
    await orAbort(this.#tail, context.signal)
    this.#throwFailure()
    // The budget may have ended it meanwhile.
    if (this.#group.rows > 0) this.#endGroup()
  }

  /** Where many files are open, row groups become smaller before the budget has to wait for one. */
  #mostBytes(): number {
    return this.#budget.used > this.#budget.limit / 2 ? this.#blockSize / 2 : this.#blockSize
  }

  async finish(context: Context): Promise<void> {
    if (this.#group.rows > 0 || (this.records === 0 && this.#stitcher.position === 0)) this.#endGroup()
    await orAbort(this.#tail, context.signal)
    this.#throwFailure()
    await this.#output(this.#stitcher.finish(), context)
    this.#group.drop()
    this.#lease.release()
  }

  abort(): void {
    this.#stop.abort(new Error('The file was given up.'))
    this.#group.drop()
    this.#lease.release()
  }

  /** The budget is short: what is held goes out as a smaller row group. */
  async #relieve(): Promise<void> {
    if (this.#group.rows > 0) this.#endGroup()
    await this.#tail
  }

  #endGroup(): void {
    const group = this.#group
    this.#group = new RowGroup(this.#schema, this.#buffers)
    const { bytes } = group
    this.#pending += bytes
    this.#tail = this.#tail
      .then(() => this.#put(group))
      .catch((error) => {
        this.#failure ??= error
      })
      .finally(async () => {
        this.#pending -= bytes
        if (!this.#stop.signal.aborted)
          await this.#lease.resize(Math.min(this.#lease.bytes, this.#pending + this.#group.bytes), this.#stop.signal)
      })
  }

  async #put(group: RowGroup): Promise<void> {
    this.#throwFailure()
    this.#stop.signal.throwIfAborted()
    const encoding = this.#encode({ stream: group.end(), rows: group.rows, position: this.#stitcher.next }).finally(
      () => group.drop(),
    )
    const { part } = await orAbort(encoding, this.#stop.signal)
    for (const bytes of this.#stitcher.add(part)) await this.#output(bytes, this.#context)
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure
  }
}
