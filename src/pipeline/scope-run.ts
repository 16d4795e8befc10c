import type { Cadence } from '../destination/capabilities.js'
import type { Commit, Load, Receipt } from '../destination/destination.js'
import type { SynclineError } from '../errors/syncline-error.js'
import type { Context } from '../model/context.js'
import type { Json } from '../model/json.js'
import type { Proof } from '../model/slice.js'
import type { ScopeRef, ScopeState } from '../model/state.js'
import { type TableShape, tableKey } from '../model/table.js'
import { advanceBySlice } from '../source/advance-by-slice.js'
import type { Reading } from '../source/source.js'
import type { EventHub } from './events.js'
import { connectorError, guarded } from './guard.js'
import { type OnRetry, type RetryOptions, withRetry } from './retry.js'
import type { ScopePlan } from './scope-plan.js'
import type { StateOwner } from './state-owner.js'
import type { StreamRun } from './stream-run.js'

/** A sealed piece that waits for its publish. */
export interface SealedPiece {
  readonly receipt?: Receipt
  readonly proof: Proof
}

export interface ScopeServices {
  readonly owner: StateOwner
  readonly reading: Reading
  readonly events: EventHub
  readonly cadence: Cadence
  readonly retry: RetryOptions
  readonly onRetry: OnRetry
  /** For publish and acknowledge: never the aborted one (D7). */
  readonly settle: Context
  readonly source: string
  readonly destination: string
}

/**
 * One state scope of one session: collects sealed pieces in the order of sealing and publishes them, one publish at a time, each with the state
 * that all proofs so far give (D1, D2).
 */
export class ScopeRun {
  /** Stops the slices of this scope alone. */
  readonly stop = new AbortController()
  /** The first error; nothing is sealed after it. */
  error: SynclineError | undefined
  published = false
  /** Slices being read or waiting for others. */
  reading = 0
  /** Slices given by the reading that are not read to their end yet. */
  readonly unread = new Set<string>()
  readonly #services: ScopeServices
  #source: Json | undefined
  #version: number
  #streams: ScopeState['streams']
  #sealed: SealedPiece[] = []
  #sealedBytes = 0
  #timer: NodeJS.Timeout | undefined
  #publishing: Promise<void> = Promise.resolve()
  #publishFailed = false
  readonly #tables = new Map<string, TableShape>()

  constructor(
    readonly plan: ScopePlan,
    readonly streams: readonly StreamRun[],
    readonly load: Load,
    start: { readonly source: Json | undefined; readonly version: number; readonly streams: ScopeState['streams'] },
    services: ScopeServices,
  ) {
    this.#services = services
    this.#source = start.source
    this.#version = start.version
    this.#streams = start.streams
  }

  get ref(): ScopeRef {
    return this.plan.ref
  }

  /** Takes a piece in; it is published when the cadence says so, or at the end. */
  sealed(piece: SealedPiece): void {
    this.#sealed.push(piece)
    for (const { bytes } of piece.receipt?.tables ?? []) this.#sealedBytes += bytes
    if (piece.proof.type === 'slice_done') {
      this.unread.delete(piece.proof.slice)
      for (const stream of this.streams) stream.unproved.delete(piece.proof.slice)
    }
    this.#timer ??= setTimeout(() => this.#publishSoon(), this.#services.cadence.milliseconds)
    if (this.#sealedBytes >= this.#services.cadence.bytes || this.complete) this.#publishSoon()
  }

  /** The first error ends the scope: its slices stop, what is sealed is still published. */
  fail(error: SynclineError): void {
    this.error ??= error
    this.stop.abort(error)
  }

  /** Leaves one stream of a shared scope behind, so that the others go on. */
  setAside(stream: StreamRun, error: SynclineError): void {
    stream.setAside = error
    stream.planned = true
    stream.unproved.clear()
    stream.tally.end('failed', error)
    this.sealed({ proof: { type: 'set_aside', stream: stream.ref, code: error.code } })
  }

  /** Publishes what is left; what fails is its `error`. Called once, when no slice of the scope is being read any more. */
  async finish(): Promise<void> {
    this.#publishSoon()
    await this.#publishing
  }

  /** Everything that the reading gave has been read. */
  get complete(): boolean {
    return this.unread.size === 0 && this.streams.every((stream) => stream.planned)
  }

  #somethingToPublish(): boolean {
    if (this.#sealed.length > 0) return true
    if (this.error !== undefined || this.stop.signal.aborted) return false
    return (
      this.streams.some((s) => s.complete) || JSON.stringify(this.#streamStates([])) !== JSON.stringify(this.#streams)
    )
  }

  #publishSoon(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#publishing = this.#publishing.then(() => this.#publish())
  }

  async #publish(): Promise<void> {
    if (this.#publishFailed) return
    try {
      if (!this.#somethingToPublish()) return
      const pieces = this.#sealed
      const completed = this.streams.filter((stream) => stream.complete)
      this.#sealed = []
      this.#sealedBytes = 0
      const commit = this.#commit(pieces, completed)
      await this.#commitAndSave(commit)
      this.#applied(commit, pieces, completed)
      await this.#acknowledge(commit.state.source)
    } catch (error) {
      this.#publishFailed = true
      this.fail(
        connectorError(error, 'DESTINATION_FAILED', { phase: 'publish', connector: this.#services.destination }),
      )
    }
  }

  #commit(pieces: readonly SealedPiece[], completed: readonly StreamRun[]): Commit {
    const { reading } = this.#services
    const advance = reading.advance?.bind(reading) ?? advanceBySlice
    let source = this.#source
    for (const { proof } of pieces) source = advance(source, proof, this.ref.scope)
    for (const stream of this.streams) {
      for (const table of stream.normalizer.tables()) this.#tables.set(tableKey(table), table)
    }
    return {
      receipts: pieces.flatMap(({ receipt }) =>
        receipt === undefined || receipt.tables.length === 0 ? [] : [receipt],
      ),
      completed: completed.map(({ ref }) => ref),
      tables: [...this.#tables.values()],
      state: { source: source ?? null, streams: this.#streamStates(completed) },
      version: this.#version,
    }
  }

  /** Streams of the scope that this run does not read keep what they have. */
  #streamStates(completed: readonly StreamRun[]): ScopeState['streams'] {
    const states = { ...this.#streams }
    for (const stream of this.streams) states[stream.key] = stream.state(stream.open && !completed.includes(stream))
    return states
  }

  async #commitAndSave(commit: Commit): Promise<void> {
    const { owner, retry, onRetry, settle, destination } = this.#services
    const details = { phase: 'publish', connector: destination } as const
    // Repeating a publish that already happened succeeds, so a lost answer is no lost commit.
    await withRetry(
      `publish ${this.ref.scope}`,
      () => guarded(settle.signal, 'DESTINATION_FAILED', details, () => this.load.publish(commit, settle)),
      retry,
      onRetry,
      settle.signal,
    )
    await withRetry(
      `save ${this.ref.scope}`,
      () =>
        guarded(settle.signal, 'STATE_FAILED', details, () =>
          owner.save(this.ref, commit.state, commit.version, settle),
        ),
      retry,
      onRetry,
      settle.signal,
    )
  }

  #applied(commit: Commit, pieces: readonly SealedPiece[], completed: readonly StreamRun[]): void {
    this.#source = commit.state.source
    this.#streams = commit.state.streams
    this.#version = commit.version + 1
    this.published = true
    for (const stream of completed) stream.open = false
    let records = 0
    for (const { receipt } of pieces) records += receipt === undefined ? 0 : this.#count(receipt)
    this.#services.events.emit('state:published', {
      scope: this.ref.scope,
      version: this.#version,
      records,
      completed: commit.completed,
    })
  }

  #count(receipt: Receipt): number {
    let records = 0
    for (const table of receipt.tables) {
      const stream = this.streams.find(
        ({ ref }) => ref.name === table.stream.name && ref.namespace === table.stream.namespace,
      )
      if (stream === undefined) continue
      stream.tally.bytes += table.bytes
      if (table.table.role === 'rejected') stream.tally.rejected += table.records
      else if (table.table.role === stream.countedRole) {
        stream.tally.records += table.records
        records += table.records
      }
    }
    return records
  }

  async #acknowledge(source: Json): Promise<void> {
    const { reading, settle, events } = this.#services
    try {
      await reading.acknowledge?.(source, this.ref.scope, settle)
    } catch (error) {
      const { code, message } = connectorError(error, 'SOURCE_FAILED', { connector: this.#services.source })
      events.emit('log', {
        level: 'warn',
        message: `The source was not told of a publish: ${message}`,
        details: { code },
      })
    }
  }
}
