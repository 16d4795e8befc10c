import type { ClientBase, Submittable } from 'pg'
import { SynclineError } from '../../errors/syncline-error.js'
import type { Batch } from '../../model/batch.js'
import type { RecordSchema } from '../../model/schema.js'
import { type StreamRef, streamRef } from '../../model/stream.js'
import { CopyFrames } from './copy-frames.js'
import { CopyQuery } from './copy-query.js'
import { RowDecoder } from './decode-rows.js'
import { postgresError } from './errors.js'
import { type PostgresColumn, readingOf } from './types.js'

export interface CopyOptions {
  /** Most rows of a batch; 16,384 when left out. */
  readonly batchRows?: number
  /** A batch ends with the row that takes it past so many bytes; 8 MiB when left out. */
  readonly batchBytes?: number
  readonly signal: AbortSignal
}

/**
 * Runs `COPY (query) TO STDOUT` and yields its rows in batches; returns how many there were, which is checked against the server's own count. The query selects
 * `selectExpression` of each column, in their order; the schema holds `fieldOf` of each. The session has {@link SESSION_SETTINGS}.
 *
 * Pulled: the socket is paused while nobody asks and one batch is ready. When it returns, the client is free for the next query. When it ends in any other way
 * (an error, an abort, the consumer leaving early), the COPY is still on the connection and its owner must destroy that.
 */
export async function* copyBatches(
  client: ClientBase,
  query: string,
  stream: StreamRef,
  schema: RecordSchema,
  columns: readonly PostgresColumn[],
  options: CopyOptions,
): AsyncGenerator<Batch, { rows: number }> {
  const { signal, batchRows = 16_384, batchBytes = 8 * 2 ** 20 } = options
  signal.throwIfAborted()
  const wires = columns.map((column) => readingOf(column).wire)
  const ref = streamRef(stream)
  const frames = new CopyFrames(new RowDecoder(ref, schema, wires, batchRows), { rows: batchRows, bytes: batchBytes })
  let wake: () => void = () => {}
  const copy: CopyQuery = new CopyQuery(
    `COPY (${query}) TO STDOUT (FORMAT binary)`,
    frames,
    () => wake(),
    () => frames.ready.length === 0,
  )
  const abort = () => {
    copy.abandon()
    wake()
  }
  signal.addEventListener('abort', abort, { once: true })
  try {
    client.query(copy as unknown as Submittable)
    for (;;) {
      signal.throwIfAborted()
      const batch = frames.ready.shift()
      if (batch !== undefined) {
        copy.resume()
        yield batch
        continue
      }
      if (copy.error !== undefined) throw postgresError(copy.error, { phase: 'read', stream: ref })
      if (copy.complete) break
      copy.resume()
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  } finally {
    signal.removeEventListener('abort', abort)
    if (!copy.complete) copy.abandon()
  }
  if (copy.serverRows !== frames.rows) {
    throw new SynclineError(
      'SOURCE_PROTOCOL_VIOLATION',
      `PostgreSQL counted ${copy.serverRows ?? 'no'} rows, ${frames.rows} arrived.`,
      { connector: 'postgres', phase: 'read', stream: ref, hint: 'Report it with the version of the server.' },
    )
  }
  return { rows: frames.rows }
}
