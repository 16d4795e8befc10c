import { randomUUID } from 'node:crypto'
import { SynclineError } from '../errors/syncline-error.js'
import type { Context } from '../model/context.js'
import type { Catalog } from '../model/stream.js'
import { typedNormalizer } from '../normalizer/typed.js'
import type { Source } from '../source/source.js'
import { requireMode } from './configure.js'
import { EventHub, type PipelineEvent, type PipelineListener } from './events.js'
import { guarded } from './guard.js'
import type { PipelineOptions, PipelineSettings } from './options.js'
import { type RunResult, runError } from './result.js'
import { executeRun } from './run.js'
import { type StateOwner, stateOwner } from './state-owner.js'
import { validateOptions, validateRunOptions } from './validate-options.js'

export interface RunOptions {
  /**
   * Ends the run early: pulling stops, the publish in flight ends, what is sealed is published, the rest withdrawn. The run then
   * resolves with status `cancelled`.
   */
  readonly signal?: AbortSignal
  /** `once` (default): up to what was there at the start. `continuous`: go on with changes until the signal aborts. */
  readonly mode?: 'once' | 'continuous'
  /** `throw` (default): reject with a {@link RunError} when a stream failed. `report`: resolve with the result all the same. */
  readonly onStreamFailure?: 'throw' | 'report'
}

/**
 * A source, a normalizer and a destination, composed. Holds nothing between calls but its options and listeners.
 *
 * @typeParam S - the source, so that stream names and fields are checked where it is typed
 */
export class Pipeline<S extends Source = Source> {
  readonly name: string
  readonly #settings: PipelineSettings & { readonly normalizer: NonNullable<PipelineSettings['normalizer']> }
  readonly #owner: StateOwner
  readonly #events = new EventHub()
  #running = false

  /** Throws `CONFIG_*` for options that are wrong by themselves; what needs the source's catalog is checked by `run()`. */
  constructor(options: PipelineOptions<S>) {
    const settings = validateOptions(options)
    this.#settings = { ...settings, normalizer: settings.normalizer ?? typedNormalizer() }
    this.name = settings.name
    this.#owner = stateOwner(settings.destination, settings.state)
    if (settings.streams === undefined) {
      requireMode({ syncMode: 'full_refresh', destinationSyncMode: 'overwrite' }, settings.destination)
    }
    for (const choice of settings.streams ?? []) requireMode(choice, settings.destination, choice)
  }

  /** Proves that source and destination can be used as configured. Rejects with a `SynclineError` that holds a hint. */
  async check(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const { source, destination } = this.#settings
    const context = this.#context(options.signal)
    await guarded(context.signal, 'SOURCE_FAILED', { phase: 'check', connector: source.name }, () =>
      source.check(context),
    )
    await guarded(context.signal, 'DESTINATION_FAILED', { phase: 'check', connector: destination.name }, () =>
      destination.check(context),
    )
  }

  /** The streams that the source offers. */
  async discover(options: { readonly signal?: AbortSignal } = {}): Promise<Catalog> {
    const { source } = this.#settings
    const context = this.#context(options.signal)
    return guarded(context.signal, 'SOURCE_FAILED', { phase: 'discover', connector: source.name }, () =>
      source.discover(context),
    )
  }

  /**
   * Moves what is new. Resolves when everything that was read is durable and visible together with the state that covers it. Rejects with a
   * {@link RunError} (code, hint, `.result`) when a stream failed, unless `onStreamFailure` is `report`; streams that did not fail are
   * published all the same. `PIPELINE_BUSY` while an earlier run of this object goes on.
   */
  async run(options: RunOptions = {}): Promise<RunResult> {
    validateRunOptions(options)
    if (this.#running) {
      throw new SynclineError('PIPELINE_BUSY', `The pipeline '${this.name}' is already running.`, {
        hint: 'Wait for the run, or abort it.',
      })
    }
    this.#running = true
    try {
      const { result, error } = await executeRun({
        settings: this.#settings,
        owner: this.#owner,
        events: this.#events,
        signal: options.signal,
        continuous: options.mode === 'continuous',
      })
      const failed = result.status === 'failed' || result.status === 'partial'
      if (failed && (options.onStreamFailure !== 'report' || error !== undefined)) throw runError(result, error)
      return result
    } finally {
      this.#running = false
    }
  }

  /** Calls the listener for every such event; see {@link PipelineEvents}. A listener that throws does not disturb the run. */
  on<E extends PipelineEvent>(event: E, listener: PipelineListener<E>): this {
    this.#events.on(event, listener)
    return this
  }

  off<E extends PipelineEvent>(event: E, listener: PipelineListener<E>): this {
    this.#events.off(event, listener)
    return this
  }

  #context(signal: AbortSignal = new AbortController().signal): Context {
    return {
      signal,
      run: randomUUID(),
      now: () => new Date(),
      log: (level, message, details) => this.#events.emit('log', { level, message, ...(details && { details }) }),
    }
  }
}
