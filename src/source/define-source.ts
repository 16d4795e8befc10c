import { createHash, randomUUID } from 'node:crypto'
import { refuseUnknownOptions } from '../errors/invalid-options.js'
import { SynclineError, toSynclineError } from '../errors/syncline-error.js'
import type { Context } from '../model/context.js'
import type { Json } from '../model/json.js'
import type { Proof, Slice } from '../model/slice.js'
import { type Stream, type StreamRef, streamKey, streamRef } from '../model/stream.js'
import { isComparable } from './cursor-value.js'
import type { Definition } from './definition.js'
import { readDefinition } from './read-definition.js'
import type { Planned, Reading, ReadRequest, ReadStream } from './source.js'
import { orderedField, type StreamDefinition } from './stream-definition.js'
import type { TypedSource } from './typed-source.js'

export interface DefineSourceOptions<Streams extends { readonly [name: string]: StreamDefinition }> {
  /** For messages and results. */
  readonly name: string
  /** Proves that the source can be read; throws where it cannot. Left out: nothing is asked. */
  readonly check?: (context: Pick<Context, 'signal' | 'log'>) => Promise<void> | void
  /** Made by {@link stream}, by name. */
  readonly streams: Streams
}

/**
 * A source of typed records of the host's own. Every stream is one slice with a state of its own. Read incrementally, it goes on from
 * the highest cursor value, and neither loses nor doubles records that share it.
 */
export function defineSource<const Streams extends { readonly [name: string]: StreamDefinition }>(
  options: DefineSourceOptions<Streams>,
): TypedSource<Streams> {
  refuseUnknownOptions('defineSource()', options, ['name', 'check', 'streams'])
  const { name, check, streams } = options
  if (typeof name !== 'string' || name === '') throw invalid('name: expected a text', 'Name the source.')
  for (const [key, { definition }] of Object.entries(streams ?? {})) {
    if (definition === undefined) throw invalid(`streams.${key}: expected a stream`, 'Make it with stream({ … }).')
  }
  if (Object.keys(streams ?? {}).length === 0) throw invalid('streams: expected at least one', 'Add a stream.')
  const definitions = new Map(Object.entries(streams).map(([key, { definition }]) => [key, definition]))

  return {
    name,
    streams,
    async check({ signal, log }) {
      signal.throwIfAborted()
      try {
        await check?.({ signal, log })
      } catch (error) {
        signal.throwIfAborted()
        throw toSynclineError(error, 'SOURCE_FAILED', {
          phase: 'check',
          connector: name,
          message: 'The check of the source failed.',
          hint: 'Look at the cause.',
        })
      }
    },
    async discover({ signal }) {
      signal.throwIfAborted()
      return { streams: [...definitions].map(([key, definition]) => described(key, definition)) }
    },
    async open(request, { signal }) {
      signal.throwIfAborted()
      return new DefinedReading(definitions, request)
    },
  }
}

function described(name: string, { schema, primaryKey, cursorField }: Definition): Stream {
  const incremental = schema.fields.some(({ type, nullable }) => !nullable && isComparable(type))
  return {
    name,
    schema,
    syncModes: incremental ? ['full_refresh', 'incremental'] : ['full_refresh'],
    ...(primaryKey === undefined ? {} : { primaryKey }),
    ...(cursorField === undefined ? {} : { defaultCursorField: cursorField }),
  }
}

interface Part {
  readonly definition: Definition
  readonly read: ReadStream
  /** Of an incremental stream: where it begins. */
  readonly position: Json | undefined
  readonly slice: Slice | undefined
}

/** The state of a full refresh that was read to its end. */
const DONE = { done: true } as const

class DefinedReading implements Reading {
  readonly restarted: readonly StreamRef[]
  private readonly parts: readonly Part[]

  constructor(definitions: ReadonlyMap<string, Definition>, request: ReadRequest) {
    const epoch = randomUUID()
    const restarted: StreamRef[] = []
    this.parts = request.scopes.flatMap(({ streams, state }) =>
      streams.map((read): Part => {
        const { stream, restart } = read
        const definition = definitions.get(stream.name)
        if (definition === undefined || stream.namespace !== undefined) throw missing(stream)
        const saved = restart ? undefined : (state ?? undefined)
        if (stream.syncMode === 'full_refresh') {
          const done = isDone(saved)
          // What an earlier reading delivered of it cannot be continued.
          if (!done && !restart) restarted.push(streamRef(stream))
          const slice = { id: `${stream.name}/${epoch}`, streams: [streamRef(stream)], epoch, data: null }
          return { definition, read, position: undefined, slice: done ? undefined : slice }
        }
        checkCursor(definition, read)
        const position = isDone(saved) ? undefined : saved
        return { definition, read, position, slice: incrementalSlice(read, position) }
      }),
    )
    this.restarted = restarted
  }

  async *slices({ signal }: Context): AsyncGenerator<Slice | Planned, void, undefined> {
    for (const { read, slice } of this.parts) {
      signal.throwIfAborted()
      if (slice !== undefined) yield slice
      yield { planned: streamRef(read.stream) }
    }
  }

  async *read(
    slice: Slice,
    after: { readonly records: number; readonly position: Json } | undefined,
    { signal, log }: Context,
  ) {
    const part = this.parts.find((candidate) => candidate.slice?.id === slice.id)
    if (part === undefined) {
      throw new SynclineError('SOURCE_EPOCH_LOST', 'The slice belongs to another reading.', { phase: 'read' })
    }
    const { definition, read, position } = part
    yield* readDefinition({
      definition,
      stream: read.stream,
      slice: slice.id,
      position: after?.position ?? position,
      records: after?.records ?? 0,
      signal,
      log,
    })
  }

  advance(state: Json | undefined, proof: Proof, scope: string): Json {
    if (proof.type === 'set_aside') return state ?? null
    const part = this.parts.find(({ read }) => read.stream.scope === scope)
    if (part?.read.stream.syncMode === 'full_refresh') return proof.type === 'slice_done' ? DONE : (state ?? null)
    return proof.position ?? state ?? null
  }

  async close(): Promise<void> {}
}

/** The id follows from where the slice begins: a read that is repeated from the same state gives its rows the same ids. */
function incrementalSlice({ stream }: ReadStream, position: Json | undefined): Slice {
  const begin = createHash('sha256')
    .update(JSON.stringify([stream.cursorField, position ?? null]))
    .digest('hex')
  return { id: `${stream.name}/${begin.slice(0, 24)}`, streams: [streamRef(stream)], data: position ?? null }
}

function checkCursor(definition: Definition, { stream }: ReadStream): void {
  const name = stream.cursorField
  if (name === undefined) {
    throw new SynclineError('CONFIG_CURSOR_REQUIRED', `${streamKey(stream)} has no cursor field.`, {
      phase: 'open',
      stream: streamRef(stream),
      hint: 'Give cursorField, in the pipeline or in stream({ … }).',
    })
  }
  orderedField(definition.schema, name)
  if (definition.cursorField === undefined || definition.cursorField === name) return
  throw new SynclineError(
    'CONFIG_CURSOR_INVALID',
    `${streamKey(stream)} is read by ${definition.cursorField}, not by ${name}.`,
    {
      phase: 'open',
      stream: streamRef(stream),
      hint: `Leave cursorField out: the stream defines its own, and gives its records by it.`,
    },
  )
}

const isDone = (state: Json | undefined) => (state as { readonly done?: unknown } | null | undefined)?.done === true

function missing(stream: StreamRef): SynclineError {
  return new SynclineError('SOURCE_STREAM_MISSING', `The source has no stream ${streamKey(stream)}.`, {
    phase: 'open',
    stream: streamRef(stream),
    hint: 'Add it to defineSource({ streams }), or leave it out of the pipeline.',
  })
}

function invalid(problem: string, hint: string): SynclineError {
  return new SynclineError('CONFIG_INVALID', `Invalid options of defineSource(): ${problem}.`, {
    phase: 'configure',
    hint,
  })
}
