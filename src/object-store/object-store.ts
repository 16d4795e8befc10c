import type { ByteBudget } from '../model/budget.js'
import type { Context } from '../model/context.js'
import type { Json } from '../model/json.js'

/**
 * A directory, a bucket: objects by key. Keys are parts joined by `/`; no part is empty, `.` or `..`, and none holds a NUL. Holds nothing
 * between calls but connections. All calls may come concurrently; errors are `SynclineError`s (`DESTINATION_*`).
 */
export interface ObjectStore {
  /** For messages. */
  readonly name: string
  readonly capabilities: ObjectStoreCapabilities
  /** The whole object, or `undefined` where there is none. For small objects. */
  get(key: string, context: Context): Promise<Uint8Array | undefined>
  /**
   * Stores a small object, durable and complete or not at all. With `ifAbsent` an object that is there stays and the answer is `exists`; where an
   * error is thrown instead, it may or may not have been stored.
   */
  put(key: string, bytes: Uint8Array, options: PutOptions, context: Context): Promise<'stored' | 'exists'>
  /** Keys that begin with the prefix, in ascending order of their code units; pending uploads are none. */
  list(prefix: string, options: ListOptions, context: Context): AsyncIterable<string>
  /** Removes an object, durably. An object that is not there is no error. */
  delete(key: string, context: Context): Promise<void>
  /**
   * Begins an upload that stays invisible until `complete`. Nothing that costs is stored before the first `write`, so that its `ref` can be written
   * down before. At most one upload is begun for a key.
   */
  begin(key: string, options: BeginOptions, context: Context): Promise<Upload>
  /**
   * Makes an upload that was finished visible, durably and at once. Repeating it succeeds, also from another process. `gone`: there is no such
   * upload and no object of it; nothing was made visible.
   */
  complete(ref: Json, context: Context): Promise<'completed' | 'gone'>
  /** What became of an upload: `pending` also while it is being written. */
  settle(ref: Json, context: Context): Promise<UploadStatus>
  /** Drops a pending upload and what was stored of it. Does nothing to one that was completed or that is gone. */
  abort(ref: Json, context: Context): Promise<void>
}

export interface ObjectStoreCapabilities {
  /** Whether `ifAbsent` is decided by the store itself. Elsewhere two writers at the same moment may both be told `stored`. */
  readonly createExclusive: boolean
  /** Whether a listing shows everything that was stored before it. */
  readonly strongListing: boolean
}

export interface PutOptions {
  /** Default false: an object of this key is replaced. */
  readonly ifAbsent?: boolean
}

export interface ListOptions {
  /** Only keys greater than this one. */
  readonly after?: string
}

export interface BeginOptions {
  /** Unique to this upload, so that its object can be told from any other of the same key. */
  readonly token: string
  readonly mediaType?: string
  readonly metadata?: { readonly [name: string]: string }
  /** For what the store has to hold until it can pass it on. */
  readonly budget?: ByteBudget
}

export type UploadStatus = 'pending' | 'completed' | 'gone'

export interface Upload {
  /** Stands for it, in this and in any other process. */
  readonly ref: Json
  /** Takes the next bytes; the array is not changed afterwards by the caller. Never concurrently with itself or `finish`. */
  write(bytes: Uint8Array, context: Context): Promise<void>
  /** All bytes are durable, and still invisible. Called once, after the last write. */
  finish(context: Context): Promise<void>
  /** Drops it. May be called at any time but after `complete`; calling it again does nothing. */
  abort(context: Context): Promise<void>
}
