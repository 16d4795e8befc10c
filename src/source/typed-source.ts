import type { Source } from './source.js'

/** What the compiler knows of one stream: its records, and whether it has a key and a cursor of its own. */
export interface TypedStream<
  Item extends object = object,
  Key extends readonly string[] | undefined = readonly string[] | undefined,
  Cursor extends string | undefined = string | undefined,
> {
  readonly primaryKey: Key
  readonly cursorField: Cursor
  /** All records once, typed and checked. */
  readAll(request: { readonly signal: AbortSignal }): AsyncIterable<CheckedRecord<Item>>
}

/** A record that fits its schema, or what is known of one that does not. */
export type CheckedRecord<Item extends object = object> =
  | { readonly record: Item }
  | { readonly rejected: RejectedRecord }

export interface RejectedRecord {
  /** Why, without values. */
  readonly reason: string
  /** The record as JSON text, as far as it could be read. */
  readonly text?: string
}

/** A source whose streams, fields and keys are known to the compiler; what is not among them does not compile in a pipeline. */
export interface TypedSource<
  Streams extends { readonly [name: string]: TypedStream } = { readonly [name: string]: TypedStream },
> extends Source {
  readonly streams: Streams
}

/** The records of a typed stream. */
export type RecordOf<S extends TypedStream> = S extends TypedStream<infer Item> ? Item : never

export type FieldName<Item> = keyof Item & string

/** Fields that have an order and a value in every record. */
export type CursorFieldName<Item> = {
  [F in FieldName<Item>]-?: Item[F] extends string | number | bigint | Date ? F : never
}[FieldName<Item>]

/** `undefined` removed; an own cursor is the only one that a stream can be read by. */
export type CursorChoice<S extends TypedStream> = [S['cursorField']] extends [undefined]
  ? CursorFieldName<RecordOf<S>>
  : NonNullable<S['cursorField']>
