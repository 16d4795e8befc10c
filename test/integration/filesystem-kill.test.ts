import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { filesystemDestination } from 'syncline/filesystem'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { testContext } from '../fixtures/lake-run.js'
import { duckdb, parquetFiles, visibleFiles } from '../fixtures/read-lake.js'

const SCOPE = { pipeline: 'killed', scope: 'numbers' }
const WRITER = fileURLToPath(new URL('../fixtures/lake-writer.mjs', import.meta.url))

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'syncline-kill-'))
})
afterEach(() => rm(directory, { recursive: true }))

/** Runs a process that writes, and kills it so long after so many publishes. */
async function killed(mode: string, { publishes, after }: { publishes: number; after: number }): Promise<void> {
  const child = spawn(process.execPath, [WRITER, directory, mode], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exit = once(child, 'exit')
  let dots = 0
  const enough = new Promise<void>((resolve) => {
    child.stdout!.on('data', (chunk: Buffer) => {
      dots += chunk.length
      if (dots >= publishes) resolve()
    })
  })
  await Promise.race([enough, exit])
  await sleep(after)
  child.kill('SIGKILL')
  expect(await exit).toEqual([null, 'SIGKILL'])
}

async function visible(): Promise<number[]> {
  const paths = await visibleFiles(directory)
  if (paths.length === 0) return []
  const rows = await duckdb(`SELECT id FROM ${parquetFiles(paths.map((path) => join(directory, path)))}`)
  return rows.map(({ id }) => Number(id)).sort((a, b) => a - b)
}

const recovered = async () => {
  const { state } = await filesystemDestination({ directory }).recover!(SCOPE, testContext())
  return (state?.source ?? { runs: 0, rows: 0 }) as { runs: number; rows: number }
}

const MOMENTS = [
  { publishes: 1, after: 0 },
  { publishes: 4, after: 3 },
  { publishes: 2, after: 9 },
  { publishes: 5, after: 33 },
]

test('append: after each kill exactly the rows that the state covers are visible, D1 D4 D9 D10', async () => {
  let last = 0
  for (const moment of MOMENTS) {
    await killed('append', moment)
    const { rows } = await recovered()
    expect(rows).toBeGreaterThanOrEqual(last)
    expect(await visible()).toEqual(Array.from({ length: rows }, (_, i) => i))
    last = rows
  }
  expect(last).toBeGreaterThan(0)
})

test('overwrite: after each kill one whole refresh is visible, D1 D4 D8', async () => {
  let last = 0
  for (const moment of MOMENTS) {
    await killed('overwrite', moment)
    const { runs } = await recovered()
    expect(runs).toBeGreaterThanOrEqual(last)
    const ids = await visible()
    expect(new Set(ids.map((id) => Math.floor(id / 1_000_000)))).toEqual(new Set(runs === 0 ? [] : [runs - 1]))
    // Without holes and without doubles.
    expect(ids.map((id) => id % 1_000_000)).toEqual(ids.map((_, i) => i))
    last = runs
  }
  expect(last).toBeGreaterThan(0)
})
