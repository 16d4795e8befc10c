import { SynclineError } from '../errors/syncline-error.js'
import type { Context } from '../model/context.js'
import { type Stream, streamKey, streamRef } from '../model/stream.js'
import { closestName } from '../util/closest-name.js'
import type { Source } from './source.js'
import type { RecordOf, RejectedRecord, TypedSource, TypedStream } from './typed-source.js'

export interface ReadRecordsOptions {
  readonly signal?: AbortSignal
  /** Takes what does not fit the schema. Left out: such a record ends the reading with `SOURCE_RECORD_INVALID`. */
  readonly onRejected?: (rejected: RejectedRecord) => void
}

/** Records of a stream: typed where the source is. */
export type RecordsOf<S extends Source, Name extends string> =
  S extends TypedSource<infer Streams>
    ? Name extends keyof Streams
      ? RecordOf<Streams[Name]>
      : never
    : Readonly<Record<string, unknown>>

/** Names of streams: known to the compiler where the source is typed, else keys as in the pipeline's `streams`. */
export type StreamNameOf<S extends Source> = S extends TypedSource<infer Streams> ? keyof Streams & string : string

/**
 * All records of one stream, one at a time, without a pipeline. Leaving the loop early frees what was held. How the values of an untyped
 * source look: see {@link FieldType}.
 */
export async function* readRecords<S extends Source, Name extends StreamNameOf<S>>(
  source: S,
  streamName: Name,
  options: ReadRecordsOptions = {},
): AsyncGenerator<RecordsOf<S, Name>, void, undefined> {
  const leaving = new AbortController()
  const signal = options.signal === undefined ? leaving.signal : AbortSignal.any([options.signal, leaving.signal])
  try {
    const typed = typedStream(source, streamName)
    const read = typed === undefined ? readUntyped(source, streamName, signal) : typed.readAll({ signal })
    for await (const checked of read) {
      if ('record' in checked) yield checked.record as RecordsOf<S, Name>
      else if (options.onRejected !== undefined) options.onRejected(checked.rejected)
      else {
        throw new SynclineError(
          'SOURCE_RECORD_INVALID',
          `A record does not fit its schema: ${checked.rejected.reason}.`,
          {
            phase: 'read',
            stream: { name: streamName },
            connector: source.name,
            hint: 'Correct the record or the schema, or take such records with onRejected.',
          },
        )
      }
    }
  } finally {
    leaving.abort()
  }
}

function typedStream(source: Source, name: string): TypedStream | undefined {
  const { streams } = source as Partial<TypedSource>
  const stream = streams !== undefined && Object.hasOwn(streams, name) ? streams[name] : undefined
  return typeof stream?.readAll === 'function' ? stream : undefined
}

type Read = { readonly record: object } | { readonly rejected: RejectedRecord }

async function* readUntyped(source: Source, key: string, signal: AbortSignal): AsyncGenerator<Read, void, undefined> {
  const context: Context = { signal, log: () => {}, now: () => new Date(), run: 'read-records' }
  const stream = find((await source.discover(context)).streams, key, source)
  const scope = stream.scope ?? streamKey(stream)
  const configured = {
    ...stream,
    scope,
    syncMode: 'full_refresh',
    destinationSyncMode: 'overwrite',
    target: streamRef(stream),
  } as const
  const request = { scopes: [{ scope, streams: [{ stream: configured, restart: true }] }], until: 'now' } as const
  const reading = await source.open(request, context)
  try {
    for await (const slice of reading.slices(context)) {
      if ('planned' in slice) continue
      for await (const message of reading.read(slice, undefined, context)) {
        if (message.type === 'batch') for (const record of message.rows()) yield { record }
        else if (message.type === 'rejected') yield { rejected: rejectedOf(message) }
      }
    }
  } finally {
    await reading.close({ ...context, signal: new AbortController().signal })
  }
}

function rejectedOf({ reason, record }: { readonly reason: string; readonly record?: string }): RejectedRecord {
  return record === undefined ? { reason } : { reason, text: record }
}

function find(streams: readonly Stream[], key: string, source: Source): Stream {
  const exact = streams.filter((stream) => streamKey(stream) === key)
  const found = exact.length > 0 ? exact : streams.filter((stream) => stream.name === key)
  if (found.length === 1) return found[0]!
  const details = { phase: 'discover', connector: source.name } as const
  if (found.length === 0) {
    const near = closestName(
      key,
      streams.flatMap((stream) => [stream.name, streamKey(stream)]),
    )
    throw new SynclineError('CONFIG_STREAM_UNKNOWN', `The source has no stream ${key}.`, {
      ...details,
      hint:
        near === undefined
          ? `It offers ${streams.length} streams; source.discover() lists them.`
          : `Did you mean ${near}?`,
    })
  }
  throw new SynclineError('CONFIG_STREAM_AMBIGUOUS', `Several streams have the name ${key}.`, {
    ...details,
    hint: `Choose one of ${found.map(streamKey).join(', ')}.`,
  })
}
