import type { ErrorCode } from '../../errors/codes.js'
import { isSynclineError, SynclineError } from '../../errors/syncline-error.js'

const CODES: { readonly [errno: string]: readonly [code: ErrorCode, what: string, hint: string] } = {
  ENOSPC: [
    'DESTINATION_FULL',
    'has no space left',
    'Free some space and run again: what was published before is intact.',
  ],
  EDQUOT: [
    'DESTINATION_FULL',
    'is over its quota',
    'Raise the quota or free some space: what was published before is intact.',
  ],
  EFBIG: [
    'DESTINATION_FULL',
    'does not take a file of this size',
    'Lower `maxFileBytes`, or raise the limit of file sizes.',
  ],
  EACCES: ['DESTINATION_PERMISSION_DENIED', 'may not be written', 'Give this user the right to write there.'],
  EPERM: ['DESTINATION_PERMISSION_DENIED', 'may not be written', 'Give this user the right to write there.'],
  EROFS: ['DESTINATION_PERMISSION_DENIED', 'is read-only', 'Mount it writable, or choose another directory.'],
  ENOENT: [
    'DESTINATION_MISSING',
    'is not there',
    'See where a symbolic link in its path leads, and whether somebody removes it.',
  ],
  ENOTDIR: ['DESTINATION_MISSING', 'is not a directory', 'A file is where a directory should be.'],
  EMFILE: [
    'DESTINATION_OVERLOADED',
    'could not open one more file',
    'Raise the limit of open files, or read fewer slices at a time.',
  ],
  ENFILE: ['DESTINATION_OVERLOADED', 'could not open one more file', 'Raise the limit of open files of the system.'],
}

/** What the file system said, as an error of ours. An abort passes as it is. */
export function filesystemError(error: unknown, signal?: AbortSignal): unknown {
  if (isSynclineError(error) || (signal?.aborted && error === signal.reason)) return error
  const errno = errnoOf(error)
  const [code, what, hint] = CODES[errno ?? ''] ?? ['DESTINATION_FAILED', `failed (${errno ?? 'unknown'})`, undefined]
  return new SynclineError(code, `The directory of the lake ${what}.`, {
    connector: 'filesystem',
    ...(hint === undefined ? {} : { hint }),
    cause: error,
  })
}

export function errnoOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code
}
