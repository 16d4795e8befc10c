import type { Commit, Load, LoadPlan, LoadStream, Writer } from '../../destination/destination.js'
import { SynclineError } from '../../errors/syncline-error.js'
import type { Context } from '../../model/context.js'
import type { Json } from '../../model/json.js'
import type { Slice } from '../../model/slice.js'
import { type StreamRef, streamKey, streamRef } from '../../model/stream.js'
import type { CommitRecord, FileEntry } from './commit-record.js'
import type { Contents } from './contents.js'
import { dropAll, type LakeFiles } from './lake-files.js'
import { LakeWriter } from './lake-writer.js'
import { emptyTables, type PublishPosition, planRecord, receiptsOf } from './publish-plan.js'
import { type Chain, conflict, type RecordLog } from './record-log.js'
import { clearAfter, fenced, firstGone, settleForward, uploadGone } from './settle.js'

export interface LakeLoadOptions {
  readonly maxFileBytes: number
  readonly maxFileRows: number
  /** Called once, last. */
  readonly close: () => Promise<void>
}

/** One run's session for one scope of a lake. */
export class LakeLoad implements Load {
  readonly #files: LakeFiles
  readonly #log: RecordLog
  readonly #plan: LoadPlan
  readonly #options: LakeLoadOptions
  readonly #streams: Map<string, LoadStream>
  readonly #generations: ReadonlyMap<string, string>
  #contents: Contents
  #newest: CommitRecord | undefined
  #base: number
  #dropped: readonly string[] = []
  /** Sealed, and in no record yet: by token. */
  readonly #sealed = new Map<string, FileEntry>()
  /** Kept for a repeated publish: its outcome is not known. */
  #attempted: CommitRecord | undefined

  constructor(files: LakeFiles, log: RecordLog, plan: LoadPlan, chain: Chain, options: LakeLoadOptions) {
    this.#files = files
    this.#log = log
    this.#plan = plan
    this.#options = options
    this.#streams = new Map(plan.streams.map((stream) => [streamKey(stream.stream), stream]))
    this.#generations = new Map([...this.#streams].map(([key, { generationId }]) => [key, generationId]))
    this.#contents = chain.contents
    this.#newest = chain.newest
    this.#base = chain.base
  }

  /** Drops pieces of generations that are no longer filled, and makes sure that those of the others are there. */
  async begin(context: Context): Promise<void> {
    const mine = [...this.#contents.pending.values()].filter(({ stream }) => this.#streams.has(stream))
    const kept = mine.filter(({ stream, generationId }) => {
      const plan = this.#streams.get(stream)
      return plan?.open === true && plan.generationId === generationId
    })
    const keptTokens = new Set(kept.map(({ token }) => token))
    const given = mine.filter(({ token }) => !keptTokens.has(token))
    await dropAll(given.map((file) => this.#files.drop(file, context)))
    this.#dropped = given.map(({ token }) => token)
    const gone = await firstGone(this.#files.store, kept, context)
    if (gone !== undefined) {
      throw new SynclineError('DESTINATION_GENERATION_LOST', 'Pieces of a generation that was being filled are gone.', {
        phase: 'open',
        stream: this.#ref(gone),
        hint: 'A new generation is begun: the stream is read from its start. What was published before is intact.',
      })
    }
  }

  async writer(slice: Slice, attempt: number, context: Context): Promise<Writer> {
    context.signal.throwIfAborted()
    const { maxFileBytes, maxFileRows } = this.#options
    return new LakeWriter(this.#files, {
      slice,
      attempt,
      run: context.run,
      maxFileBytes,
      maxFileRows,
      generations: this.#generations,
      sealed: (files) => {
        for (const file of files) this.#sealed.set(file.token, file)
      },
    })
  }

  async publish(commit: Commit, context: Context): Promise<void> {
    const version = this.#newest?.version ?? 0
    if (this.#newest?.run === context.run && commit.version === version - 1) return // a repetition: it happened
    if (commit.version !== version) throw conflict(commit.version)
    const planned = this.#attempted ?? (await this.#record(commit, context))
    if (!sameReceipts(planned.receipts, receiptsOf(commit))) {
      throw new SynclineError('DESTINATION_PROTOCOL_VIOLATION', 'A publish was repeated with other receipts.', {
        phase: 'publish',
      })
    }
    const record = await this.#create(planned, context)
    if ((await fenced(this.#log, record, context)) === 'ours') {
      await settleForward(this.#files.store, this.#log, record, context)
    }
    this.#committed(record, commit)
    await clearAfter(this.#files.store, this.#log, record, context).catch((error: unknown) => {
      context.log('warn', 'What a publish made needless could not be removed yet.', {
        reason: error instanceof Error ? error.message : String(error),
      })
    })
  }

  async close(context: Context): Promise<void> {
    try {
      await dropAll([...this.#sealed.values()].map((file) => this.#files.drop(file, context)))
    } finally {
      await this.#options.close()
    }
  }

  async #record(commit: Commit, context: Context): Promise<CommitRecord> {
    const position = this.#position()
    const empty: FileEntry[] = []
    for (const table of emptyTables(commit, position)) {
      const generationId = this.#generations.get(streamKey(table.stream))!
      const origin = {
        generationId,
        run: context.run,
        slice: `empty ${table.namespace ?? ''}/${table.name}`,
        attempt: 1,
        part: 0,
      }
      const file = await (await this.#files.begin(table, origin, context)).finish(context)
      this.#sealed.set(file.token, file)
      empty.push(file)
    }
    const record = planRecord(commit, empty, position, context)
    // Another run may have dropped them: better known before the record is there than after.
    const gone = await firstGone(this.#files.store, [...record.complete, ...record.pend], context)
    if (gone !== undefined) throw uploadGone(this.#ref(gone))
    return record
  }

  #ref({ stream }: FileEntry): StreamRef {
    return streamRef(this.#streams.get(stream)!.stream)
  }

  #position(): PublishPosition {
    return {
      scope: this.#plan.scope,
      previous: this.#newest,
      state: this.#newest?.after,
      contents: this.#contents,
      base: this.#base,
      dropped: this.#dropped,
      streams: this.#streams,
    }
  }

  /** The record that stands at this version: ours, or what an earlier attempt of this run wrote. */
  async #create(planned: CommitRecord, context: Context): Promise<CommitRecord> {
    // From here on the record may exist, so that its uploads must be left to whoever settles it.
    this.#attempted = planned
    const mine = [...planned.complete, ...planned.pend].map(
      (file) => [file.token, this.#sealed.get(file.token)] as const,
    )
    for (const [token] of mine) this.#sealed.delete(token)
    const { taken } = await this.#log.create(planned, context)
    if (taken === undefined) return planned
    this.#attempted = undefined
    for (const [token, file] of mine) if (file !== undefined) this.#sealed.set(token, file)
    if (taken.run === context.run && taken.kind === 'commit' && sameReceipts(taken.receipts, planned.receipts))
      return taken
    throw conflict(planned.version - 1)
  }

  #committed(record: CommitRecord, commit: Commit): void {
    this.#contents = this.#contents.after(record)
    this.#newest = record
    this.#attempted = undefined
    this.#dropped = []
    if (record.base !== undefined) this.#base = record.version
    for (const key of commit.completed.map(streamKey)) {
      const stream = this.#streams.get(key)
      if (stream !== undefined) this.#streams.set(key, { ...stream, open: false })
    }
  }
}

function sameReceipts(a: readonly Json[], b: readonly Json[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
