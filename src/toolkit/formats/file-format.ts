import type { RecordBatch } from 'apache-arrow'
import type { ByteBudget } from '../../model/budget.js'
import type { Context } from '../../model/context.js'
import type { TableShape } from '../../model/table.js'

/** How rows become the bytes of a file. Holds nothing; what it needs while files are written belongs to a session. */
export interface FileFormat {
  /** As in the options: `parquet`. */
  readonly name: string
  /** Of its files' names, without the dot. */
  readonly extension: string
  readonly mediaType: string
  /** Starts nothing yet: threads and the like come with the first file. */
  session(): FormatSession
}

/** What the files that are written at one time share: threads, for one. Used concurrently by many files. */
export interface FormatSession {
  encoder(table: TableShape, output: ByteSink, budget: ByteBudget, context: Context): FileEncoder
  /** Called once, last, when no encoder is in use. Leaves no thread behind. */
  close(): Promise<void>
}

/** Where the bytes of a file go, in order; resolves when it can take more. */
export type ByteSink = (bytes: Uint8Array, context: Context) => Promise<void>

/** Writes one file. Its methods are never called concurrently with one another. */
export interface FileEncoder {
  readonly records: number
  /** About how large the file would be if it was finished now. */
  readonly bytes: number
  /** Takes rows whose columns follow the table's fields. Holds them under the budget; closes what it holds early when asked to. */
  write(columns: RecordBatch, context: Context): Promise<void>
  /** Writes what is left. A file without rows is still a readable file that has the table's columns. */
  finish(context: Context): Promise<void>
  /** Gives up the file and frees what was held. Calling it after `finish`, or again, does nothing. */
  abort(): void
}
