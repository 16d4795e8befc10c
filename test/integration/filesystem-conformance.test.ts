import { readdirSync, rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { filesystemDestination } from 'syncline/filesystem'
import { type DestinationFixture, destinationConformance } from 'syncline/testing'
import { describe, it } from 'vitest'
import { readTable } from '../fixtures/read-lake.js'

destinationConformance(
  { describe, it },
  {
    name: 'filesystem',
    async create(): Promise<DestinationFixture> {
      const directory = await mkdtemp(join(tmpdir(), 'syncline-lake-'))
      return {
        destination() {
          dropLocks(directory)
          return filesystemDestination({ directory })
        },
        read: (table) => readTable(directory, table),
        close: () => rm(directory, { recursive: true }),
      }
    },
  },
)

/** The process that had them is gone, in the story of the tests; here it is the same one, and its locks would count as held. */
function dropLocks(directory: string): void {
  for (const path of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    if (path.endsWith('_lock')) rmSync(join(directory, path))
  }
}
