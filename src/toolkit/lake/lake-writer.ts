import type { Receipt, ReceiptTable, Writer } from '../../destination/destination.js'
import { SynclineError } from '../../errors/syncline-error.js'
import type { Context } from '../../model/context.js'
import type { Json } from '../../model/json.js'
import type { Slice } from '../../model/slice.js'
import { streamKey, streamRef } from '../../model/stream.js'
import { type TableBatch, type TableRows, type TableShape, tableKey } from '../../model/table.js'
import type { FileEntry } from './commit-record.js'
import { dropAll, type LakeFile, type LakeFiles } from './lake-files.js'

export interface WriterPlan {
  readonly slice: Slice
  readonly attempt: number
  readonly run: string
  readonly maxFileBytes: number
  readonly maxFileRows: number
  /** Generation id by stream key. */
  readonly generations: ReadonlyMap<string, string>
  /** Told of every file of a sealed piece. */
  readonly sealed: (files: readonly FileEntry[]) => void
}

/** Writes the tables of one attempt at one slice, a file at a time for each. */
export class LakeWriter implements Writer {
  readonly #files: LakeFiles
  readonly #plan: WriterPlan
  readonly #open = new Map<string, LakeFile>()
  #finished: FileEntry[] = []
  #tables = new Map<string, TableShape>()
  #piece = 0
  #part = 0

  constructor(files: LakeFiles, plan: WriterPlan) {
    this.#files = files
    this.#plan = plan
  }

  async write(batch: TableBatch, context: Context): Promise<void> {
    if ('columns' in batch) return await this.#rows(batch, context)
    if ('native' in batch) {
      throw new SynclineError('DESTINATION_PROTOCOL_VIOLATION', 'A lake takes no native format.', { phase: 'write' })
    }
    // Rows that were published before stay: a lake is only ever added to.
    context.log('warn', 'A truncation of the source is not applied to a lake.', { table: batch.table.name })
  }

  async seal(context: Context): Promise<Receipt> {
    for (const key of [...this.#open.keys()]) await this.#finish(key, context)
    const files = this.#finished
    const tables = receiptTables(files, this.#tables)
    this.#finished = []
    this.#tables = new Map()
    this.#plan.sealed(files)
    const { slice, attempt } = this.#plan
    return { slice: slice.id, attempt, piece: this.#piece++, tables, data: { files: files as unknown as Json } }
  }

  async discard(context: Context): Promise<void> {
    const open = [...this.#open.values()]
    const finished = this.#finished
    this.#open.clear()
    this.#finished = []
    await dropAll([
      ...open.map((file) => file.drop(context)),
      ...finished.map((file) => this.#files.drop(file, context)),
    ])
  }

  async #rows({ table, columns }: TableRows, context: Context): Promise<void> {
    const key = tableKey(table)
    for (let from = 0; from < columns.numRows; ) {
      const file = await this.#fileOf(key, table, context)
      const to = Math.min(columns.numRows, from + this.#plan.maxFileRows - file.encoder.records)
      await file.encoder.write(from === 0 && to === columns.numRows ? columns : columns.slice(from, to), context)
      from = to
      const { records, bytes } = file.encoder
      if (records >= this.#plan.maxFileRows || bytes >= this.#plan.maxFileBytes) await this.#finish(key, context)
    }
  }

  async #fileOf(key: string, table: TableShape, context: Context): Promise<LakeFile> {
    const open = this.#open.get(key)
    if (open !== undefined && sameFields(open.table, table)) return open
    // A file has one schema: a grown table goes on in a new one.
    if (open !== undefined) await this.#finish(key, context)
    const { generations, run, slice, attempt } = this.#plan
    const generationId = generations.get(streamKey(table.stream))
    if (generationId === undefined) {
      throw new SynclineError(
        'DESTINATION_PROTOCOL_VIOLATION',
        'Rows came for a stream that the load was not opened for.',
        {
          phase: 'write',
          stream: streamRef(table.stream),
        },
      )
    }
    const part = this.#part++
    const file = await this.#files.begin(table, { generationId, run, slice: slice.id, attempt, part }, context)
    this.#open.set(key, file)
    return file
  }

  async #finish(key: string, context: Context): Promise<void> {
    const file = this.#open.get(key)!
    const finished = await file.finish(context)
    this.#open.delete(key)
    this.#finished.push(finished)
    this.#tables.set(finished.table, file.table)
  }
}

function sameFields(a: TableShape, b: TableShape): boolean {
  return a === b || a.fields === b.fields || JSON.stringify(a.fields) === JSON.stringify(b.fields)
}

function receiptTables(files: readonly FileEntry[], tables: ReadonlyMap<string, TableShape>): ReceiptTable[] {
  return [...tables].map(([key, { stream, namespace, name, role }]) => {
    const own = files.filter((file) => file.table === key)
    return {
      stream: streamRef(stream),
      table: { ...(namespace !== undefined && { namespace }), name, role },
      records: own.reduce((sum, { records }) => sum + records, 0),
      bytes: own.reduce((sum, { bytes }) => sum + bytes, 0),
    }
  })
}
