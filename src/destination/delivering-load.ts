import { SynclineError, toSynclineError } from '../errors/syncline-error.js'
import type { Context } from '../model/context.js'
import type { Slice } from '../model/slice.js'
import { streamKey, streamRef } from '../model/stream.js'
import type { TableBatch, TableShape } from '../model/table.js'
import { orAbort, yieldToEventLoop } from '../util/abort.js'
import { type DeliveredRecord, deliveredRecords } from './delivered-records.js'
import type { DefineDestinationOptions } from './delivery.js'
import type { Commit, Load, LoadPlan, Receipt, Writer } from './destination.js'
import { HeldRows } from './held-rows.js'

export type Delivering = Required<Pick<DefineDestinationOptions, 'name' | 'deliver' | 'batchRecords' | 'json'>> & {
  readonly spillDirectory: string | undefined
}

interface Piece {
  readonly rows: HeldRows
  /** Records that were delivered before a delivery failed. */
  delivered: number
  done: boolean
}

/** Holds sealed pieces until they are published, then delivers them. */
export class DeliveringLoad implements Load {
  private readonly pieces = new Map<string, Piece>()

  constructor(
    private readonly plan: LoadPlan,
    private readonly delivering: Delivering,
  ) {}

  async writer(slice: Slice, attempt: number): Promise<Writer> {
    const { plan, delivering, pieces } = this
    return new HoldingWriter(
      slice.id,
      attempt,
      () => new HeldRows(plan.budget, delivering.spillDirectory),
      (receipt, rows) => pieces.set(keyOf(receipt), { rows, delivered: 0, done: false }),
    )
  }

  async publish({ receipts }: Commit, context: Context): Promise<void> {
    for (const receipt of receipts) {
      const piece = this.pieces.get(keyOf(receipt))
      if (piece === undefined) {
        throw new SynclineError(
          'DESTINATION_PROTOCOL_VIOLATION',
          'A receipt stands for a piece that is not held here.',
          {
            phase: 'publish',
            connector: this.delivering.name,
          },
        )
      }
      if (piece.done) continue
      await this.deliver(piece, context)
      piece.done = true
      await piece.rows.free()
    }
  }

  async close(): Promise<void> {
    for (const { rows } of this.pieces.values()) await rows.free()
    this.pieces.clear()
  }

  private async deliver(piece: Piece, { signal }: Context): Promise<void> {
    const { batchRecords, json } = this.delivering
    let passed = 0
    let table: TableShape | undefined
    let records: DeliveredRecord[] = []
    const flush = async () => {
      if (table === undefined || records.length === 0) return
      await this.call(table, records, signal)
      piece.delivered += records.length
      records = []
      await yieldToEventLoop()
    }
    for await (const rows of piece.rows.read()) {
      if (table !== undefined && !sameShape(table, rows.table)) await flush()
      table = rows.table
      const record = deliveredRecords(table, rows.columns, json)
      for (let row = 0; row < rows.columns.numRows; row++) {
        if (passed++ < piece.delivered) continue
        records.push(record(row))
        if (records.length >= batchRecords) await flush()
      }
    }
    await flush()
  }

  private async call(table: TableShape, records: readonly DeliveredRecord[], signal: AbortSignal): Promise<void> {
    const { name, deliver } = this.delivering
    signal.throwIfAborted()
    try {
      // One that does not listen to the signal must not hold up the end of the run.
      await orAbort((async () => deliver({ stream: streamRef(table), records, table, signal }))(), signal)
    } catch (error) {
      signal.throwIfAborted()
      throw toSynclineError(error, isNetworkError(error) ? 'DESTINATION_UNREACHABLE' : 'DESTINATION_FAILED', {
        phase: 'publish',
        stream: table.stream,
        connector: name,
        message: `Records for ${streamKey(table)} could not be delivered.`,
        hint: 'Look at the cause. Throw a SynclineError to choose the code, and with it whether it is tried again.',
      })
    }
  }
}

/** Takes one attempt at a slice into pieces. */
class HoldingWriter implements Writer {
  private rows: HeldRows | undefined
  private piece = 0

  constructor(
    private readonly slice: string,
    private readonly attempt: number,
    private readonly begin: () => HeldRows,
    private readonly keep: (receipt: Receipt, rows: HeldRows) => void,
  ) {}

  async write(batch: TableBatch, { signal }: Context): Promise<void> {
    if (!('columns' in batch)) {
      throw new SynclineError(
        'CONFIG_MODE_UNSUPPORTED',
        'A destination by deliver takes rows only, no truncate and no native bytes.',
        {
          phase: 'write',
          stream: batch.table.stream,
          hint: 'Leave the stream out of this pipeline, or write a destination that can remove rows.',
        },
      )
    }
    if (batch.columns.numRows === 0) return
    this.rows ??= this.begin()
    await this.rows.add(batch, signal)
  }

  async seal(): Promise<Receipt> {
    const { rows } = this
    this.rows = undefined
    const tables = [...(rows?.counts.values() ?? [])].map(({ table, records, bytes }) => {
      const { role, name } = table
      const named = table.namespace === undefined ? { role, name } : { role, name, namespace: table.namespace }
      return { stream: table.stream, table: named, records, bytes }
    })
    const receipt = { slice: this.slice, attempt: this.attempt, piece: this.piece++, tables, data: null }
    this.keep(receipt, rows ?? this.begin())
    return receipt
  }

  async discard(): Promise<void> {
    await this.rows?.free()
    this.rows = undefined
  }
}

const keyOf = ({ slice, attempt, piece }: Pick<Receipt, 'slice' | 'attempt' | 'piece'>) =>
  JSON.stringify([slice, attempt, piece])

const sameShape = (a: TableShape, b: TableShape) => a === b || JSON.stringify(a) === JSON.stringify(b)

/** Errors of `fetch` and of sockets that may pass. */
function isNetworkError(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { readonly code?: unknown; readonly cause?: { readonly code?: unknown } }
  return [code, cause?.code].some((found) => typeof found === 'string' && NETWORK_CODES.has(found))
}

const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_SOCKET',
])
