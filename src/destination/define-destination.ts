import { refuseUnknownOptions } from '../errors/invalid-options.js'
import { SynclineError, toSynclineError } from '../errors/syncline-error.js'
import type { ConfiguredStream } from '../model/configured-stream.js'
import { streamKey, streamRef } from '../model/stream.js'
import type { SyncModePair } from '../model/sync-mode.js'
import type { DestinationCapabilities } from './capabilities.js'
import { DeliveringLoad } from './delivering-load.js'
import type { DefineDestinationOptions } from './delivery.js'
import type { Destination } from './destination.js'

/**
 * A destination of the host's own, by a function that delivers records; it needs a state store. Rows are held until they are published, under the
 * byte budget of the run and in a temporary file beyond it, then delivered at least once. Rows of a full refresh are delivered as they come,
 * so one that fails in its middle leaves what it delivered.
 */
export function defineDestination(options: DefineDestinationOptions): Destination {
  refuseUnknownOptions('defineDestination()', options, OPTIONS)
  const { name, modes, check, deliver, batchRecords = 500, json = 'values', spillDirectory } = options
  if (typeof name !== 'string' || name === '') throw invalid('name: expected a text', 'Name the destination.')
  if (typeof deliver !== 'function')
    throw invalid('deliver: expected a function', 'Give a function that takes records.')
  if (
    !Array.isArray(modes) ||
    modes.length === 0 ||
    !modes.every((mode) => mode === 'append' || mode === 'append_dedup')
  ) {
    throw invalid("modes: expected 'append', 'append_dedup' or both", "Write modes: ['append'].")
  }
  if (!Number.isSafeInteger(batchRecords) || batchRecords < 1) {
    throw invalid('batchRecords: expected a whole number from 1', 'Leave it out for 500.')
  }
  if (json !== 'values' && json !== 'text')
    throw invalid("json: expected 'values' or 'text'", "Leave it out for 'values'.")
  const delivering = { name, deliver, batchRecords, json, spillDirectory }

  return {
    name,
    capabilities: { ...CAPABILITIES, modes: modes.flatMap(pairs) },
    async check({ signal, log }) {
      signal.throwIfAborted()
      try {
        await check?.({ signal, log })
      } catch (error) {
        signal.throwIfAborted()
        throw toSynclineError(error, 'DESTINATION_FAILED', {
          phase: 'check',
          connector: name,
          message: 'The check of the destination failed.',
          hint: 'Look at the cause.',
        })
      }
    },
    async open(plan, { signal }) {
      signal.throwIfAborted()
      for (const { stream } of plan.streams) refuseDeletes(stream, name)
      return new DeliveringLoad(plan, delivering)
    },
  }
}

const OPTIONS: readonly (keyof DefineDestinationOptions)[] = [
  'name',
  'modes',
  'check',
  'deliver',
  'batchRecords',
  'json',
  'spillDirectory',
]

/** `deliver` gets records to keep: it has no way to be told that one is gone. */
function refuseDeletes(stream: ConfiguredStream, connector: string): void {
  if (stream.changeLog !== true || stream.destinationSyncMode !== 'append_dedup') return
  throw new SynclineError('CONFIG_MODE_UNSUPPORTED', `${connector} cannot apply the deletes of ${streamKey(stream)}.`, {
    phase: 'open',
    stream: streamRef(stream),
    connector,
    hint: 'Use append, which delivers every change as a record of its own, or write a destination from the contract.',
  })
}

const CAPABILITIES: Omit<DestinationCapabilities, 'modes'> = {
  identifiers: { maxBytes: 1024, caseSensitive: true },
  types: { asText: [], maxDecimalPrecision: 38 },
  visibility: 'appended',
  cadence: { bytes: 16 * 1024 * 1024, milliseconds: 10_000 },
}

const pairs = (destinationSyncMode: 'append' | 'append_dedup'): SyncModePair[] => [
  { syncMode: 'full_refresh', destinationSyncMode },
  { syncMode: 'incremental', destinationSyncMode },
]

function invalid(problem: string, hint: string): SynclineError {
  return new SynclineError('CONFIG_INVALID', `Invalid options of defineDestination(): ${problem}.`, {
    phase: 'configure',
    hint,
  })
}
