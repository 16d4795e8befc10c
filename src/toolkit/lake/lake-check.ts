import { randomUUID } from 'node:crypto'
import { SynclineError } from '../../errors/syncline-error.js'
import type { Context } from '../../model/context.js'
import type { ObjectStore } from '../../object-store/object-store.js'
import { CONTROL } from './control-keys.js'

/** Proves that a store does what a lake needs of it: upload, complete, drop, create, list, read, delete. Leaves nothing behind. */
export async function checkStore(store: ObjectStore, context: Context): Promise<void> {
  const prefix = `${CONTROL}/check-${randomUUID()}/`
  const bytes = new TextEncoder().encode('syncline')
  const record = `${prefix}record`
  const file = `${prefix}file`
  const begin = async (key: string) => {
    const upload = await store.begin(key, { token: randomUUID() }, context)
    await upload.write(bytes, context)
    await upload.finish(context)
    return upload.ref
  }
  try {
    await store.abort(await begin(`${prefix}dropped`), context)
    await store.complete(await begin(file), context)
    await store.put(record, bytes, { ifAbsent: true }, context)
    const again = await store.put(record, bytes, { ifAbsent: true }, context)
    const found: string[] = []
    for await (const key of store.list(prefix, {}, context)) found.push(key)
    const read = await store.get(file, context)
    const wrong =
      again !== 'exists'
        ? 'an object that must not be replaced was replaced'
        : found.join() !== [file, record].join() && store.capabilities.strongListing
          ? 'a listing does not show what was written'
          : read === undefined || Buffer.compare(read, bytes) !== 0
            ? 'an object does not read as it was written'
            : undefined
    if (wrong !== undefined) {
      throw new SynclineError('DESTINATION_FAILED', `The store does not do what a lake needs: ${wrong}.`, {
        phase: 'check',
      })
    }
  } finally {
    await Promise.allSettled([file, record].map((key) => store.delete(key, context)))
  }
}
