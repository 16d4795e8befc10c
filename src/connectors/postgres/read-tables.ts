import { SynclineError } from '../../errors/syncline-error.js'
import type { ConfiguredStream } from '../../model/configured-stream.js'
import { type StreamRef, streamKey, streamRef } from '../../model/stream.js'
import { loadColumns, loadRelations } from './discovery.js'
import type { Relation } from './relation.js'
import type { Session } from './session.js'
import { fieldOf, type PostgresColumn } from './types.js'

/** A table as a stream reads it. */
export interface ReadTable {
  readonly relation: Relation
  /** The stream's fields, in its order. */
  readonly columns: readonly PostgresColumn[]
}

/** The tables of a reading as the catalog describes them inside its snapshot; looked up once. */
export class ReadTables {
  #relations: ReadonlyMap<string, Relation> | undefined

  constructor(private readonly streams: readonly ConfiguredStream[]) {}

  async get(session: Session, stream: ConfiguredStream, signal: AbortSignal): Promise<ReadTable> {
    this.#relations ??= await this.#load(session, signal)
    const relation = this.#relations.get(streamKey(stream))
    if (relation === undefined) {
      throw problem(
        'SOURCE_STREAM_MISSING',
        'The table is no longer there.',
        'Take the stream out, or bring the table back.',
        stream,
      )
    }
    if (!relation.readable) {
      throw problem(
        'SOURCE_PERMISSION_DENIED',
        'The user may not read this table.',
        'Grant USAGE on its schema and SELECT on the table.',
        stream,
      )
    }
    return { relation, columns: stream.schema.fields.map((field) => columnOf(relation, field, stream)) }
  }

  async #load(session: Session, signal: AbortSignal): Promise<ReadonlyMap<string, Relation>> {
    const wanted = new Set(this.streams.map(streamKey))
    const filter = {
      schemas: [...new Set(this.streams.map(({ namespace }) => namespace ?? ''))],
      names: [...new Set(this.streams.map(({ name }) => name))],
    }
    const entries = (await loadRelations(session, filter, signal)).filter((entry) => wanted.has(streamKey(entry)))
    const relations = await loadColumns(session, entries, signal)
    return new Map(relations.map((relation) => [streamKey(relation), relation]))
  }
}

function columnOf(
  relation: Relation,
  field: ConfiguredStream['schema']['fields'][number],
  stream: ConfiguredStream,
): PostgresColumn {
  const column = relation.columns.find(({ name }) => name === field.name)
  if (column === undefined) {
    throw problem(
      'SOURCE_FIELD_MISSING',
      `The column ${field.name} is no longer there, or may not be read.`,
      'Take the field out, or bring the column back.',
      stream,
    )
  }
  if (JSON.stringify(fieldOf(column).type) !== JSON.stringify(field.type)) {
    throw problem(
      'SOURCE_FIELD_MISSING',
      `The column ${field.name} has another type than when it was discovered.`,
      'Run again: the new type is then discovered.',
      stream,
    )
  }
  return column
}

function problem(
  code: 'SOURCE_STREAM_MISSING' | 'SOURCE_PERMISSION_DENIED' | 'SOURCE_FIELD_MISSING',
  message: string,
  hint: string,
  stream: StreamRef,
): SynclineError {
  return new SynclineError(code, message, { connector: 'postgres', phase: 'read', hint, stream: streamRef(stream) })
}
