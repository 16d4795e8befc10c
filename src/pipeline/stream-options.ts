import type { StreamRef } from '../model/stream.js'
import type { Source } from '../source/source.js'
import type { CursorChoice, FieldName, RecordOf, TypedSource, TypedStream } from '../source/typed-source.js'

/**
 * How one stream is read and written. Left out: `full_refresh` with `overwrite`, or `incremental` with `append`. What a mode needs
 * (`cursorField` for incremental, `primaryKey` for append_dedup) may be left out only where the stream defines it itself.
 *
 * @typeParam Name - fields of the stream
 * @typeParam Cursor - fields that can be its cursor
 * @typeParam Own - what the stream defines itself; `'unknown'` leaves the question to the run
 */
export type StreamOptions<
  Name extends string = string,
  Cursor extends string = string,
  Own extends 'primaryKey' | 'cursorField' | 'unknown' = 'unknown',
> = {
  /** Fields that are read, all by default. Key and cursor must be among them. */
  readonly fields?: readonly Name[]
} & (ReadOptions<Cursor, Own> & WriteOptions<Name, Own>)

type ReadOptions<Cursor extends string, Own> =
  | { readonly syncMode?: 'full_refresh'; readonly cursorField?: Cursor }
  | ({ readonly syncMode: 'incremental'; readonly destinationSyncMode?: 'append' | 'append_dedup' } & Needed<
      'cursorField',
      Cursor,
      Own
    >)

type WriteOptions<Name extends string, Own> =
  | { readonly destinationSyncMode?: 'overwrite' | 'append'; readonly primaryKey?: readonly Name[] }
  | ({ readonly destinationSyncMode: 'append_dedup' } & Needed<'primaryKey', readonly Name[], Own>)

/** Optional where the stream may have its own. */
type Needed<Option extends string, Value, Own> = 'unknown' extends Own
  ? { readonly [K in Option]?: Value }
  : Option extends Own
    ? { readonly [K in Option]?: Value }
    : { readonly [K in Option]: Value }

type OwnOptions<S extends TypedStream> =
  | ([S['primaryKey']] extends [undefined] ? never : 'primaryKey')
  | ([S['cursorField']] extends [undefined] ? never : 'cursorField')

/** The options of one typed stream. */
export type TypedStreamOptions<S extends TypedStream> = StreamOptions<
  FieldName<RecordOf<S>>,
  CursorChoice<S>,
  OwnOptions<S>
>

/**
 * The streams that a pipeline reads: by name, or by `namespace.name` where a name is ambiguous; an array of
 * `{ namespace?, name, … }` names every stream without loss. Of a typed source only what it has compiles.
 */
export type StreamsOption<S extends Source> =
  S extends TypedSource<infer Streams>
    ? string extends keyof Streams
      ? UntypedStreams
      : TypedStreams<Streams>
    : UntypedStreams

type UntypedStreams = { readonly [key: string]: StreamOptions } | readonly (StreamRef & StreamOptions)[]

type TypedStreams<Streams extends { readonly [name: string]: TypedStream }> =
  | { readonly [N in keyof Streams]?: TypedStreamOptions<Streams[N]> }
  | readonly {
      [N in keyof Streams & string]: { readonly name: N } & TypedStreamOptions<Streams[N]>
    }[keyof Streams & string][]
