import { SynclineError } from '../errors/syncline-error.js'
import { type Catalog, type Stream, type StreamRef, sameStream, streamKey, streamRef } from '../model/stream.js'
import { closestName } from '../util/closest-name.js'
import type { StreamChoice } from './options.js'

/** The chosen streams as the catalog has them; every stream of the catalog where none is chosen. */
export function selectStreams(
  catalog: Catalog,
  choices: readonly StreamChoice[] | undefined,
): [Stream, StreamChoice][] {
  if (choices === undefined) {
    return catalog.streams.map((stream) => [
      stream,
      { stream, syncMode: 'full_refresh', destinationSyncMode: 'overwrite' },
    ])
  }
  const chosen = choices.map((choice): [Stream, StreamChoice] => [
    typeof choice.stream === 'string' ? findByKey(catalog, choice.stream) : findStream(catalog, choice.stream),
    choice,
  ])
  for (const [index, [stream]] of chosen.entries()) {
    if (chosen.findIndex(([other]) => sameStream(other, stream)) !== index) {
      throw new SynclineError('CONFIG_STREAM_AMBIGUOUS', `The stream ${streamKey(stream)} is configured twice.`, {
        phase: 'configure',
        stream: streamRef(stream),
        hint: 'Leave one of the two entries out.',
      })
    }
  }
  return chosen
}

function findStream(catalog: Catalog, ref: StreamRef): Stream {
  const found = catalog.streams.find((stream) => sameStream(stream, ref))
  if (found !== undefined) return found
  if (ref.namespace === undefined) return findByKey(catalog, ref.name, 'name')
  throw unknownStream(catalog, streamKey(ref))
}

/** A key is a name, or `namespace.name`; the lossless form of `streamKey` is understood too. */
function findByKey(catalog: Catalog, key: string, kind: 'key' | 'name' = 'key'): Stream {
  const byName = catalog.streams.filter((stream) => stream.name === key)
  const byKey =
    kind === 'name'
      ? []
      : catalog.streams.filter(
          (stream) =>
            stream.name !== key && (streamKey(stream) === key || `${stream.namespace}.${stream.name}` === key),
        )
  const found = [...byName, ...byKey]
  if (found.length === 1) return found[0]!
  if (found.length === 0) throw unknownStream(catalog, key)
  throw new SynclineError(
    'CONFIG_STREAM_AMBIGUOUS',
    `The stream key '${key}' fits ${found.map(streamKey).join(' and ')}.`,
    {
      phase: 'configure',
      hint: 'Write namespace.name, or give the streams as an array of { namespace, name, … }.',
    },
  )
}

function unknownStream(catalog: Catalog, key: string): SynclineError {
  const near = closestName(
    key,
    catalog.streams.flatMap((stream) => [stream.name, streamKey(stream)]),
  )
  return new SynclineError('CONFIG_STREAM_UNKNOWN', `The source has no stream '${key}'.`, {
    phase: 'configure',
    hint:
      near === undefined
        ? `It offers ${catalog.streams.length} streams; discover() lists them. Check the name and the rights of the user.`
        : `Did you mean '${near}'?`,
  })
}
