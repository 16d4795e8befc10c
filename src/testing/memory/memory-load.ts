import type { Commit, Load, LoadPlan, Receipt, Writer } from '../../destination/destination.js'
import { SynclineError } from '../../errors/syncline-error.js'
import type { Context } from '../../model/context.js'
import type { Slice } from '../../model/slice.js'
import { type StreamRef, streamKey, streamRef } from '../../model/stream.js'
import { yieldToEventLoop } from '../../util/abort.js'
import { applyCommit } from './apply-commit.js'
import { CallGuard } from './call-guard.js'
import { type MemoryStore, type StoredPiece, type StoredTables, scopeKey } from './memory-store.js'
import { MemoryWriter } from './memory-writer.js'

/** One run's session for one scope. */
export class MemoryLoad implements Load {
  readonly #guard: CallGuard
  readonly #scope: string
  /** Attempts with a writer that was not discarded, by slice. */
  readonly #writing = new Map<string, number>()
  readonly #attempts = new Map<string, number>()
  readonly #published = new Set<string>()
  readonly #completedStreams = new Set<string>()
  #closed = false

  constructor(
    private readonly store: MemoryStore,
    private readonly plan: LoadPlan,
    private readonly run: string,
    private readonly storesState: boolean,
  ) {
    this.#scope = scopeKey(plan.scope)
    this.#guard = new CallGuard(`load of ${plan.scope.scope}`, store.violations)
    this.#dropLeftovers()
    for (const { stream, generationId, open } of plan.streams) {
      if (!open || store.generations.has(generationId)) continue
      if (storesState && plan.state?.streams[streamKey(stream)]?.generationId === generationId)
        throw generationLost(stream)
      store.generations.set(generationId, { scope: this.#scope, tables: this.#completed(generationId) })
    }
    store.runs.set(this.#scope, run)
    store.open.loads++
  }

  async writer(slice: Slice, attempt: number, { signal }: Context): Promise<Writer> {
    signal.throwIfAborted()
    if (this.#closed) this.#guard.violation('writer after close')
    if (this.#writing.has(slice.id)) this.#guard.violation(`two writers of slice ${slice.id} at a time`)
    const earlier = this.#attempts.get(slice.id) ?? 0
    if (attempt <= earlier) this.#guard.violation(`attempt ${attempt} at slice ${slice.id} after attempt ${earlier}`)
    this.#attempts.set(slice.id, attempt)
    this.#writing.set(slice.id, attempt)
    this.store.open.writers++
    await yieldToEventLoop()
    return new MemoryWriter(this.store, this.plan, this.#scope, slice, attempt, this.run, () => {
      this.#writing.delete(slice.id)
      this.store.open.writers--
    })
  }

  publish(commit: Commit, context: Context): Promise<void> {
    return this.#guard.alone('publish', async () => {
      this.#guard.ownSignal('publish', context)
      await yieldToEventLoop()
      // From here to the end nothing waits, so that a crash finds all of it or nothing.
      const stored = this.store.scopes.get(this.#scope) ?? { version: 0 }
      if (stored.version === commit.version + 1 && stored.run === this.run) return
      if (this.storesState && stored.version !== commit.version) {
        throw conflict(`The stored version is ${stored.version}, not ${commit.version}.`)
      }
      this.#requireGenerations()
      const pieces = commit.receipts.map((receipt) => this.#piece(receipt))
      applyCommit(this.store, this.#scope, this.plan, commit, pieces, this.#guard)
      for (const { id } of pieces) {
        this.#published.add(id)
        this.store.pieces.delete(id)
      }
      for (const ref of commit.completed) this.#completedStreams.add(streamKey(ref))
      const { state, version } = commit
      this.store.scopes.set(this.#scope, structuredClone({ state, version: version + 1, run: this.run }))
    })
  }

  async close(context: Context): Promise<void> {
    this.#guard.ownSignal('close', context)
    if (this.#writing.size > 0)
      this.#guard.violation(`close with open writers: ${[...this.#writing.keys()].join(', ')}`)
    if (!this.#guard.end('close')) return
    this.#closed = true
    this.store.open.loads--
    for (const [id, { scope, run }] of this.store.pieces) {
      if (scope === this.#scope && run === this.run) this.store.pieces.delete(id)
    }
    await yieldToEventLoop()
  }

  get #isSuperseded(): boolean {
    return this.store.runs.get(this.#scope) !== this.run
  }

  /** A newer run may have dropped what this one fills. */
  #requireGenerations(): void {
    for (const { stream, open, generationId } of this.plan.streams) {
      if (!open || this.#completedStreams.has(streamKey(stream)) || this.store.generations.has(generationId)) continue
      if (this.#isSuperseded) throw conflict('A newer run has begun.')
    }
  }

  #piece(receipt: Receipt): StoredPiece {
    const id = receipt.data as string
    const piece = this.store.pieces.get(id)
    const name = `${receipt.slice}, attempt ${receipt.attempt}, piece ${receipt.piece}`
    if (this.#published.has(id)) throw this.#violation(`receipt published twice: ${name}`)
    if (piece === undefined && this.#isSuperseded) throw conflict('A newer run has begun.')
    if (piece === undefined) throw this.#violation(`receipt of a piece that is not there: ${name}`)
    if (piece.run !== this.run || piece.scope !== this.#scope) throw this.#violation(`receipt of another run: ${name}`)
    return piece
  }

  #violation(text: string): SynclineError {
    this.#guard.violation(text)
    return new SynclineError('DESTINATION_PROTOCOL_VIOLATION', text, { hint: 'The caller broke the contract of Load.' })
  }

  /** Tables of a generation that was completed by a publish that the state store does not know of: it goes on with them. */
  #completed(generationId: string): StoredTables {
    const tables = [...this.store.tables].filter(([, table]) => table.generationId === generationId)
    return new Map(tables.map(([key, { shape, rows }]) => [key, { shape, rows: [...rows] }]))
  }

  /** Pieces of dead runs, and generations that no published state names and this run does not fill. */
  #dropLeftovers(): void {
    for (const [id, { scope, run }] of this.store.pieces) {
      if (scope === this.#scope && run !== this.run) this.store.pieces.delete(id)
    }
    const named = new Set(Object.values(this.plan.state?.streams ?? {}).map(({ generationId }) => generationId))
    const filled = new Set(this.plan.streams.map(({ generationId }) => generationId))
    for (const [id, { scope }] of this.store.generations) {
      if (scope === this.#scope && !(named.has(id) || filled.has(id))) this.store.generations.delete(id)
    }
  }
}

function generationLost(stream: StreamRef): SynclineError {
  return new SynclineError('DESTINATION_GENERATION_LOST', `The open generation of ${streamKey(stream)} is gone.`, {
    phase: 'open',
    stream: streamRef(stream),
  })
}

function conflict(message: string): SynclineError {
  return new SynclineError('STATE_CONFLICT', message, { phase: 'publish', hint: 'Nothing was committed; run again.' })
}
