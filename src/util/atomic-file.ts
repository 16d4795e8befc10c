import * as nodeFs from 'node:fs/promises'
import { dirname } from 'node:path'

/** What writing atomically needs of `node:fs/promises`, so that a test can let each call fail. */
export type FileSystem = Pick<typeof nodeFs, 'mkdir' | 'open' | 'rename' | 'unlink'>

/**
 * Replaces the content of a file. When it returns, the new content is durable; a crash at any time leaves the old content or the new
 * one. The directory must be there. Not
 * for concurrent writers of one path.
 */
export async function writeFileAtomically(path: string, content: string, fs: FileSystem = nodeFs): Promise<void> {
  const directory = dirname(path)
  const temporary = `${path}.new`
  try {
    await writeDurably(temporary, content, fs)
    await fs.rename(temporary, path)
  } catch (error) {
    await fs.unlink(temporary).catch(() => {})
    throw error
  }
  await syncDirectory(directory, fs)
}

/** Creates a directory and those above it, durably; does nothing where it is there. */
export async function makeDirectory(directory: string, fs: FileSystem = nodeFs): Promise<void> {
  const first = await fs.mkdir(directory, { recursive: true })
  if (first === undefined) return
  const above = dirname(first)
  let created = directory
  while (created !== above && created !== dirname(created)) {
    created = dirname(created)
    await syncDirectory(created, fs)
  }
}

async function writeDurably(path: string, content: string, fs: FileSystem): Promise<void> {
  const file = await fs.open(path, 'w')
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Makes the names in a directory durable. Windows has no such call and does not need it. */
async function syncDirectory(directory: string, fs: FileSystem): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await fs.open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
