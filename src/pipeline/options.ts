import type { Cadence } from '../destination/capabilities.js'
import type { Destination } from '../destination/destination.js'
import type { Normalizer } from '../normalizer/normalizer.js'
import type { Source } from '../source/source.js'
import type { StateStore } from '../state/state-store.js'
import type { ByteSize } from '../util/byte-size.js'
import type { StreamsOption } from './stream-options.js'

/** Everything that makes a pipeline. */
export interface PipelineOptions<S extends Source = Source> {
  /** The key of its state: a pipeline that goes on keeps its name. Not empty. */
  readonly name: string
  readonly source: S
  /** Left out: `typedNormalizer()`. */
  readonly normalizer?: Normalizer
  readonly destination: Destination
  /** Where state is kept; needed exactly where the destination keeps none itself. */
  readonly state?: StateStore
  /** The namespace of the tables. Left out: the source's. */
  readonly namespace?: NamespaceOption
  /** Put before the name of every table. Left out: nothing. */
  readonly prefix?: string
  /** Left out: every stream, full_refresh, overwrite. */
  readonly streams?: StreamsOption<S>
  /** What a changed schema does. Left out: `evolve`. */
  readonly schemaPolicy?: SchemaPolicy
  /**
   * What becomes of a value that the source cannot represent in its field's type. Left out: `null`. A value that fits no longer because its column
   * was widened later (NaN in a column that became decimal) is null with an entry in `_airbyte_meta` whatever the policy.
   */
  readonly valuePolicy?: ValuePolicy
  /** Memory for batches, row groups and upload parts of all open files, as bytes or like `'256MB'`. Left out: 128 MB. At least 8 MB. */
  readonly budgetBytes?: ByteSize
  /** Slices read at a time, over all streams. Left out: 2. */
  readonly concurrency?: number
  /** When sealed pieces are published, whichever comes first. Left out, each: the destination's own. */
  readonly cadence?: CadenceOption
  /** How often and after what waits a slice is tried again after an error that may pass. */
  readonly retry?: RetryOptions
  /** How long sealing, publishing, withdrawing and closing may take after an abort, in milliseconds. Left out: 30,000. */
  readonly closeTimeout?: number
}

/**
 * `source`: as in the source. `destination`: none, the destination's own default. A format replaces `${SOURCE_NAMESPACE}` by the
 * source's namespace (nothing where there is none).
 */
export type NamespaceOption = 'source' | 'destination' | { readonly format: string }

/** `evolve`: new and changed fields are taken up. `freeze`: a change fails the stream. `ignore`: fields that are not known yet are left out. */
export type SchemaPolicy = 'evolve' | 'freeze' | 'ignore'

/**
 * `null`: it becomes null, with an entry in `_airbyte_meta`. `reject`: its record goes to `_syncline_rejected`. `fail`: the stream
 * fails.
 */
export type ValuePolicy = 'null' | 'reject' | 'fail'

export interface CadenceOption {
  /** Bytes, or like `'128MB'`. */
  readonly bytes?: ByteSize
  readonly milliseconds?: number
}

export interface RetryOptions {
  /** Attempts at one slice without progress, the first included. Left out: 5. */
  readonly attempts?: number
  /** Wait before the first retry, in milliseconds. Left out: 1,000. */
  readonly initial?: number
  /** By what each wait is longer than the one before. Left out: 2. */
  readonly factor?: number
  /** Longest wait, in milliseconds. Left out: 60,000. */
  readonly max?: number
}

/** Options with every default filled in and every text read. */
export interface PipelineSettings {
  readonly name: string
  readonly source: Source
  readonly normalizer: Normalizer | undefined
  readonly destination: Destination
  readonly state: StateStore | undefined
  readonly namespace: NamespaceOption
  readonly prefix: string
  /** Left undefined: every stream. */
  readonly streams: readonly StreamChoice[] | undefined
  readonly schemaPolicy: SchemaPolicy
  readonly valuePolicy: ValuePolicy
  readonly budgetBytes: number
  readonly concurrency: number
  readonly cadence: Partial<Cadence>
  readonly retry: Required<RetryOptions>
  readonly closeTimeout: number
}

/** One chosen stream. */
export interface StreamChoice {
  /** A stream key (`name` or `namespace.name`) still to be looked up in the catalog, or the exact stream. */
  readonly stream: string | { readonly namespace?: string; readonly name: string }
  readonly syncMode: 'full_refresh' | 'incremental'
  /** As configured, or the default of the sync mode: `overwrite`, `append`. */
  readonly destinationSyncMode: 'overwrite' | 'append' | 'append_dedup'
  readonly cursorField?: string
  readonly primaryKey?: readonly string[]
  readonly fields?: readonly string[]
}
