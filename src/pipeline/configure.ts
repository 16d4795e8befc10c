import type { DestinationCapabilities } from '../destination/capabilities.js'
import { SynclineError } from '../errors/syncline-error.js'
import type { ConfiguredStream } from '../model/configured-stream.js'
import type { RecordSchema } from '../model/schema.js'
import { type Catalog, type Stream, type StreamRef, streamKey, streamRef } from '../model/stream.js'
import type { SyncModePair } from '../model/sync-mode.js'
import { closestName } from '../util/closest-name.js'
import { shortList } from '../util/short-list.js'
import type { PipelineSettings, StreamChoice } from './options.js'
import { selectStreams } from './select-streams.js'

type ConfigureOptions = Pick<PipelineSettings, 'streams' | 'namespace' | 'prefix'>

/** A stream that is to be read; `missing` names configured fields that the catalog does not have. */
export interface SelectedStream {
  readonly stream: ConfiguredStream
  readonly missing: MissingFields
}

export interface MissingFields {
  readonly cursor?: string
  readonly primaryKey: readonly string[]
}

/** The streams of a run. Throws `CONFIG_*` for whatever is wrong without looking at a saved state. */
export function configureStreams(
  catalog: Catalog,
  options: ConfigureOptions,
  { identifiers }: Pick<DestinationCapabilities, 'identifiers'>,
): SelectedStream[] {
  const selected = selectStreams(catalog, options.streams).map(([stream, settings]) =>
    configureStream(stream, settings, options),
  )
  const targets = new Map<string, StreamRef>()
  for (const { stream } of selected) {
    const key = streamKey(stream.target)
    const target = identifiers.caseSensitive ? key : key.toLowerCase()
    const other = targets.get(target)
    if (other !== undefined) {
      throw new SynclineError(
        'CONFIG_NAME_COLLISION',
        `${streamKey(other)} and ${streamKey(stream)} would both be written to ${key}.`,
        {
          phase: 'configure',
          hint:
            other.namespace === stream.namespace
              ? 'The destination does not tell upper from lower case: read one of them in a pipeline with a prefix.'
              : "Keep the source's namespaces (namespace: 'source'), or read one of them in a pipeline with a prefix.",
        },
      )
    }
    targets.set(target, stream)
  }
  return selected
}

function configureStream(stream: Stream, settings: StreamChoice, options: ConfigureOptions): SelectedStream {
  const fail = (code: ConstructorParameters<typeof SynclineError>[0], message: string, hint: string): never => {
    throw new SynclineError(code, message, { phase: 'configure', stream: streamRef(stream), hint })
  }
  const key = streamKey(stream)
  const { syncMode, destinationSyncMode } = settings
  if (!stream.syncModes.includes(syncMode)) {
    fail(
      'CONFIG_MODE_UNSUPPORTED',
      `${key} cannot be read as ${syncMode}.`,
      `It can be read as ${stream.syncModes.join(' or ')}.`,
    )
  }
  const primaryKey = settings.primaryKey ?? stream.primaryKey
  if (destinationSyncMode === 'append_dedup' && (primaryKey === undefined || primaryKey.length === 0)) {
    fail(
      'CONFIG_PRIMARY_KEY_REQUIRED',
      `${key} has no primary key, which append_dedup needs.`,
      'Set primaryKey for this stream.',
    )
  }
  const cursorField =
    syncMode === 'incremental' && !stream.sourceDefinedCursor
      ? (settings.cursorField ?? stream.defaultCursorField)
      : undefined
  if (syncMode === 'incremental' && !stream.sourceDefinedCursor && cursorField === undefined) {
    fail('CONFIG_CURSOR_REQUIRED', `${key} is incremental but has no cursor field.`, 'Set cursorField for this stream.')
  }
  if (stream.sourceDefinedCursor && settings.cursorField !== undefined) {
    fail('CONFIG_CURSOR_INVALID', `The source orders ${key} itself.`, 'Leave cursorField out.')
  }

  const names = new Set(stream.schema.fields.map(({ name }) => name))
  const unknown = (settings.fields ?? []).filter((name) => !names.has(name))
  if (unknown.length > 0) {
    fail('CONFIG_FIELD_UNKNOWN', `${key} has no field ${unknown.join(', ')}.`, fieldsHint(unknown[0]!, [...names]))
  }
  const missing: MissingFields = {
    ...(cursorField !== undefined && !names.has(cursorField) && { cursor: cursorField }),
    primaryKey: (primaryKey ?? []).filter((name) => !names.has(name)),
  }
  const needed = new Set([
    ...(settings.fields ?? []),
    ...(primaryKey ?? []),
    ...(cursorField === undefined ? [] : [cursorField]),
  ])
  const schema: RecordSchema =
    settings.fields === undefined
      ? stream.schema
      : { fields: stream.schema.fields.filter(({ name }) => needed.has(name)) }

  const { primaryKey: _, ...rest } = stream
  return {
    missing,
    stream: {
      ...rest,
      schema,
      scope: stream.scope ?? streamKey(stream),
      syncMode,
      destinationSyncMode,
      ...(cursorField !== undefined && { cursorField }),
      ...(primaryKey !== undefined && { primaryKey }),
      target: targetOf(stream, options),
    },
  }
}

function targetOf(stream: StreamRef, { namespace, prefix }: ConfigureOptions): StreamRef {
  const name = prefix + stream.name
  const mapped =
    namespace === 'source'
      ? stream.namespace
      : namespace === 'destination'
        ? undefined
        : namespace.format.replaceAll('${SOURCE_NAMESPACE}', stream.namespace ?? '')
  // An empty name is the destination's default, as in Airbyte.
  return mapped === undefined || mapped === '' ? { name } : { namespace: mapped, name }
}

/**
 * Throws `CONFIG_MODE_UNSUPPORTED` for a pair that the destination cannot do.
 *
 * @param choice - of which stream; left out: of every one, as no streams are configured
 */
export function requireMode(
  { syncMode, destinationSyncMode }: SyncModePair,
  {
    name,
    capabilities: { modes },
  }: { readonly name: string; readonly capabilities: Pick<DestinationCapabilities, 'modes'> },
  choice?: Pick<StreamChoice, 'stream'>,
): void {
  if (modes.some((mode) => mode.syncMode === syncMode && mode.destinationSyncMode === destinationSyncMode)) return
  const able = modes.map((mode) => `${mode.syncMode} with ${mode.destinationSyncMode}`).join(', ')
  const stream = choice && (typeof choice.stream === 'string' ? choice.stream : streamKey(choice.stream))
  throw new SynclineError(
    'CONFIG_MODE_UNSUPPORTED',
    `${name} cannot do ${syncMode} with ${destinationSyncMode}, ${stream === undefined ? 'the default for every stream' : `as ${stream} asks`}.`,
    {
      phase: 'configure',
      connector: name,
      hint: `It can do ${able}: set syncMode and destinationSyncMode of ${stream ?? 'each stream in streams'}.`,
    },
  )
}

function fieldsHint(wanted: string, names: readonly string[]): string {
  const closest = closestName(wanted, names)
  const list = `Its fields are ${shortList(names, 20)}.`
  return closest === undefined ? list : `Did you mean ${closest}? ${list}`
}

/** Throws for configured fields that are not there: removed since the last run where `previous` had them, else never there. */
export function requireFields({ stream, missing }: SelectedStream, previous: RecordSchema | undefined): void {
  const had = (name: string) => previous?.fields.some((field) => field.name === name) ?? false
  const absent = [...(missing.cursor === undefined ? [] : [missing.cursor]), ...missing.primaryKey]
  const [name] = absent
  if (name === undefined) return
  const role = name === missing.cursor ? 'cursor field' : 'primary key field'
  const removed = had(name)
  const code = !removed
    ? 'CONFIG_FIELD_UNKNOWN'
    : name === missing.cursor
      ? 'SOURCE_CURSOR_MISSING'
      : 'SOURCE_PRIMARY_KEY_MISSING'
  throw new SynclineError(
    code,
    `The ${role} '${name}' of ${streamKey(stream)} ${removed ? 'was removed' : 'does not exist'}.`,
    {
      phase: 'configure',
      stream: streamRef(stream),
      hint: removed
        ? `Restore the field, or configure another ${role}; a new cursor field needs a new state.`
        : fieldsHint(
            name,
            stream.schema.fields.map((field) => field.name),
          ),
    },
  )
}
