import { randomUUID } from 'node:crypto'
import type { LoadPlan, Receipt, ReceiptTable, Writer } from '../../destination/destination.js'
import { SynclineError } from '../../errors/syncline-error.js'
import { OPERATION } from '../../model/change.js'
import type { Context } from '../../model/context.js'
import { recordReader } from '../../model/record-values.js'
import type { Slice } from '../../model/slice.js'
import { sameStream, streamKey, streamRef } from '../../model/stream.js'
import { type TableBatch, type TableRows, tableKey } from '../../model/table.js'
import { yieldToEventLoop } from '../../util/abort.js'
import { CallGuard } from './call-guard.js'
import type { MemoryStore, PieceRow, PieceTable } from './memory-store.js'
import { NativeRowDecoder } from './native-rows.js'

interface OpenTable extends PieceTable {
  bytes: number
}

/** Takes one attempt at one slice. Rows go straight into the world, so that it holds memory only while `write` runs. */
export class MemoryWriter implements Writer {
  readonly #guard: CallGuard
  readonly #native: NativeRowDecoder
  #tables = new Map<string, OpenTable>()
  #pieces = 0

  constructor(
    private readonly store: MemoryStore,
    private readonly plan: LoadPlan,
    private readonly scope: string,
    private readonly slice: Slice,
    private readonly attempt: number,
    private readonly run: string,
    private readonly closed: () => void,
  ) {
    this.#guard = new CallGuard(`writer of ${slice.id}, attempt ${attempt}`, store.violations)
    this.#native = new NativeRowDecoder(slice.id)
  }

  write(batch: TableBatch, { signal }: Context): Promise<void> {
    return this.#guard.alone('write', async () => {
      signal.throwIfAborted()
      const lease = this.plan.budget.lease()
      try {
        if ('columns' in batch) await lease.resize(batch.columns.data.byteLength, signal)
        await yieldToEventLoop()
        this.#take(batch)
      } finally {
        lease.release()
      }
    })
  }

  seal(context: Context): Promise<Receipt> {
    return this.#guard.alone('seal', async () => {
      this.#guard.ownSignal('seal', context)
      await yieldToEventLoop()
      const tables = [...this.#tables.values()]
      this.#tables = new Map()
      if (this.#native.incomplete) throw this.#violation('seal inside a native row')
      const id = randomUUID()
      const generationIds = Object.fromEntries(
        this.plan.streams.map(({ stream, generationId }) => [streamKey(stream), generationId]),
      )
      this.store.pieces.set(id, { id, run: this.run, scope: this.scope, generationIds, tables })
      const piece = this.#pieces++
      return { slice: this.slice.id, attempt: this.attempt, piece, tables: tables.map(counted), data: id }
    })
  }

  async discard(context: Context): Promise<void> {
    this.#guard.ownSignal('discard', context)
    this.#tables.clear()
    if (this.#guard.end('discard')) this.closed()
    await yieldToEventLoop()
  }

  #take(batch: TableBatch): void {
    const { table } = batch
    const known = this.plan.streams.find(({ stream }) => sameStream(stream, table.stream))
    if (known === undefined) throw this.#violation(`write for stream ${streamKey(table.stream)}, which is not planned`)
    // The table of rejected records is shared by streams.
    const key = JSON.stringify([tableKey(table), streamKey(table.stream)])
    const open = this.#tables.get(key) ?? { table, stream: streamRef(table.stream), rows: [], bytes: 0 }
    const wider = table.fields.length >= open.table.fields.length ? table : open.table
    this.#tables.set(key, open)
    Object.assign(open, { table: wider })
    if ('truncate' in batch) open.rows.push({ truncate: batch.truncate })
    else if ('native' in batch) {
      if (known.native === undefined) throw this.#violation('native bytes without an agreement')
      for (const values of this.#native.decode(batch.native, known.native.table)) open.rows.push({ values })
      open.bytes += batch.native.byteLength
    } else {
      open.rows.push(...this.#rows(batch))
      open.bytes += batch.columns.data.byteLength
    }
  }

  #rows({ table, columns, changes }: TableRows): PieceRow[] {
    const names = columns.schema.fields.map(({ name }) => name)
    if (names.length !== table.fields.length) throw this.#violation('columns do not follow the fields of the table')
    const read = recordReader({ fields: table.fields.map((field) => ({ ...field, nullable: true })) }, columns)
    return Array.from({ length: columns.numRows }, (_, row): PieceRow => {
      const values = { ...read(row) }
      if (changes === undefined) return { values }
      return {
        values,
        order: { position: changes.positions[row]!, ordinal: changes.ordinals[row]! },
        deleted: changes.operations[row] === OPERATION.delete,
        unchanged: [...(changes.unchanged ?? [])].flatMap(([name, mask]) => (mask[row] ? [name] : [])),
      }
    })
  }

  #violation(text: string): SynclineError {
    this.#guard.violation(text)
    return new SynclineError('DESTINATION_PROTOCOL_VIOLATION', text, {
      hint: 'The caller broke the contract of Writer.',
    })
  }
}

function counted({ table: { namespace, name, role }, stream, rows, bytes }: OpenTable): ReceiptTable {
  const records = rows.filter((row) => !('truncate' in row)).length
  return { stream, table: { ...(namespace !== undefined && { namespace }), name, role }, records, bytes }
}
