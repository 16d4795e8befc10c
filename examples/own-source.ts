// A source of your own: typed records from an API into a local Parquet lake, incrementally, and the same records in a plain loop.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineSource, Pipeline, readRecords, stream } from 'syncline'
import { filesystemDestination } from 'syncline/filesystem'
import { z } from 'zod'

// What stands in for the API: pages of users, oldest change first.
const users = [
  { id: 1, name: 'Ada', updated_at: '2026-01-01T09:00:00Z' },
  { id: 2, name: 'Grace', updated_at: '2026-01-02T09:00:00Z' },
  { id: 3, name: 'Barbara', updated_at: '2026-01-02T09:00:00Z' },
]
async function* pagesOfUsers(since = '') {
  const changed = users.filter((user) => user.updated_at >= since)
  for (let at = 0; at < changed.length; at += 2) yield changed.slice(at, at + 2)
}

const source = defineSource({
  name: 'crm',
  streams: {
    users: stream({
      // Every record is checked; what does not fit is stored with its reason in _syncline_rejected.
      schema: z.object({ id: z.int(), name: z.string(), updated_at: z.iso.datetime() }),
      primaryKey: ['id'],
      cursorField: 'updated_at',
      ordered: true,
      async *records({ cursor }) {
        for await (const page of pagesOfUsers(cursor)) yield* page
      },
    }),
  },
})

for await (const user of readRecords(source, 'users')) console.log(`${user.id}: ${user.name}`)

const directory = await mkdtemp(join(tmpdir(), 'syncline-own-source-'))
try {
  const pipeline = new Pipeline({
    name: 'crm-to-lake',
    source,
    destination: filesystemDestination({ directory }),
    streams: { users: { syncMode: 'incremental' } },
  })
  console.log(`first run: ${(await pipeline.run()).records} records`)
  // The next run asks for the boundary again, and delivers only what is new, also what shares the last cursor value.
  users.push({ id: 4, name: 'Katherine', updated_at: '2026-01-02T09:00:00Z' })
  console.log(`second run: ${(await pipeline.run()).records} record`)
} finally {
  await rm(directory, { recursive: true })
}
