import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileStateStore, memoryStateStore } from 'syncline'
import { stateStoreConformance } from 'syncline/testing'
import { describe, it } from 'vitest'

stateStoreConformance(
  { describe, it },
  {
    name: 'memory',
    async create() {
      const store = memoryStateStore()
      return { store: () => store }
    },
  },
)

stateStoreConformance(
  { describe, it },
  {
    name: 'file',
    async create() {
      const directory = await mkdtemp(join(tmpdir(), 'syncline-state-'))
      return {
        store: () => fileStateStore(directory),
        close: () => rm(directory, { recursive: true, force: true }),
      }
    },
  },
)
