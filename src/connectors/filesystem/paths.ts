import { lstat, mkdir, open, realpath, rmdir } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { SynclineError } from '../../errors/syncline-error.js'
import { errnoOf } from './errors.js'

/** Directories come and go while others work in them; so often an attempt may meet that. */
const ATTEMPTS = 100

/** Turns keys into paths that are inside one directory, whatever the key. */
export class StoreDirectory {
  readonly path: string

  constructor(directory: string) {
    this.path = resolve(directory)
  }

  /** The path of a key. Throws where the key could leave the directory. */
  pathOf(key: string): string {
    const parts = key.split('/')
    if (parts.some((part) => part === '' || part === '.' || part === '..' || /[\0\\]/.test(part))) {
      throw new SynclineError('DESTINATION_FAILED', 'A key is no path inside the directory of the lake.', {
        connector: 'filesystem',
        hint: 'Check the `path` template: it must be relative and may not hold `..`.',
      })
    }
    return join(this.path, ...parts)
  }

  /** Makes the directory of a path, durably, and makes sure that no symbolic link leads out of the lake. */
  async makeParent(path: string): Promise<string> {
    const parent = dirname(path)
    const made = await makeDirectories(parent)
    const root = await realpath(this.path)
    const real = await realpath(parent)
    if (real !== root + parent.slice(this.path.length)) {
      throw new SynclineError('DESTINATION_PERMISSION_DENIED', 'A symbolic link is in the path of an object.', {
        connector: 'filesystem',
        hint: 'Only the directory of the lake itself may be a symbolic link, nothing in it.',
      })
    }
    if (made !== undefined) {
      for (let at = parent; at.length >= made.length; at = dirname(at)) await syncDirectory(dirname(at))
    }
    return parent
  }

  /** Does something in the directory of a path, which another call may prune at any moment. */
  async inParent<T>(path: string, work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.makeParent(path)
        return await work()
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT' || attempt === ATTEMPTS) throw error
      }
    }
  }

  /** Removes directories that became empty, from this one upwards; the lake's own stays. */
  async prune(path: string): Promise<void> {
    for (let at = path; at.startsWith(this.path + sep); at = dirname(at)) {
      try {
        await rmdir(at)
      } catch {
        return // not empty, or already gone
      }
    }
  }

  /** Does something and removes the directory again, and those above it, if they were made for it and are empty. */
  async leavingNothing<T>(work: () => Promise<T>): Promise<T> {
    let above = this.path
    while (!(await pathExists(above)) && dirname(above) !== above) above = dirname(above)
    try {
      return await work()
    } finally {
      for (let at = this.path; at !== above && at.startsWith(above); at = dirname(at)) await rmdir(at).catch(() => {})
    }
  }
}

/**
 * Makes a directory and those above it; the first one that had to be made. Not Node's own `recursive`, which names a wrong reason where the file system
 * is read-only, or where another call removes a directory at the same time.
 */
async function makeDirectories(path: string): Promise<string | undefined> {
  try {
    return await makeDirectory(path)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' || dirname(path) === path) throw error
    const above = await makeDirectories(dirname(path))
    // Only once: below a link that leads nowhere it would fail for ever.
    const own = await makeDirectory(path)
    return above ?? own
  }
}

/** The path, or undefined where something is there. */
async function makeDirectory(path: string): Promise<string | undefined> {
  try {
    await mkdir(path)
    return path
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
    return undefined
  }
}

export async function pathExists(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return false
    throw error
  }
}

/** Makes names that were added to a directory or removed from it durable. */
export async function syncDirectory(path: string): Promise<void> {
  // Windows cannot open a directory; its file systems keep names durable themselves.
  if (process.platform === 'win32') return
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
