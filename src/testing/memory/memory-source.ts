import { SynclineError } from '../../errors/syncline-error.js'
import type { Source } from '../../source/source.js'
import { observedSource } from '../observed-source.js'
import type { OnCall } from '../on-call.js'
import { MemoryReading } from './memory-reading.js'
import type { MemoryTables } from './memory-tables.js'
import { MEMORY_ROWS } from './native-rows.js'

export interface MemorySourceOptions {
  readonly name?: string
  /** Slices per table. Default 2. */
  readonly slices?: number
  /** Rows per batch. Default 3. */
  readonly batchRows?: number
  /** A checkpoint after about so many rows. Default 6. */
  readonly checkpointRows?: number
  /** Every slice of a table waits for the one before it. Default false. */
  readonly ordered?: boolean
  /** Tables are planned after all slices were given, and the last by the end alone; else each after its last slice. Default false. */
  readonly latePlanned?: boolean
  /** Whether it offers `memory/rows`. Default false. */
  readonly native?: boolean
  /** Called around every call. */
  readonly onCall?: OnCall
}

/**
 * A source that implements every promise of the contract over plain tables: the reference against which real sources are read. Copies rest on
 * snapshots of the world (epochs), incremental reads on cursor ranges, change-log tables are a copy followed by changes.
 */
export function memorySource(world: MemoryTables, options: MemorySourceOptions = {}): Source {
  const source: Source = {
    name: options.name ?? 'memory',
    ...(options.native && { nativeFormats: [MEMORY_ROWS] }),
    async check({ signal }) {
      signal.throwIfAborted()
    },
    async discover({ signal }) {
      signal.throwIfAborted()
      return { streams: world.streams() }
    },
    async open(request, { signal }) {
      signal.throwIfAborted()
      for (const { stream } of request.scopes.flatMap(({ streams }) => streams)) {
        if (world.find(stream) !== undefined) continue
        throw new SynclineError('SOURCE_STREAM_MISSING', `There is no table ${stream.name}.`, {
          stream,
          hint: 'Discover again.',
        })
      }
      return new MemoryReading(world, request, options)
    },
  }
  return options.onCall ? observedSource(source, options.onCall) : source
}
