import { z } from 'zod'
import { refuseUnknownOptions } from '../errors/invalid-options.js'
import { SynclineError } from '../errors/syncline-error.js'
import type { Field, RecordSchema } from '../model/schema.js'
import { checkedRecords } from './checked-records.js'
import { type CursorValue, isComparable } from './cursor-value.js'
import type { Definition, Records, RecordsRequest } from './definition.js'
import type { CheckedRecord, CursorFieldName, FieldName, TypedStream } from './typed-source.js'
import { zodRecordSchema } from './zod-schema.js'

export interface StreamDefinitionOptions<
  Schema extends z.ZodObject,
  Key extends readonly string[] | undefined,
  Cursor extends string | undefined,
> {
  /** Every record is checked by it; what fails is rejected, stored and counted. Records are what it gives out, after its transforms. */
  readonly schema: Schema
  readonly primaryKey?: Key
  /** Of all fields that have an order, the one that tells how far the stream was read. */
  readonly cursorField?: Cursor
  /**
   * Records come in ascending order of the cursor field; one out of order fails the stream. A read can then go on in its middle.
   * Left out: false, and the cursor moves only when everything was read.
   */
  readonly ordered?: boolean
  /** The records, or a function that gives them, sync or async. It is called anew for every read, and for every new attempt. */
  readonly records:
    | Records<z.input<Schema>>
    | ((
        request: RecordsRequest<CursorOf<z.output<Schema>, Cursor>>,
      ) => Records<z.input<Schema>> | Promise<Records<z.input<Schema>>>)
}

type CursorOf<Item, Cursor> = Cursor extends keyof Item ? Item[Cursor] : CursorValue

/** A stream of a source of the host's own; made by {@link stream}. */
export interface StreamDefinition<
  Item extends object = object,
  Key extends readonly string[] | undefined = readonly string[] | undefined,
  Cursor extends string | undefined = string | undefined,
> extends TypedStream<Item, Key, Cursor> {
  /** @internal */
  readonly definition: Definition
}

/**
 * Defines a stream of typed records for {@link defineSource}. Its fields are taken from the zod schema; `primaryKey` and `cursorField`
 * must be among them, and always have a value.
 */
export function stream<
  Schema extends z.ZodObject,
  const Key extends readonly FieldName<z.output<Schema>>[] | undefined = undefined,
  const Cursor extends CursorFieldName<z.output<Schema>> | undefined = undefined,
>(options: StreamDefinitionOptions<Schema, Key, Cursor>): StreamDefinition<z.output<Schema>, Key, Cursor> {
  refuseUnknownOptions('stream()', options, ['schema', 'primaryKey', 'cursorField', 'ordered', 'records'])
  const { schema: zod, primaryKey, cursorField, ordered = false, records } = options
  if (!(zod instanceof z.ZodObject))
    throw invalid('schema: expected a z.object(…) of zod 4', 'Use zod 4, as in z.object({ id: z.int() }).')
  const schema = zodRecordSchema(zod)
  for (const name of primaryKey ?? []) alwaysGiven(schema, name, 'primaryKey')
  if (cursorField !== undefined) orderedField(schema, cursorField)
  if (ordered && cursorField === undefined) {
    throw invalid('ordered: needs a cursorField', 'Name the field that the records are ordered by as cursorField.')
  }
  checkRecords(records)
  const definition = { schema, primaryKey, cursorField, ordered, zod, records } as Definition
  return {
    primaryKey: primaryKey as Key,
    cursorField: cursorField as Cursor,
    definition,
    readAll: ({ signal }) =>
      checkedRecords(definition, { cursor: undefined, signal }) as AsyncIterable<CheckedRecord<z.output<Schema>>>,
  }
}

/** The field of a cursor; `CONFIG_CURSOR_INVALID` where it has no order or may be null. */
export function orderedField(schema: RecordSchema, name: string): Field {
  const field = schema.fields.find((candidate) => candidate.name === name)
  if (field === undefined || field.nullable || !isComparable(field.type)) {
    throw new SynclineError(
      'CONFIG_CURSOR_INVALID',
      `The cursor field ${name} ${field === undefined ? 'does not exist' : field.nullable ? 'may be null' : 'has no order'}.`,
      { phase: 'configure', hint: 'Choose a number, text, date or timestamp that every record has.' },
    )
  }
  return field
}

function alwaysGiven(schema: RecordSchema, name: string, option: string): void {
  const field = schema.fields.find((candidate) => candidate.name === name)
  if (field === undefined) throw invalid(`${option}: no field ${name} in the schema`, 'Name fields of the schema.')
  if (field.nullable) throw invalid(`${option}: ${name} may be null`, 'Make the field required in the schema.')
}

function checkRecords(records: unknown): void {
  if (typeof records === 'function') return
  const iterable = records as Partial<Iterable<unknown> & AsyncIterable<unknown>> | null | undefined
  const iterate =
    typeof records === 'string' ? undefined : (iterable?.[Symbol.iterator] ?? iterable?.[Symbol.asyncIterator])
  if (typeof iterate !== 'function') {
    throw invalid(
      'records: expected an array, an iterable or a function',
      'Give the records, or a function that returns them.',
    )
  }
  if (typeof (records as { next?: unknown }).next === 'function') {
    throw invalid(
      'records: an iterator can be read only once',
      'Give a function that returns a new one for every read.',
    )
  }
}

function invalid(problem: string, hint: string): SynclineError {
  return new SynclineError('CONFIG_INVALID', `Invalid options of stream(): ${problem}.`, { phase: 'configure', hint })
}
