import { z } from 'zod'
import { SynclineError } from '../../errors/syncline-error.js'
import type { Json } from '../../model/json.js'
import type { ScopeRef, ScopeState } from '../../model/state.js'

export const RECORD_FORMAT = 1

const json = z.json() as unknown as z.ZodType<Json>

/** A file that a writer finished: an upload, pending until a record completes it. */
const fileEntry = z.object({
  key: z.string(),
  ref: json,
  token: z.string(),
  /** Stream key. */
  stream: z.string(),
  generationId: z.string(),
  role: z.enum(['main', 'child', 'raw', 'rejected']),
  /** Table key. */
  table: z.string(),
  records: z.number(),
  bytes: z.number(),
})
export type FileEntry = z.infer<typeof fileEntry>

/** A visible object, as far as a later record must know it in order to replace it. */
const liveObject = z.object({
  key: z.string(),
  stream: z.string(),
  generationId: z.string(),
  role: z.enum(['main', 'child', 'raw', 'rejected']),
})
export type LiveObject = z.infer<typeof liveObject>

const state = z.looseObject({
  source: json,
  streams: z.record(z.string(), z.looseObject({ generation: z.number(), generationId: z.string(), open: z.boolean() })),
}) as unknown as z.ZodType<ScopeState>

const commitRecord = z.object({
  format: z.literal(RECORD_FORMAT),
  /** Unique; tells a record from another one of the same version. */
  id: z.string(),
  kind: z.enum(['commit', 'rollback']),
  pipeline: z.string(),
  scope: z.string(),
  version: z.int().positive(),
  run: z.string(),
  writtenAt: z.string(),
  /** Id of the record that it follows; the one that a rollback undoes. */
  previous: z.string().optional(),
  before: state.optional(),
  after: state.optional(),
  receipts: z.array(json),
  /** Uploads that become visible. */
  complete: z.array(fileEntry),
  /** Uploads that join an open generation. */
  pend: z.array(fileEntry),
  /** Tokens of uploads of a generation that was given up. */
  drop: z.array(z.string()),
  /** Objects that go once the new ones are visible. */
  delete: z.array(liveObject),
  /** What the lake holds of the scope afterwards; left out of most records, which then build on their predecessor. */
  base: z.object({ live: z.array(liveObject), pending: z.array(fileEntry) }).optional(),
})
/** One publish: what has to become of which object, and the state before and after. */
export type CommitRecord = z.infer<typeof commitRecord>

export function encodeRecord(record: CommitRecord): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(record))
}

/** Throws `STATE_CORRUPT`, or `STATE_VERSION_UNSUPPORTED` for a record of a newer format. */
export function decodeRecord(bytes: Uint8Array, ref: ScopeRef, version: number): CommitRecord {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw corrupt(version, 'is no JSON', cause)
  }
  const format = (value as { readonly format?: unknown } | null)?.format
  if (typeof format === 'number' && format > RECORD_FORMAT) {
    throw new SynclineError('STATE_VERSION_UNSUPPORTED', `Commit record ${version} has format ${format}.`, {
      hint: `This version reads formats up to ${RECORD_FORMAT}: update syncline.`,
    })
  }
  const parsed = commitRecord.safeParse(value)
  if (!parsed.success) throw corrupt(version, 'does not have the form of one', parsed.error)
  const record = parsed.data
  if (record.pipeline !== ref.pipeline || record.scope !== ref.scope || record.version !== version) {
    throw corrupt(version, 'belongs to another place')
  }
  return record
}

/** The files that a receipt stands for. */
export function filesOfReceipt(data: Json): FileEntry[] {
  const parsed = z.object({ files: z.array(fileEntry) }).safeParse(data)
  if (parsed.success) return parsed.data.files
  throw new SynclineError('DESTINATION_PROTOCOL_VIOLATION', 'A receipt was not made by this destination.', {
    phase: 'publish',
  })
}

export function corrupt(version: number, problem: string, cause?: unknown): SynclineError {
  return new SynclineError('STATE_CORRUPT', `Commit record ${version} ${problem}.`, {
    hint: 'Restore the directory `_syncline` from a backup. Without it the files of the lake stay readable, but no run can go on.',
    cause,
  })
}
