import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineSource, Pipeline, SynclineError, stream } from 'syncline'
import { filesystemDestination } from 'syncline/filesystem'
import { MemoryTables, memorySource } from 'syncline/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { duckdb, parquetFiles, tree, visibleFiles } from '../fixtures/read-lake.js'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'syncline-pipeline-'))
})
afterEach(() => rm(directory, { recursive: true }))

const Book = z.object({ id: z.int(), title: z.string() })

async function read(table: string, columns = 'id, title'): Promise<unknown[]> {
  const paths = await visibleFiles(directory, `${table}/`)
  return await duckdb(`SELECT ${columns} FROM ${parquetFiles(paths.map((path) => join(directory, path)))} ORDER BY ALL`)
}

function library(books: readonly z.infer<typeof Book>[], destination = filesystemDestination({ directory })) {
  const source = defineSource({
    name: 'library',
    streams: { books: stream({ schema: Book, primaryKey: ['id'], records: books }) },
  })
  return new Pipeline({ name: 'library', source, destination })
}

describe('a pipeline into a lake', () => {
  test('each full refresh replaces the last one, and an empty one leaves the columns', async () => {
    await library([
      { id: 1, title: 'Emma' },
      { id: 2, title: 'Dune' },
    ]).run()
    expect(await read('books')).toEqual([
      { id: '1', title: 'Emma' },
      { id: '2', title: 'Dune' },
    ])
    await library([{ id: 3, title: 'Ulysses' }]).run()
    expect(await read('books')).toEqual([{ id: '3', title: 'Ulysses' }])
    await library([]).run()
    expect(await read('books')).toEqual([])
    const columns = await duckdb(
      `SELECT column_name FROM (DESCRIBE SELECT * FROM '${join(directory, 'books')}/*.parquet')`,
    )
    expect(columns.map(({ column_name }) => column_name)).toEqual(
      expect.arrayContaining(['id', 'title', '_airbyte_raw_id']),
    )
  })

  test('incremental: each run adds what is new, and nothing is pending afterwards', async () => {
    const books = [{ id: 1, title: 'Emma' }]
    const source = defineSource({
      name: 'library',
      streams: {
        books: stream({
          schema: Book,
          cursorField: 'id',
          ordered: true,
          records: ({ cursor }) => books.filter(({ id }) => id > Number(cursor ?? 0)),
        }),
      },
    })
    const pipeline = () =>
      new Pipeline({
        name: 'library',
        source,
        destination: filesystemDestination({ directory }),
        streams: { books: { syncMode: 'incremental', destinationSyncMode: 'append', cursorField: 'id' } },
      })
    await pipeline().run()
    books.push({ id: 2, title: 'Dune' })
    const second = await pipeline().run()
    expect(second.records).toBe(1)
    const third = await pipeline().run()
    expect(third.records).toBe(0)
    expect(await read('books', 'id')).toEqual([{ id: '1' }, { id: '2' }])
    expect((await tree(directory)).filter((path) => /pending|_lock/.test(path))).toEqual([])
  })

  test('names that would lead out of the lake stay in it', async () => {
    const records = [{ id: 1, title: 'x' }]
    const names = ['../../escape', '..', '/etc/shadow', 'a/b', '_syncline']
    const streams = Object.fromEntries(names.map((name) => [name, stream({ schema: Book, records })]))
    const inner = join(directory, 'lake')
    await new Pipeline({
      name: '../../pipeline',
      source: defineSource({ name: 'hostile', streams }),
      destination: filesystemDestination({ directory: inner }),
    }).run()
    const files = await tree(directory)
    expect(files.every((path) => path.startsWith('lake/'))).toBe(true)
    expect(files.filter((path) => path.endsWith('.parquet'))).toHaveLength(names.length)
  })

  test('a full refresh whose pending files were lost between two runs starts again by itself, D4 D8', async () => {
    const world = new MemoryTables()
    const schema = { fields: [{ name: 'id', type: { kind: 'int64' as const }, nullable: false }] }
    const table = world.table({ name: 'things', schema, primaryKey: ['id'] })
    for (let id = 0n; id < 60n; id++) table.insert({ id })
    let publishes = 0
    const pipeline = (failAfter?: number) =>
      new Pipeline({
        name: 'things',
        source: memorySource(world, {
          ordered: true,
          onCall(name, phase) {
            if (name !== 'reading.read.next' || phase !== 'before' || failAfter === undefined || publishes < failAfter)
              return
            throw new SynclineError('SOURCE_RECORD_INVALID', 'The source gives up here.')
          },
        }),
        destination: filesystemDestination({ directory, cadence: { bytes: 1 } }),
      })
    const failing = pipeline(2)
    failing.on('state:published', () => publishes++)
    await expect(failing.run()).rejects.toMatchObject({ code: 'SOURCE_RECORD_INVALID' })
    const pending = (await tree(directory)).filter((path) => path.endsWith('.pending'))
    expect(pending.length).toBeGreaterThan(0)
    expect(await visibleFiles(directory)).toEqual([])
    await rm(join(directory, pending[0]!))
    const result = await pipeline().run()
    expect(result.status).toBe('succeeded')
    expect((await read('things', 'id')).length).toBe(60)
    expect((await tree(directory)).filter((path) => path.endsWith('.pending'))).toEqual([])
  })
})
