import type { z } from 'zod'
import type { RecordSchema } from '../model/schema.js'
import type { CursorValue } from './cursor-value.js'

/** What a stream's `records` function is asked for. */
export interface RecordsRequest<Cursor = CursorValue> {
  /**
   * Give the records with this value of the cursor field and beyond. Left undefined: all. Records with the very value that were
   * delivered before, and those below it, are left out by syncline.
   */
  readonly cursor: Cursor | undefined
  /** Aborted when nobody waits for the records any more. */
  readonly signal: AbortSignal
}

export type Records<Input> = Iterable<Input> | AsyncIterable<Input>

/** What a definition comes down to at run time. */
export interface Definition {
  readonly schema: RecordSchema
  readonly primaryKey: readonly string[] | undefined
  readonly cursorField: string | undefined
  readonly ordered: boolean
  readonly zod: z.ZodObject
  readonly records: Records<unknown> | ((request: RecordsRequest) => Records<unknown> | Promise<Records<unknown>>)
}
