import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { filesystemDestination } from 'syncline/filesystem'
import { seededRandom, testContext } from 'syncline/testing'
import { expect, test } from 'vitest'
import { queryPostgres } from '../fixtures/postgres.js'
import { sharedPostgres } from '../fixtures/postgres-shared.js'
import { duckdb, parquetFiles, visibleFiles } from '../fixtures/read-lake.js'
import { startTcpProxy } from '../fixtures/tcp-proxy.js'
import { seeds } from './seeds.js'

const PROCESS = fileURLToPath(new URL('../fixtures/postgres-lake-process.mjs', import.meta.url))

test.each(seeds(2, 0.05))(
  'D1 D4 D6 D8 D9 D10: PostgreSQL into a lake, killed and cut off at random, ends record by record as the database, seed %i',
  async (seed) => {
    const random = seededRandom(seed)
    const connectionString = await (await sharedPostgres()).createDatabase()
    const sql = (text: string) => queryPostgres(connectionString, text)
    const proxy = await startTcpProxy({ port: Number(new URL(connectionString).port) })
    const directory = await mkdtemp(join(tmpdir(), 'syncline-postgres-lake-'))

    /** One process; killed so long after so many publishes, with its connections cut now and then, unless it ends before. */
    async function run(kill?: { publishes: number; after: number }): Promise<number | null> {
      const child = spawn(process.execPath, [PROCESS, directory, proxy.through(connectionString)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const exit = once(child, 'exit')
      let publishes = 0
      const enough = new Promise<void>((resolve) => {
        child.stdout.on('data', (dots: Buffer) => {
          publishes += dots.length
          if (kill && publishes >= kill.publishes) resolve()
        })
      })
      if (random.chance(0.5)) proxy.cutAfter(random.int(1, 400_000))
      await Promise.race([enough, exit])
      if (kill) {
        await Promise.race([sleep(kill.after), exit])
        child.kill('SIGKILL')
      }
      const [code] = (await exit) as [number | null]
      return code
    }

    async function visible(stream: string): Promise<string[]> {
      const files = (await visibleFiles(directory, `public/${stream}/`)).map((path) => join(directory, path))
      if (files.length === 0) return []
      const rows = await duckdb(`SELECT id, v, filler FROM ${parquetFiles(files)} ORDER BY id, v`)
      return rows.map((row) => Object.values(row).join(' '))
    }
    const stored = async (table: string) =>
      (await sql(`SELECT id, v, filler FROM ${table} ORDER BY id, v`)).map((row) => Object.values(row).join(' '))

    const insert = (from: number, to: number) => `
      INSERT INTO events SELECT i, i, md5(i::text), '2026-01-01'::timestamptz + (i / 7) * interval '1 second' FROM generate_series(${from}, ${to}) i`
    try {
      await sql(`CREATE TABLE events (id int PRIMARY KEY, v int, filler text, at timestamptz); CREATE INDEX ON events (at);
        CREATE TABLE things AS SELECT i AS id, 0 AS v, repeat('x', 100) AS filler FROM generate_series(1, 4000) i; ${insert(1, 4000)}`)
      let rows = 4000
      for (let kills = 3; kills > 0; kills--) {
        await run({ publishes: random.int(1, 4), after: random.int(0, 60) })
        for (const scope of ['public.events', 'public.things']) {
          await filesystemDestination({ directory }).recover!({ pipeline: 'killed', scope }, testContext())
        }
        const events = await visible('events')
        expect(new Set(events).size, 'an event twice').toBe(events.length)
        // A whole refresh or none: all its rows have the number of one moment.
        const things = await visible('things')
        expect([0, 4000]).toContain(things.length)
        expect(new Set(things.map((row) => row.split(' ')[1])).size).toBeLessThanOrEqual(1)
        await sql(`UPDATE things SET v = v + 1; ${insert(rows + 1, rows + 500)}`)
        rows += 500
      }
      expect(await run()).toBe(0)
      expect(await visible('events')).toEqual(await stored('events'))
      expect(await visible('things')).toEqual(await stored('things'))
    } finally {
      await proxy.close()
      await rm(directory, { recursive: true, force: true })
    }
  },
)
