import { type FileHandle, mkdtemp, open, rm, rmdir, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isSynclineError, SynclineError } from '../errors/syncline-error.js'

export interface Stretch {
  readonly position: number
  readonly length: number
}

/** A temporary file that goes with the process: where the platform can, it has no name any more as soon as it is open. */
export class SpillFile {
  private end = 0

  private constructor(
    private readonly file: FileHandle,
    private readonly directory: string,
  ) {}

  static async create(parent: string = tmpdir()): Promise<SpillFile> {
    return await reported(async () => {
      const directory = await mkdtemp(join(parent, 'syncline-'))
      const path = join(directory, 'spill')
      const file = await open(path, 'wx+', 0o600)
      if (process.platform !== 'win32') {
        await unlink(path)
        await rmdir(directory)
      }
      return new SpillFile(file, directory)
    })
  }

  async append(bytes: Uint8Array): Promise<Stretch> {
    const stretch = { position: this.end, length: bytes.length }
    await reported(async () => {
      for (let written = 0; written < bytes.length; ) {
        const { bytesWritten } = await this.file.write(bytes, written, bytes.length - written, this.end + written)
        written += bytesWritten
      }
    })
    this.end += bytes.length
    return stretch
  }

  async read({ position, length }: Stretch): Promise<Uint8Array> {
    const bytes = new Uint8Array(length)
    await reported(async () => {
      for (let read = 0; read < length; ) {
        const { bytesRead } = await this.file.read(bytes, read, length - read, position + read)
        if (bytesRead === 0)
          throw new SynclineError('DESTINATION_FAILED', 'A temporary file is shorter than what was written to it.')
        read += bytesRead
      }
    })
    return bytes
  }

  async close(): Promise<void> {
    await this.file.close()
    if (process.platform === 'win32') await rm(this.directory, { recursive: true, force: true })
  }
}

async function reported<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const code = isSynclineError(error) ? undefined : (error as NodeJS.ErrnoException).code
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new SynclineError('DESTINATION_FULL', 'The directory for temporary files has no space left.', {
        hint: 'Make room there, choose another spillDirectory, or let the pipeline publish more often (cadence).',
        cause: error,
      })
    }
    if (typeof code !== 'string') throw error
    throw new SynclineError('DESTINATION_FAILED', `A temporary file for rows cannot be used: ${code}.`, {
      hint: 'Choose another spillDirectory that is there and can be written.',
      cause: error,
    })
  }
}
