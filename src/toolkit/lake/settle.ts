import { randomUUID } from 'node:crypto'
import pLimit from 'p-limit'
import { SynclineError } from '../../errors/syncline-error.js'
import type { Context } from '../../model/context.js'
import type { StreamRef } from '../../model/stream.js'
import type { ObjectStore } from '../../object-store/object-store.js'
import { type CommitRecord, type FileEntry, RECORD_FORMAT } from './commit-record.js'
import { UploadJournal } from './journal.js'
import { type Chain, conflict, type RecordLog } from './record-log.js'

/** Calls to the store at a time. */
const AT_ONCE = 8

/** Makes true what a record says, each step only after the one before it: all uploads, then all deletions, then the mark. */
export async function settleForward(
  store: ObjectStore,
  log: RecordLog,
  record: CommitRecord,
  context: Context,
): Promise<void> {
  await forEach(record.complete, async ({ ref }) => {
    if ((await store.complete(ref, context)) === 'gone') throw uploadGone()
  })
  await forEach(record.delete, ({ key }) => store.delete(key, context))
  await log.markSettled(record, context)
}

/** Removes what is no longer needed once a record is settled. A failure here loses nothing; the next run does it again. */
export async function clearAfter(
  store: ObjectStore,
  log: RecordLog,
  record: CommitRecord,
  context: Context,
): Promise<void> {
  const journal = new UploadJournal(store, log.keys)
  await forEach(record.complete, ({ token }) => journal.remove(token, context))
  await log.clear(record, context)
}

/** A file whose upload can neither be completed nor has been, if there is one. */
export async function firstGone(
  store: ObjectStore,
  files: readonly FileEntry[],
  context: Context,
): Promise<FileEntry | undefined> {
  const found = await forEach(files, ({ ref }) => store.settle(ref, context))
  return files[found.indexOf('gone')]
}

/**
 * Settles the newest record of a scope: forward, or, where one of its uploads is gone, back to the state before, which the source still
 * can go on from, since nothing was acknowledged. Then drops uploads that no record names. The chain as it is then.
 */
export async function recoverScope(store: ObjectStore, log: RecordLog, context: Context): Promise<Chain> {
  let chain = await log.load(context)
  if (chain.newest !== undefined && !chain.settled) {
    if ((await firstGone(store, chain.newest.complete, context)) === undefined) {
      await settleForward(store, log, chain.newest, context)
      await clearAfter(store, log, chain.newest, context)
    } else {
      await rollBack(store, log, chain, chain.newest, context)
    }
    chain = await log.load(context)
  }
  await new UploadJournal(store, log.keys).sweep(new Set(chain.contents.pending.keys()), context)
  return chain
}

async function rollBack(
  store: ObjectStore,
  log: RecordLog,
  chain: Chain,
  record: CommitRecord,
  context: Context,
): Promise<void> {
  // Aborted first: then nobody can complete it any more, and the deletion is final.
  await forEach(record.complete, async ({ ref, key }) => {
    await store.abort(ref, context)
    await store.delete(key, context)
  })
  const { pipeline, scope, version } = record
  const rollback: CommitRecord = {
    format: RECORD_FORMAT,
    id: randomUUID(),
    kind: 'rollback',
    pipeline,
    scope,
    version: version + 1,
    run: context.run,
    writtenAt: context.now().toISOString(),
    previous: record.id,
    before: record.after,
    after: record.before,
    receipts: [],
    complete: [],
    pend: [],
    drop: [],
    delete: [],
    base: chain.beforeNewest.toBase(),
  }
  const { taken } = await log.create(rollback, context)
  if (taken !== undefined) throw conflict(version)
  context.log('warn', 'A publish that was interrupted could not be completed and was rolled back.', { scope, version })
}

/** Whether a record of ours that was just written counts, in view of newer ones. Called before anything of it becomes visible. */
export async function fenced(log: RecordLog, record: CommitRecord, context: Context): Promise<'ours' | 'done'> {
  const newest = await log.newestVersion(record.version, context)
  if (newest === undefined) return 'ours'
  const next = await log.read(record.version + 1, context)
  if (next?.previous === record.id) {
    // Another run found it and settled it, this way or that.
    if (next.kind === 'rollback') throw conflict(record.version - 1)
    return 'done'
  }
  const own = await log.read(record.version, context)
  if (own?.id !== record.id) {
    throw new SynclineError('STATE_FAILED', 'Another run has taken over; whether this publish counted is not known.', {
      phase: 'publish',
      hint: 'Run again; it goes on from the state that counts.',
    })
  }
  await log.remove(record.version, context)
  throw conflict(record.version - 1)
}

/** @param stream - whose file it was; left out where all streams of the publish are concerned */
export function uploadGone(stream?: StreamRef): SynclineError {
  return new SynclineError('DESTINATION_GENERATION_LOST', 'A file that was to be published is gone.', {
    phase: 'publish',
    ...(stream !== undefined && { stream }),
    hint: 'It was dropped by another run, or by a rule that removes uploads which stay incomplete for long.',
  })
}

async function forEach<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const limit = pLimit(AT_ONCE)
  const results = await Promise.allSettled(items.map((item) => limit(() => work(item))))
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
}
