import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pipeline, SynclineError } from 'syncline'
import { filesystemDestination } from 'syncline/filesystem'
import { MemoryTables, memorySource } from 'syncline/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { duckdb } from '../fixtures/read-lake.js'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'syncline-sessions-'))
})

afterEach(() => rm(directory, { recursive: true }))

const SCHEMA = { fields: [{ name: 'id', type: { kind: 'int64' as const }, nullable: false }] }

describe('two readings in one run', () => {
  test.each(['incremental', 'full_refresh'] as const)(
    'D4 D10: a slice that the second one goes on with shares no file with what the first one published (%s)',
    async (syncMode) => {
      const world = new MemoryTables()
      const table = world.table({ name: 'things', schema: SCHEMA, primaryKey: ['id'], cursorField: 'id' })
      for (let id = 0n; id < 60n; id++) table.insert({ id })
      let publishes = 0
      let lost = false
      const pipeline = new Pipeline({
        name: 'things',
        source: memorySource(world, {
          ordered: true,
          onCall(name, phase) {
            if (name !== 'reading.read.next' || phase !== 'before' || lost || publishes < 2) return
            lost = true
            throw new SynclineError('SOURCE_EPOCH_LOST', 'The reading ends here.')
          },
        }),
        destination: filesystemDestination({ directory, cadence: { bytes: 1 } }),
        streams:
          syncMode === 'incremental'
            ? { things: { syncMode, cursorField: 'id' } }
            : { things: { syncMode, destinationSyncMode: 'overwrite' } },
        concurrency: 1,
        retry: { initial: 1 },
      })
      pipeline.on('state:published', () => publishes++)
      const { records } = await pipeline.run()
      expect(lost).toBe(true)
      expect(records).toBe(60)
      const rows = await duckdb(`SELECT id::int AS id FROM '${directory}/things/*.parquet' ORDER BY id`)
      expect(rows.map(({ id }) => Number(id))).toEqual(Array.from({ length: 60 }, (_, id) => id))
    },
  )
})
