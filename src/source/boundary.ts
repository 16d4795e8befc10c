import { createHash, randomUUID } from 'node:crypto'
import { serialize } from 'node:v8'
import { SynclineError } from '../errors/syncline-error.js'
import type { Json } from '../model/json.js'
import { jsonText } from '../model/json-text.js'
import type { Field } from '../model/schema.js'
import { type CursorRank, type CursorValue, cursorFromJson, cursorRank, cursorToJson } from './cursor-value.js'

/** The most records with the cursor's last value that a state remembers. */
const MAX_BOUNDARY = 100_000

/**
 * How far a stream was read: the highest cursor value, and hashes of the records that have exactly that value. The next read begins at the
 * value itself, so that records that come later with the same value are not lost, and leaves out what the hashes know, so that
 * none is doubled.
 */
export class Boundary {
  private value: CursorValue | undefined
  private rank: CursorRank | undefined
  /** Hash to how many records have it. */
  private readonly hashes = new Map<string, number>()
  private count = 0
  /** Records that are not hashed yet. */
  private readonly records: unknown[] = []

  /** @param field - the cursor field */
  constructor(private readonly field: string) {}

  /** What {@link toJson} gave; throws `SOURCE_STATE_INVALID` where it is something else. */
  static fromJson(saved: Json, { name, type }: Field): Boundary {
    const boundary = new Boundary(name)
    const { field, cursor, boundary: hashes } = (saved ?? {}) as { readonly [part: string]: Json | undefined }
    if (field !== undefined && field !== name) {
      throw new SynclineError('SOURCE_STATE_INVALID', `The saved cursor is one of another field than ${name}.`, {
        hint: 'Go back to the earlier cursor field, or remove the state of the stream to read it from the beginning.',
      })
    }
    const value = cursor === undefined ? undefined : cursorFromJson(cursor)
    const rank = cursorRank(value, type)
    if (value === undefined || rank === undefined || !Array.isArray(hashes)) {
      throw new SynclineError('SOURCE_STATE_INVALID', 'The saved cursor does not fit the cursor field.', {
        hint: 'The cursor field has another type than before: remove the state of the stream to read it from the beginning.',
      })
    }
    boundary.value = value
    boundary.rank = rank
    for (const hash of hashes as string[]) boundary.addHash(hash)
    return boundary
  }

  get cursor(): CursorValue | undefined {
    return this.value
  }

  /** Below zero: before the boundary. Zero: at it. Above: beyond it, or there is none yet. */
  compare(rank: CursorRank): number {
    if (this.rank === undefined || rank > this.rank) return 1
    return rank < this.rank ? -1 : 0
  }

  /** One more record at the boundary. */
  add(record: unknown): void {
    this.records.push(record)
    // Most boundaries hold one record until the next one moves them: those are never hashed.
    if (this.records.length >= 64) this.hashRecords()
  }

  private hashRecords(): void {
    for (const record of this.records) this.addHash(recordHash(record))
    this.records.length = 0
  }

  private addHash(hash: string): void {
    if (++this.count > MAX_BOUNDARY) {
      throw new SynclineError(
        'CONFIG_CURSOR_INVALID',
        `More than ${MAX_BOUNDARY} records share the cursor's last value, too many to remember.`,
        { hint: 'Choose a cursor field that tells records apart better, or read the stream by full_refresh.' },
      )
    }
    this.hashes.set(hash, (this.hashes.get(hash) ?? 0) + 1)
  }

  /** The boundary moves forward, to a value with no records yet. */
  move(value: CursorValue, rank: CursorRank): void {
    this.value = value
    this.rank = rank
    this.records.length = 0
    if (this.count === 0) return
    this.hashes.clear()
    this.count = 0
  }

  /** The records at the boundary, each to be taken out once. */
  delivered(): DeliveredRecords {
    this.hashRecords()
    return new DeliveredRecords(new Map(this.hashes))
  }

  toJson(): Json | undefined {
    if (this.value === undefined) return undefined
    this.hashRecords()
    const boundary = [...this.hashes].flatMap(([hash, count]) => Array<string>(count).fill(hash)).sort()
    return { field: this.field, cursor: cursorToJson(this.value), boundary }
  }
}

/** What earlier reads delivered at the boundary. */
export class DeliveredRecords {
  constructor(private readonly hashes: Map<string, number>) {}

  /** Takes one record out; false where it is not among them. */
  take(record: unknown): boolean {
    if (this.hashes.size === 0) return false
    const hash = recordHash(record)
    const left = this.hashes.get(hash)
    if (left === undefined) return false
    if (left === 1) this.hashes.delete(hash)
    else this.hashes.set(hash, left - 1)
    return true
  }
}

/** 72 bits over a record's content: among the records of one boundary a collision does not happen. */
function recordHash(record: unknown): string {
  return createHash('sha256').update(contentText(record)).digest('base64url').slice(0, 12)
}

function contentText(record: unknown): string | Uint8Array {
  const text = jsonText(record)
  if (text !== undefined) return text
  try {
    return serialize(record)
  } catch {
    // Compares with nothing: to deliver it twice is better than to take another record for it.
    return randomUUID()
  }
}
