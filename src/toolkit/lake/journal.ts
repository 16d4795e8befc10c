import type { Context } from '../../model/context.js'
import type { Json } from '../../model/json.js'
import type { ObjectStore } from '../../object-store/object-store.js'
import type { ControlKeys } from './control-keys.js'

/**
 * Every pending upload of a scope, written down before its first byte: a store need not be able to list them. An entry goes when its upload was
 * completed or dropped.
 */
export class UploadJournal {
  readonly #store: ObjectStore
  readonly #keys: ControlKeys

  constructor(store: ObjectStore, keys: ControlKeys) {
    this.#store = store
    this.#keys = keys
  }

  async add(token: string, ref: Json, context: Context): Promise<void> {
    const entry = new TextEncoder().encode(JSON.stringify({ format: 1, ref, run: context.run }))
    await this.#store.put(this.#keys.pending(token), entry, {}, context)
  }

  async remove(token: string, context: Context): Promise<void> {
    await this.#store.delete(this.#keys.pending(token), context)
  }

  /** Drops every upload of the journal but those with these tokens. What a record completed stays visible. */
  async sweep(keep: ReadonlySet<string>, context: Context): Promise<void> {
    for await (const key of this.#store.list(this.#keys.pendingPrefix, {}, context)) {
      const token = key.slice(this.#keys.pendingPrefix.length).replace(/\.json$/, '')
      if (keep.has(token)) continue
      const bytes = await this.#store.get(key, context)
      const ref = bytes === undefined ? undefined : entryRef(bytes)
      if (ref !== undefined) await this.#store.abort(ref, context)
      await this.#store.delete(key, context)
    }
  }
}

function entryRef(bytes: Uint8Array): Json | undefined {
  try {
    return (JSON.parse(new TextDecoder().decode(bytes)) as { readonly ref: Json }).ref
  } catch {
    return undefined // cut off while it was written: the upload it was to stand for had not begun
  }
}
