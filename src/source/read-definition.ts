import { SynclineError, toSynclineError } from '../errors/syncline-error.js'
import { BatchBuilder } from '../model/batch-builder.js'
import type { ConfiguredStream } from '../model/configured-stream.js'
import type { Log } from '../model/context.js'
import type { Json } from '../model/json.js'
import type { Message } from '../model/message.js'
import type { RecordSchema } from '../model/schema.js'
import { streamRef } from '../model/stream.js'
import { Boundary } from './boundary.js'
import { type Checked, checkedRecords } from './checked-records.js'
import { type CursorRank, type CursorValue, cursorRank } from './cursor-value.js'
import type { Definition } from './definition.js'
import { orderedField } from './stream-definition.js'

const BATCH_ROWS = 16_384
const BATCH_BYTES = 4 * 1024 * 1024
/** Of a source that gives its records slowly: how long they wait for a full batch, and for a checkpoint. */
const BATCH_MILLISECONDS = 1_000
const CHECKPOINT_ROWS = 8_192
const CHECKPOINT_MILLISECONDS = 10_000

export interface DefinitionRead {
  readonly definition: Definition
  readonly stream: ConfiguredStream
  readonly slice: string
  /** Where an incremental read begins; left undefined: at the beginning. */
  readonly position: Json | undefined
  /** Rows of the slice before it. */
  readonly records: number
  readonly signal: AbortSignal
  readonly log: Log
}

/** Reads a defined stream as one slice. */
export async function* readDefinition(read: DefinitionRead): AsyncGenerator<Message, void, undefined> {
  const { definition, stream, slice, signal } = read
  const cursor = stream.syncMode === 'incremental' ? cursorReader(read) : undefined
  const rows = rowMaker(stream.schema)
  const builder = new BatchBuilder(streamRef(stream), stream.schema)
  let records = read.records
  let proved = records
  let leftOut = 0
  let batchBegan = 0
  let provedAt = performance.now()

  try {
    for await (const checked of checkedRecords(definition, { cursor: cursor?.begin, signal })) {
      signal.throwIfAborted()
      const at = cursor?.take(checked)
      if (at === 'before') {
        leftOut++
        continue
      }
      const now = performance.now()
      if (at === 'beyond' && definition.ordered && records > proved) {
        // Everything up to the boundary is read: the value changes with this record, which is not counted yet.
        if (records - proved >= CHECKPOINT_ROWS || now - provedAt >= CHECKPOINT_MILLISECONDS) {
          if (builder.length > 0) yield builder.finish()
          yield { type: 'checkpoint', slice, records, position: cursor!.position()! }
          proved = records
          provedAt = performance.now()
        }
      }
      cursor?.accept(checked)
      if ('record' in checked) {
        if (builder.length === 0) batchBegan = now
        builder.append(rows(checked.record))
        records++
        if (
          builder.length >= BATCH_ROWS ||
          builder.byteLength >= BATCH_BYTES ||
          now - batchBegan >= BATCH_MILLISECONDS
        ) {
          yield builder.finish()
        }
      } else {
        if (builder.length > 0) yield builder.finish()
        const { reason, text } = checked.rejected
        const record = text === undefined ? {} : { record: text }
        yield {
          type: 'rejected',
          stream: streamRef(stream),
          code: 'SOURCE_RECORD_INVALID',
          reason,
          position: records,
          ...record,
        }
        records++
      }
    }
  } catch (error) {
    signal.throwIfAborted()
    throw toSynclineError(error, 'SOURCE_FAILED', {
      phase: 'read',
      stream: streamRef(stream),
      message: 'The stream could not be read.',
    })
  }
  if (builder.length > 0) yield builder.finish()
  signal.throwIfAborted()
  if (leftOut > 0) read.log('debug', `${leftOut} records that the saved cursor covers were left out.`, { slice })
  const position = cursor?.position()
  yield { type: 'slice_done', slice, records, ...(position === undefined ? {} : { position }) }
  signal.throwIfAborted()
}

/** A row of a record. The values of a record are what the builder takes, but for texts in fields of free JSON. */
function rowMaker(schema: RecordSchema): (record: object) => Readonly<Record<string, unknown>> {
  const free = schema.fields.filter(({ type }) => type.kind === 'json').map(({ name }) => name)
  if (free.length === 0) return (record) => record as Record<string, unknown>
  return (record) => {
    const row: Record<string, unknown> = { ...record }
    for (const name of free) if (typeof row[name] === 'string') row[name] = JSON.stringify(row[name])
    return row
  }
}

type Place = 'before' | 'at' | 'beyond' | 'unknown'

/** Follows the cursor through one read. */
interface CursorReader {
  readonly begin: CursorValue | undefined
  /** Where a record lies; `before`: an earlier read delivered it. */
  take(checked: Checked): Place
  /** The record that was taken last is given out. */
  accept(checked: Checked): void
  position(): Json | undefined
}

function cursorReader({ definition, stream, position }: DefinitionRead): CursorReader {
  const field = orderedField(definition.schema, stream.cursorField!)
  const start = position === undefined ? new Boundary(field.name) : Boundary.fromJson(position, field)
  const boundary = position === undefined ? new Boundary(field.name) : Boundary.fromJson(position, field)
  const delivered = start.delivered()
  let value: CursorValue
  let rank: CursorRank | undefined

  return {
    begin: start.cursor,
    take(checked) {
      const content = contentOf(checked)
      const found = (content as Record<string, unknown> | null | undefined)?.[field.name]
      rank = 'rejected' in checked && checked.fields.has(field.name) ? undefined : cursorRank(found, field.type)
      if (rank === undefined) {
        // A rejected record whose cursor cannot be read has no place in the order: it is reported by every read that meets it.
        if ('rejected' in checked) return 'unknown'
        throw new SynclineError(
          'SOURCE_RECORD_INVALID',
          `A record has no comparable value in the cursor field ${field.name}.`,
          {
            hint: 'Let the schema check the cursor field, so that such records are rejected.',
          },
        )
      }
      value = found as CursorValue
      const toStart = start.compare(rank)
      if (toStart < 0) return 'before'
      if (toStart === 0 && delivered.take(content)) return 'before'
      const place = boundary.compare(rank)
      if (place < 0 && definition.ordered) {
        throw new SynclineError(
          'SOURCE_RECORD_INVALID',
          `Records do not come in the order of the cursor field ${field.name}.`,
          {
            hint: 'Let `records` give them in ascending order, or leave `ordered` out.',
          },
        )
      }
      return place > 0 ? 'beyond' : 'at'
    },
    accept(checked) {
      if (rank === undefined) return
      const place = boundary.compare(rank)
      if (place > 0) boundary.move(value, rank)
      if (place >= 0) boundary.add(contentOf(checked))
    },
    position: () => boundary.toJson(),
  }
}

const contentOf = (checked: Checked): unknown => ('record' in checked ? checked.record : checked.given)
