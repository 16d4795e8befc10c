import { randomUUID } from 'node:crypto'
import { type FileHandle, link, open, readFile, rename, stat, unlink, utimes } from 'node:fs/promises'
import { hostname } from 'node:os'

export interface ProcessLock {
  /** Frees the lock, unless it was taken over meanwhile. Calling it again does nothing. */
  release(): Promise<void>
}

/** Who holds a lock. `started` tells a process from a later one with the same id; null where the platform does not say. */
interface Owner {
  readonly token: string
  readonly pid: number
  readonly host: string
  readonly started: string | null
}

const HEARTBEAT = 15_000
/** After so long without a heartbeat, a holder on another host counts as dead. */
const EXPIRY = 120_000
/** A lock file that cannot be read may be one that is being written, for so long. */
const WRITING = 10_000

/**
 * Takes the lock that is the file at `path`, or says that a living holder has it: another process, or another holder in this one. A
 * lock left by a dead process is taken over, also when its process id is in use again. A holder on another host counts as living for
 * two minutes after its last sign of life. A courtesy, not a fence: a holder that was stopped for long may be superseded.
 *
 * Errors of the file system are thrown as they are.
 */
export async function acquireProcessLock(path: string): Promise<ProcessLock | 'held'> {
  const owner: Owner = { token: randomUUID(), pid: process.pid, host: hostname(), started: await startOf(process.pid) }
  const content = JSON.stringify(owner)
  for (;;) {
    if (await create(path, content, owner.token)) return holding(path, owner.token)
    const found = await ownerOf(path)
    if (found === undefined) continue
    if (await lives(found)) return 'held'
    const claim = await acquireProcessLock(`${path}.${found.token.slice(0, 8)}`)
    if (claim === 'held') return 'held'
    try {
      // Only the holder of the claim replaces this very dead lock, so that nobody removes a lock that was taken over a moment ago.
      const still = await ownerOf(path)
      if (still?.token === found.token) {
        const own = `${path}.${owner.token}`
        await write(own, content)
        await rename(own, path)
        return holding(path, owner.token)
      }
    } finally {
      await claim.release()
    }
  }
}

function holding(path: string, token: string): ProcessLock {
  const timer = setInterval(() => {
    const now = new Date()
    utimes(path, now, now).catch(() => {})
  }, HEARTBEAT)
  timer.unref()
  let released: Promise<void> | undefined
  const release = async () => {
    clearInterval(timer)
    if ((await ownerOf(path))?.token === token) await unlink(path).catch(ignoreMissing)
  }
  return {
    release() {
      released ??= release()
      return released
    },
  }
}

/** Creates the file with its content at once; false where there is one. */
async function create(path: string, content: string, token: string): Promise<boolean> {
  const own = `${path}.${token}`
  await write(own, content)
  try {
    await link(own, path)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    if (!NO_LINKS.has(codeOf(error) ?? '')) throw error
    return await createExclusively(path, content)
  } finally {
    await unlink(own).catch(ignoreMissing)
  }
}

/** What `link` says on file systems without hard links. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

async function createExclusively(path: string, content: string): Promise<boolean> {
  try {
    await write(path, content)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

async function write(path: string, content: string): Promise<void> {
  let file: FileHandle | undefined
  try {
    file = await open(path, 'wx')
    await file.writeFile(content)
  } finally {
    await file?.close()
  }
}

type FoundOwner = Owner & { readonly seen: number }

async function ownerOf(path: string): Promise<FoundOwner | undefined> {
  try {
    const [text, { mtimeMs }] = [await readFile(path, 'utf8'), await stat(path)]
    return { ...parseOwner(text), seen: mtimeMs }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function parseOwner(text: string): Owner {
  try {
    const { token, pid, host, started } = JSON.parse(text) as Record<string, unknown>
    if (typeof token === 'string' && typeof pid === 'number' && typeof host === 'string') {
      return { token, pid, host, started: typeof started === 'string' ? started : null }
    }
  } catch {
    // Told apart below: a file that is no lock of ours.
  }
  return { token: 'unreadable', pid: 0, host: '', started: null }
}

async function lives(owner: FoundOwner): Promise<boolean> {
  const age = Date.now() - owner.seen
  if (owner.pid === 0) return age < WRITING
  if (owner.host !== hostname()) return age < EXPIRY
  if (!processExists(owner.pid)) return false
  const started = await startOf(owner.pid)
  return owner.started === null || started === null || owner.started === started
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

/** When a process began, as a text to compare; null where the platform does not tell. */
async function startOf(pid: number): Promise<string | null> {
  try {
    const [boot, status] = await Promise.all([
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      readFile(`/proc/${pid}/stat`, 'utf8'),
    ])
    // The command may hold spaces and brackets; the fields after it do not. The 22nd field of all is the start time.
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ')
    // Ended, but not yet collected by its parent.
    if (fields[0] === 'Z' || fields[0] === 'X') return 'ended'
    return fields[19] === undefined ? null : `${boot.trim()}/${fields[19]}`
  } catch {
    return null
  }
}

function ignoreMissing(error: unknown): void {
  if (codeOf(error) !== 'ENOENT') throw error
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code
}
