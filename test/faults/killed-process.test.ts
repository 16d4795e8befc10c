import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { filesystemDestination } from 'syncline/filesystem'
import { seededRandom, testContext } from 'syncline/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { duckdb, parquetFiles, visibleFiles } from '../fixtures/read-lake.js'
import { seeds } from './seeds.js'

const PROCESS = fileURLToPath(new URL('../fixtures/pipeline-process.mjs', import.meta.url))

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'syncline-killed-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

/** A process that runs the pipeline, killed so long after so many publishes, unless it ends before. Gives its exit code. */
async function run(rows: number, kill?: { publishes: number; after: number }): Promise<number | null> {
  const child = spawn(process.execPath, [PROCESS, directory, String(rows)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exit = once(child, 'exit')
  let publishes = 0
  const enough = new Promise<void>((resolve) => {
    child.stdout.on('data', (dots: Buffer) => {
      publishes += dots.length
      if (kill && publishes >= kill.publishes) resolve()
    })
  })
  await Promise.race([enough, exit])
  if (kill) {
    await Promise.race([sleep(kill.after), exit])
    child.kill('SIGKILL')
  }
  const [code] = (await exit) as [number | null]
  return code
}

async function visible(stream: string): Promise<number[]> {
  const paths = await visibleFiles(directory, `${stream}/`)
  if (paths.length === 0) return []
  const rows = await duckdb(`SELECT id FROM ${parquetFiles(paths.map((path) => join(directory, path)))}`)
  return rows.map(({ id }) => Number(id)).sort((a, b) => a - b)
}

const upTo = (rows: number) => Array.from({ length: rows }, (_, id) => id)

describe('a process that runs a pipeline into a lake is killed', () => {
  test.each(seeds(2, 0.05))('D1 D4 D8 D9 D10: nothing is lost, nothing is doubled, seed %i', async (seed) => {
    const random = seededRandom(seed)
    let rows = 150
    for (let kills = 3; kills > 0; kills--) {
      await run(rows, { publishes: random.int(1, 8), after: random.int(0, 25) })
      // A reader of a lake may see a publish that was interrupted, until the next run settles it.
      for (const scope of ['events', 'things']) {
        await filesystemDestination({ directory }).recover!({ pipeline: 'killed', scope }, testContext())
      }
      const events = await visible('events')
      expect(new Set(events).size, 'an event twice').toBe(events.length)
      // The memory source and its snapshot die with the process, so that each full refresh begins anew.
      expect([0, 150, 210, 270, 330]).toContain((await visible('things')).length)
      rows += 60
    }
    expect(await run(rows)).toBe(0)
    expect(await visible('events')).toEqual(upTo(rows))
    expect(await visible('things')).toEqual(upTo(rows))
    expect(await run(rows)).toBe(0)
    expect(await visible('events')).toEqual(upTo(rows))
  })
})
