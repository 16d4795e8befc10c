import * as nodeFs from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { SynclineError, toSynclineError } from '../errors/syncline-error.js'
import type { ScopeRef, Stored } from '../model/state.js'
import { delay } from '../util/abort.js'
import { type FileSystem, makeDirectory, writeFileAtomically } from '../util/atomic-file.js'
import { safeFileName } from '../util/file-name.js'
import { acquireProcessLock, type ProcessLock } from '../util/process-lock.js'
import { compareVersions, lockedError, scopeText } from './compare-and-set.js'
import { type StateFormat, stateFormat } from './state-format.js'
import type { StateStore } from './state-store.js'

export interface FileStateStoreOptions {
  /** Where the files are; created by the first put. */
  readonly directory: string
}

/**
 * Keeps each state in a file of its own, with its checksum and the version of its format. A put is durable when it returns, a crash at any
 * time leaves the old state or the new one, and of several processes exactly one wins. `acquire` takes over what a dead process left.
 */
export function fileStateStore(options: string | FileStateStoreOptions): StateStore {
  const directory = typeof options === 'string' ? options : options?.directory
  if (typeof directory !== 'string' || directory === '') {
    throw new SynclineError('CONFIG_INVALID', 'Invalid options of fileStateStore: directory: expected a path.', {
      phase: 'configure',
      hint: "Give a directory, as in fileStateStore('./state').",
    })
  }
  return stateStoreInFiles(resolve(directory))
}

/** The same with a file system and a format of the caller's. */
export function stateStoreInFiles(
  directory: string,
  fs: FileSystem & Pick<typeof nodeFs, 'readFile'> = nodeFs,
  format: StateFormat = stateFormat(),
): StateStore {
  const pathOf = ({ pipeline, scope }: ScopeRef) => join(directory, safeFileName(pipeline), safeFileName(scope))

  async function read(scope: ScopeRef): Promise<Stored> {
    const path = `${pathOf(scope)}.json`
    const text = await fs.readFile(path, 'utf8').catch(missing)
    if (text === undefined) return { version: 0 }
    const saved = format.decode(text)
    if (saved.pipeline !== scope.pipeline || saved.scope !== scope.scope) {
      throw new SynclineError('STATE_CORRUPT', `The state file of ${scopeText(scope)} belongs to another scope.`, {
        hint: 'Put the files back as syncline named them.',
      })
    }
    const { state, version, run } = saved
    return { state, version, run }
  }

  return {
    async get(scope, { signal }) {
      signal.throwIfAborted()
      return await reported(() => read(scope))
    },
    async put(scope, { state, version, run }, { signal }) {
      await reported(async () => {
        const lock = await lockForPut(scope, `${pathOf(scope)}.put`, signal)
        try {
          if (compareVersions(scope, await read(scope), { version, run }) === 'written') return
          const text = format.encode({ ...scope, state, version: version + 1, run })
          await writeFileAtomically(`${pathOf(scope)}.json`, text, fs)
        } finally {
          await lock.release()
        }
      })
    },
    async acquire(scope, { signal }) {
      signal.throwIfAborted()
      return await reported(async () => {
        await makeDirectory(dirname(pathOf(scope)), fs)
        const lock = await acquireProcessLock(`${pathOf(scope)}.lock`)
        if (lock === 'held') throw lockedError(scope)
        return lock
      })
    },
  }

  /** Puts are short, so this waits for another one, but not for ever. */
  async function lockForPut(scope: ScopeRef, path: string, signal: AbortSignal): Promise<ProcessLock> {
    await makeDirectory(dirname(path), fs)
    for (let waited = 0; waited < LONGEST_PUT; waited += PUT_POLL) {
      signal.throwIfAborted()
      const lock = await acquireProcessLock(path)
      if (lock !== 'held') return lock
      await delay(PUT_POLL, signal)
    }
    throw lockedError(scope)
  }
}

const PUT_POLL = 10
const LONGEST_PUT = 30_000

const HINTS: { readonly [code: string]: string } = {
  EACCES: 'Give the process the right to read and write the directory.',
  EPERM: 'Give the process the right to read and write the directory.',
  EROFS: 'The file system is read-only; choose another directory.',
  ENOSPC: 'Make room on the disk; the state as it was is intact.',
  EDQUOT: 'Make room in the quota; the state as it was is intact.',
  ENOTDIR: 'Choose a directory; a part of the path is a file.',
}

/** Errors of the file system as `STATE_FAILED`, everything else as it is. */
async function reported<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const code = (error as NodeJS.ErrnoException | undefined)?.code
    if (typeof code !== 'string' || !(error instanceof Error) || !('syscall' in error)) throw error
    throw toSynclineError(error, 'STATE_FAILED', {
      message: `The state store failed: ${code}.`,
      hint: HINTS[code] ?? 'Look at the cause; the state as it was is intact.',
    })
  }
}

function missing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}
