import { randomUUID } from 'node:crypto'
import { constants, copyFile, type FileHandle, link, open, readdir, readFile, rename, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Context } from '../../model/context.js'
import type { Json } from '../../model/json.js'
import type { BeginOptions, ListOptions, ObjectStore, PutOptions, Upload } from '../../object-store/object-store.js'
import { errnoOf, filesystemError } from './errors.js'
import { pathExists, StoreDirectory, syncDirectory } from './paths.js'

/** Names of files that are no objects (yet). Engines ignore names that begin with `_` or `.`. */
const PENDING = /^_[\w-]+\.pending$/

interface FileRef {
  readonly key: string
  readonly token: string
}

/**
 * The files below a directory as objects. A pending upload is a file beside its final place whose name engines ignore; completing renames
 * it. Everything is synced to disk, names too, before a call returns.
 */
export function filesystemStore(directory: string): ObjectStore {
  const root = new StoreDirectory(directory)

  const pendingPath = ({ key, token }: FileRef) => join(dirname(root.pathOf(key)), `_${token}.pending`)

  return {
    name: 'filesystem',
    capabilities: { createExclusive: true, strongListing: true },

    get: (key, context) =>
      call(context, async () => {
        try {
          return await readFile(root.pathOf(key))
        } catch (error) {
          if (errnoOf(error) === 'ENOENT') return undefined
          throw error
        }
      }),

    put: (key, bytes, options, context) => call(context, () => put(root, key, bytes, options)),

    list: (prefix, options, context) => list(root, prefix, options, context),

    delete: (key, context) =>
      call(context, async () => {
        const path = root.pathOf(key)
        if (!(await removed(path))) return
        await syncDirectory(dirname(path)).catch(ignoreMissing)
        await root.prune(dirname(path))
      }),

    begin: (key, { token }: BeginOptions, context) =>
      call(context, async () => {
        const ref: FileRef = { key, token }
        return new FileUpload(root, ref, pendingPath(ref))
      }),

    complete: (ref, context) =>
      call(context, async () => {
        const pending = pendingPath(fileRef(ref))
        const path = root.pathOf(fileRef(ref).key)
        try {
          await rename(pending, path)
        } catch (error) {
          if (errnoOf(error) !== 'ENOENT') throw error
          if (!(await pathExists(path))) return 'gone'
        }
        await syncDirectory(dirname(path))
        return 'completed'
      }),

    settle: (ref, context) =>
      call(context, async () => {
        if (await pathExists(pendingPath(fileRef(ref)))) return 'pending'
        return (await pathExists(root.pathOf(fileRef(ref).key))) ? 'completed' : 'gone'
      }),

    abort: (ref, context) =>
      call(context, async () => {
        const pending = pendingPath(fileRef(ref))
        if (await removed(pending)) await root.prune(dirname(pending))
      }),
  }
}

class FileUpload implements Upload {
  readonly ref: Json
  readonly #root: StoreDirectory
  readonly #path: string
  #file: FileHandle | undefined
  #aborted = false

  constructor(root: StoreDirectory, ref: FileRef, path: string) {
    this.#root = root
    this.ref = { ...ref }
    this.#path = path
  }

  write(bytes: Uint8Array, context: Context): Promise<void> {
    return call(context, async () => {
      this.#file ??= await create(this.#root, this.#path)
      // A write may take less than it is given, for one at a limit of file sizes; the next one then says why.
      for (let at = 0; at < bytes.length; ) at += (await this.#file.write(bytes, at, bytes.length - at)).bytesWritten
    })
  }

  finish(context: Context): Promise<void> {
    return call(context, async () => {
      this.#file ??= await create(this.#root, this.#path)
      await this.#file.sync()
      await this.#close()
      // Dropped from elsewhere meanwhile, it may be gone with its directory; completing it will tell.
      await syncDirectory(dirname(this.#path)).catch(ignoreMissing)
    })
  }

  abort(context: Context): Promise<void> {
    return call(context, async () => {
      if (this.#aborted) return
      this.#aborted = true
      await this.#close()
      if (await removed(this.#path)) await this.#root.prune(dirname(this.#path))
    })
  }

  async #close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close()
  }
}

async function put(
  root: StoreDirectory,
  key: string,
  bytes: Uint8Array,
  options: PutOptions,
): Promise<'stored' | 'exists'> {
  const path = root.pathOf(key)
  const own = join(dirname(path), `_${randomUUID()}.pending`)
  const file = await create(root, own)
  try {
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    if (options.ifAbsent && !(await linked(own, path))) return 'exists'
    if (!options.ifAbsent) await rename(own, path)
    await syncDirectory(dirname(path))
    return 'stored'
  } finally {
    await removed(own)
  }
}

/** Gives a file its final name unless there is one; decided by the file system. */
async function linked(own: string, path: string): Promise<boolean> {
  try {
    await link(own, path)
    return true
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false
    if (!NO_LINKS.has(errnoOf(error) ?? '')) throw error
    return await copied(own, path)
  }
}

/** What `link` says on file systems without hard links. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

/** Exclusive too, but not whole at once: a crash may leave the beginning of a small object. */
async function copied(own: string, path: string): Promise<boolean> {
  try {
    await copyFile(own, path, constants.COPYFILE_EXCL)
    const file = await open(path, 'r+')
    await file.sync().finally(() => file.close())
    return true
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false
    throw error
  }
}

function create(root: StoreDirectory, path: string): Promise<FileHandle> {
  return root.inParent(path, () => open(path, 'wx'))
}

async function* list(
  root: StoreDirectory,
  prefix: string,
  { after }: ListOptions,
  context: Context,
): AsyncGenerator<string> {
  const within = prefix.slice(0, prefix.lastIndexOf('/') + 1)
  const start = within === '' ? root.path : root.pathOf(within.slice(0, -1))
  for await (const key of keysBelow(start, within, context)) {
    if (key.startsWith(prefix) && (after === undefined || key > after)) yield key
  }
}

/** In the order of the keys, and no further than asked for. */
async function* keysBelow(directory: string, within: string, context: Context): AsyncGenerator<string> {
  const entries = await call(context, () => readdir(directory, { withFileTypes: true }).catch(noEntries))
  const names = entries
    .filter((entry) => entry.isDirectory() || (entry.isFile() && !PENDING.test(entry.name)))
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    .sort()
  for (const name of names) {
    if (name.endsWith('/')) yield* keysBelow(join(directory, name), within + name, context)
    else yield within + name
  }
}

function noEntries(error: unknown): never[] {
  ignoreMissing(error)
  return []
}

async function call<T>({ signal }: Context, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted()
  try {
    return await work()
  } catch (error) {
    throw filesystemError(error, signal)
  }
}

async function removed(path: string): Promise<boolean> {
  try {
    await unlink(path)
    return true
  } catch (error) {
    ignoreMissing(error)
    return false
  }
}

function ignoreMissing(error: unknown): void {
  const errno = errnoOf(error)
  if (errno !== 'ENOENT' && errno !== 'ENOTDIR') throw error
}

function fileRef(ref: Json): FileRef {
  return ref as unknown as FileRef
}
