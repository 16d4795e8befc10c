import { isSynclineError, type SynclineError } from '../errors/syncline-error.js'
import type { ScopeState, StreamState } from '../model/state.js'
import { streamKey, streamRef } from '../model/stream.js'
import { requireFields } from './configure.js'
import type { RunServices } from './run.js'
import { applySchemaPolicy, schemaChanges } from './schema-policy.js'
import type { PlannedStream, ScopePlan } from './scope-plan.js'
import { StreamRun } from './stream-run.js'

/**
 * The streams of a scope against their saved state: schema policy, normalizer, generation, native agreement. In a shared scope a stream that
 * cannot be read is set aside; in a scope of its own it throws.
 */
export function prepareScope(plan: ScopePlan, state: ScopeState | undefined, run: RunServices): StreamRun[] {
  const streams = plan.streams.map((planned) => {
    const saved = state?.streams[streamKey(planned.selected.stream)]
    try {
      requireFields(planned.selected, saved?.recordSchema)
      return prepareStream(planned, saved, run)
    } catch (error) {
      if (plan.streams.length === 1 || !isSynclineError(error)) throw error
      const stream = openStream(planned, saved, run)
      stream.setAside = error as SynclineError
      return stream
    }
  })
  // Beside a state store, a publish whose saving was lost may have left rows in a generation of which nothing is proved.
  const unproved = (state?.source ?? null) === null
  for (const stream of streams) {
    const doubtful = unproved && stream.open && !stream.restart
    if (doubtful || plan.lostGenerations.has(stream.generationId)) stream.beginGeneration()
  }
  return streams
}

function prepareStream(planned: PlannedStream, saved: StreamState | undefined, run: RunServices): StreamRun {
  const { stream } = planned.selected
  const changes = saved === undefined ? [] : schemaChanges(saved.recordSchema, stream.schema)
  const fields = applySchemaPolicy(run.schemaPolicy, stream, stream.schema, changes)
  if (changes.length > 0) run.events.emit('schema:changed', { stream: streamRef(stream), changes })
  if (saved !== undefined && saved.syncMode !== stream.syncMode && stream.destinationSyncMode === 'append') {
    run.work.log('warn', 'The sync mode is another one: the stream is read anew, beside the rows that are there.', {
      stream: streamKey(stream),
      from: saved.syncMode,
      to: stream.syncMode,
    })
  }
  const selected = { ...planned.selected, stream: { ...stream, schema: { fields } } }
  return openStream({ ...planned, selected }, saved, run)
}

function openStream({ selected, tally }: PlannedStream, saved: StreamState | undefined, run: RunServices): StreamRun {
  const { stream } = selected
  const normalizer = run.normalizer.open(stream, run.destination.capabilities, saved?.schema)
  const prepared = new StreamRun(stream, normalizer, tally, stream.schema, saved)
  const format = run.source.nativeFormats?.find((name) => run.destination.capabilities.nativeFormats?.includes(name))
  // Values that pass undecoded cannot be judged, and a change log has to be decoded to be ordered.
  if (format !== undefined && run.valuePolicy === 'null' && !stream.changeLog) {
    const projection = normalizer.projection()
    if (projection !== undefined) prepared.native = { format, projection }
  }
  return prepared
}
