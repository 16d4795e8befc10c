import type { CommitRecord, FileEntry, LiveObject } from './commit-record.js'

/** What a lake holds of one scope, as its records tell: visible objects, and pending uploads of open generations. */
export class Contents {
  /** By key. */
  readonly live: ReadonlyMap<string, LiveObject>
  /** By token. */
  readonly pending: ReadonlyMap<string, FileEntry>

  constructor(live: Iterable<LiveObject> = [], pending: Iterable<FileEntry> = []) {
    this.live = new Map([...live].map((object) => [object.key, object]))
    this.pending = new Map([...pending].map((file) => [file.token, file]))
  }

  after(record: Omit<CommitRecord, 'base'> & Pick<CommitRecord, 'base'>): Contents {
    if (record.base !== undefined) return new Contents(record.base.live, record.base.pending)
    const live = new Map(this.live)
    const pending = new Map(this.pending)
    for (const file of record.complete) {
      live.set(file.key, liveObject(file))
      pending.delete(file.token)
    }
    for (const file of record.pend) pending.set(file.token, file)
    for (const token of record.drop) pending.delete(token)
    for (const { key } of record.delete) live.delete(key)
    return new Contents(live.values(), pending.values())
  }

  toBase(): NonNullable<CommitRecord['base']> {
    return { live: [...this.live.values()], pending: [...this.pending.values()] }
  }
}

function liveObject({ key, stream, generationId, role }: FileEntry): LiveObject {
  return { key, stream, generationId, role }
}
