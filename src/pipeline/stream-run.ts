import { randomUUID } from 'node:crypto'
import type { LoadStream } from '../destination/destination.js'
import type { SynclineError } from '../errors/syncline-error.js'
import type { ConfiguredStream } from '../model/configured-stream.js'
import type { RecordSchema } from '../model/schema.js'
import type { StreamState } from '../model/state.js'
import { type StreamRef, streamKey, streamRef } from '../model/stream.js'
import type { TableRole } from '../model/table.js'
import type { StreamNormalizer } from '../normalizer/normalizer.js'
import type { NativeAgreement } from '../source/source.js'
import { metrics, type StreamResult } from './result.js'

/** What a run counts of one stream, over all its sessions. */
export class StreamTally {
  /** Written, visible or not. */
  written = 0
  writtenBytes = 0
  /** Published. */
  records = 0
  rejected = 0
  bytes = 0
  status: StreamResult['status'] | undefined
  error: SynclineError | undefined
  #started: number | undefined
  #ended: number | undefined

  constructor(
    readonly ref: StreamRef,
    readonly estimatedRecords: number | undefined,
  ) {}

  /** The first slice is being read. */
  begin(): void {
    this.#started ??= performance.now()
  }

  /** What was counted belongs to a generation that was given up. */
  restart(): void {
    this.written = this.writtenBytes = this.records = this.rejected = this.bytes = 0
  }

  end(status: StreamResult['status'], error?: SynclineError): void {
    if (this.status !== undefined) return
    this.status = status
    this.error = error
    this.#ended = performance.now()
  }

  result(): StreamResult {
    const ended = this.#ended ?? performance.now()
    const durationMs = Math.round(ended - (this.#started ?? ended))
    return {
      stream: streamRef(this.ref),
      status: this.status ?? 'cancelled',
      ...metrics(this.records, this.rejected, this.bytes, durationMs),
      ...(this.error && { error: this.error }),
    }
  }
}

/** One stream in one session. */
export class StreamRun {
  readonly key: string
  readonly ref: StreamRef
  generation: number
  generationId: string
  /** The generation is being filled and not visible. */
  open: boolean
  /** This session begins the generation. */
  restart: boolean
  native: NativeAgreement | undefined
  /** No more slices come. */
  planned = false
  /** Slices of the open generation whose end is not proved yet. Slices given after `planned` (a change log's) are not of it. */
  readonly unproved = new Set<string>()
  /** Why it was left behind, in a shared scope. */
  setAside: SynclineError | undefined

  constructor(
    readonly stream: ConfiguredStream,
    readonly normalizer: StreamNormalizer,
    readonly tally: StreamTally,
    readonly recordSchema: RecordSchema,
    saved: StreamState | undefined,
  ) {
    this.key = streamKey(stream)
    this.ref = streamRef(stream)
    this.restart =
      saved === undefined ||
      saved.syncMode !== stream.syncMode ||
      (stream.syncMode === 'full_refresh' && !stream.changeLog && !saved.open)
    this.generation = saved?.generation ?? 0
    this.generationId = saved?.generationId ?? ''
    this.open = saved?.open ?? false
    if (this.restart) this.beginGeneration()
  }

  /** A new generation; it is filled unseen where the stream is copied as a whole. */
  beginGeneration(): void {
    this.restart = true
    this.generation++
    this.generationId = randomUUID()
    this.open = this.stream.syncMode === 'full_refresh' || this.stream.changeLog === true
    this.tally.restart()
  }

  /** The role of the table that holds one row per record. */
  get countedRole(): TableRole {
    return this.normalizer.tables().some(({ role }) => role === 'main') ? 'main' : 'raw'
  }

  /** Everything of the open generation is proved. */
  get complete(): boolean {
    return this.open && this.planned && this.unproved.size === 0 && this.setAside === undefined
  }

  loadStream(): LoadStream {
    const tables = this.normalizer.tables()
    const main = tables.find(({ role }) => role === 'main')
    return {
      stream: this.stream,
      generation: this.generation,
      generationId: this.generationId,
      open: this.open,
      tables,
      ...(this.native && main && { native: { format: this.native.format, table: main } }),
    }
  }

  state(open: boolean): StreamState {
    return {
      generation: this.generation,
      generationId: this.generationId,
      open,
      schema: this.normalizer.schema(),
      syncMode: this.stream.syncMode,
      recordSchema: this.recordSchema,
    }
  }
}
