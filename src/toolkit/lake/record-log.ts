import { SynclineError } from '../../errors/syncline-error.js'
import type { Context } from '../../model/context.js'
import type { ScopeRef } from '../../model/state.js'
import type { ObjectStore } from '../../object-store/object-store.js'
import { type CommitRecord, corrupt, decodeRecord, encodeRecord } from './commit-record.js'
import { Contents } from './contents.js'
import { ControlKeys } from './control-keys.js'

/** The records of one scope, read from the newest back to one that stands alone. */
export interface Chain {
  /** Undefined where nothing was ever written. */
  readonly newest: CommitRecord | undefined
  /** Everything that the newest record asks for has been done. */
  readonly settled: boolean
  readonly contents: Contents
  readonly beforeNewest: Contents
  /** Version of the record that stands alone. */
  readonly base: number
}

/** The commit records of one scope. */
export class RecordLog {
  readonly keys: ControlKeys
  readonly #store: ObjectStore
  readonly #ref: ScopeRef

  constructor(store: ObjectStore, ref: ScopeRef) {
    this.#store = store
    this.#ref = ref
    this.keys = new ControlKeys(ref)
  }

  async load(context: Context): Promise<Chain> {
    for (let attempt = 1; ; attempt++) {
      const chain = await this.#tryLoad(context)
      if (typeof chain !== 'number') return chain
      // A run elsewhere may be clearing older records while this reads them.
      if (attempt === 5) throw corrupt(chain, 'is missing')
    }
  }

  /** The chain, or the version that was not found. */
  async #tryLoad(context: Context): Promise<Chain | number> {
    const { records, settled } = await this.#versions(context)
    const newestVersion = records.at(-1)
    if (newestVersion === undefined) {
      return { newest: undefined, settled: true, contents: new Contents(), beforeNewest: new Contents(), base: 0 }
    }
    const chain: CommitRecord[] = []
    for (let version = newestVersion; chain.at(-1)?.base === undefined; version--) {
      const record = await this.read(version, context)
      if (record === undefined) return version
      chain.push(record)
    }
    const newest = chain[0]!
    let beforeNewest = new Contents()
    let contents = beforeNewest
    for (const record of chain.reverse()) {
      beforeNewest = contents
      contents = contents.after(record)
    }
    if (chain.length === 1) beforeNewest = undone(contents, newest)
    return {
      newest,
      settled: settled.has(newestVersion) || !hasWork(newest),
      contents,
      beforeNewest,
      base: chain[0]!.version,
    }
  }

  async read(version: number, context: Context): Promise<CommitRecord | undefined> {
    const bytes = await this.#store.get(this.keys.record(version), context)
    // Empty: removed, where listings may be stale.
    return bytes === undefined || bytes.length === 0 ? undefined : decodeRecord(bytes, this.#ref, version)
  }

  /** Writes a record unless its version is taken, also when an earlier attempt at this very record had an unknown outcome. */
  async create(record: CommitRecord, context: Context): Promise<{ readonly taken: CommitRecord | undefined }> {
    const key = this.keys.record(record.version)
    const outcome = await this.#store.put(key, encodeRecord(record), { ifAbsent: true }, context)
    if (outcome === 'stored') return { taken: undefined }
    const found = await this.read(record.version, context)
    if (found === undefined) throw conflict(record.version - 1)
    return { taken: found.id === record.id ? undefined : found }
  }

  async newestVersion(after: number, context: Context): Promise<number | undefined> {
    return (await this.#versions(context, after)).records.at(-1)
  }

  async remove(version: number, context: Context): Promise<void> {
    const key = this.keys.record(version)
    if (this.#store.capabilities.strongListing) await this.#store.delete(key, context)
    else await this.#store.put(key, new Uint8Array(), {}, context)
  }

  async markSettled(record: CommitRecord, context: Context): Promise<void> {
    if (!hasWork(record)) return
    await this.#store.put(this.keys.settled(record.version), new TextEncoder().encode('{}'), {}, context)
  }

  /** Removes what the given record, which stands alone and is settled, makes needless; and marks of older records. */
  async clear(newest: CommitRecord, context: Context): Promise<void> {
    const { records, settled } = await this.#versions(context)
    const older = records.filter((version) => newest.base !== undefined && version < newest.version)
    for (const version of older) await this.remove(version, context)
    for (const version of settled)
      if (version < newest.version) await this.#store.delete(this.keys.settled(version), context)
  }

  async #versions(context: Context, after?: number) {
    const records: number[] = []
    const settled = new Set<number>()
    const from = after === undefined ? {} : { after: this.keys.record(after) }
    for await (const key of this.#store.list(this.keys.prefix, from, context)) {
      if (this.keys.isPastRecords(key)) break
      const found = this.keys.parse(key)
      if (found?.kind === 'record' && found.version > (after ?? 0)) records.push(found.version)
      if (found?.kind === 'settled') settled.add(found.version)
    }
    return { records, settled }
  }
}

/** Whether anything has to happen after the record was written. */
function hasWork({ complete, delete: gone }: CommitRecord): boolean {
  return complete.length + gone.length > 0
}

/** What a record that stands alone was built on. */
function undone(contents: Contents, record: CommitRecord): Contents {
  const completed = new Set(record.complete.map(({ key }) => key))
  const joined = new Set(record.pend.map(({ token }) => token))
  return new Contents(
    [...[...contents.live.values()].filter(({ key }) => !completed.has(key)), ...record.delete],
    // Some completed files are of this very publish and were never pending before; their generation has to begin again anyway.
    [...[...contents.pending.values()].filter(({ token }) => !joined.has(token)), ...record.complete],
  )
}

export function conflict(version: number): SynclineError {
  return new SynclineError('STATE_CONFLICT', `Version ${version} of the state is no longer the newest.`, {
    phase: 'publish',
    hint: 'Another run has written this pipeline meanwhile. Run again; it goes on from there.',
  })
}
