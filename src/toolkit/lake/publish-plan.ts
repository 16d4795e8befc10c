import { randomUUID } from 'node:crypto'
import type { Commit, LoadStream } from '../../destination/destination.js'
import type { Context } from '../../model/context.js'
import type { Json } from '../../model/json.js'
import type { ScopeRef, ScopeState } from '../../model/state.js'
import { streamKey } from '../../model/stream.js'
import { type TableShape, tableKey } from '../../model/table.js'
import { type CommitRecord, type FileEntry, filesOfReceipt, RECORD_FORMAT } from './commit-record.js'
import type { Contents } from './contents.js'

/** Records between two that stand alone, so that old ones can go and reading the newest stays cheap. */
const STANDALONE_EVERY = 32

export interface PublishPosition {
  readonly scope: ScopeRef
  readonly previous: CommitRecord | undefined
  readonly state: ScopeState | undefined
  readonly contents: Contents
  /** Version of the last record that stands alone. */
  readonly base: number
  /** Uploads of generations that were given up. */
  readonly dropped: readonly string[]
  /** By stream key; `open` as of now. */
  readonly streams: ReadonlyMap<string, LoadStream>
}

/** Tables of completed overwrites that got no row: their columns are to be found all the same. */
export function emptyTables(commit: Commit, position: PublishPosition): TableShape[] {
  const completing = completingFiles(commit, position)
  const written = new Set([...completing, ...filesOf(commit)].map(({ table }) => table))
  const replaced = new Set(commit.completed.map(streamKey).filter((key) => isOverwrite(position.streams.get(key))))
  return commit.tables.filter(
    (table) => table.role !== 'rejected' && replaced.has(streamKey(table.stream)) && !written.has(tableKey(table)),
  )
}

/** The record that a commit is to be. */
export function planRecord(
  commit: Commit,
  empty: readonly FileEntry[],
  position: PublishPosition,
  context: Context,
): CommitRecord {
  const completed = new Set(commit.completed.map(streamKey))
  const complete: FileEntry[] = [...completingFiles(commit, position), ...empty]
  const pend: FileEntry[] = []
  for (const file of filesOf(commit)) {
    const stays = position.streams.get(file.stream)?.open === true && !completed.has(file.stream)
    if (stays) pend.push(file)
    else complete.push(file)
  }
  const gone = [...position.contents.live.values()].filter(({ stream, generationId, role }) => {
    const plan = completed.has(stream) ? position.streams.get(stream) : undefined
    return role !== 'rejected' && plan !== undefined && isOverwrite(plan) && generationId !== plan.generationId
  })
  const { previous } = position
  const version = commit.version + 1
  const record: CommitRecord = {
    format: RECORD_FORMAT,
    id: randomUUID(),
    kind: 'commit',
    pipeline: position.scope.pipeline,
    scope: position.scope.scope,
    version,
    run: context.run,
    writtenAt: context.now().toISOString(),
    ...(previous !== undefined && { previous: previous.id }),
    ...(position.state !== undefined && { before: position.state }),
    after: commit.state,
    receipts: receiptsOf(commit),
    complete,
    pend,
    drop: [...position.dropped],
    delete: gone,
  }
  const standsAlone = previous === undefined || completed.size > 0 || version - position.base >= STANDALONE_EVERY
  return standsAlone ? { ...record, base: position.contents.after(record).toBase() } : record
}

/** As a record keeps them: without the files, which it names itself. */
export function receiptsOf(commit: Commit): Json[] {
  return commit.receipts.map(
    ({ slice, attempt, piece, tables }) => ({ slice, attempt, piece, tables }) as unknown as Json,
  )
}

/** Files of earlier publishes whose generation this commit completes. */
function completingFiles(commit: Commit, { contents, streams }: PublishPosition): FileEntry[] {
  const completed = new Set(commit.completed.map(streamKey))
  return [...contents.pending.values()].filter(
    ({ stream, generationId }) => completed.has(stream) && streams.get(stream)?.generationId === generationId,
  )
}

function filesOf(commit: Commit): FileEntry[] {
  return commit.receipts.flatMap(({ data }) => filesOfReceipt(data))
}

function isOverwrite(plan: LoadStream | undefined): boolean {
  return plan?.stream.destinationSyncMode === 'overwrite'
}
