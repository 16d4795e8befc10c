import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { acquireProcessLock, type ProcessLock } from '#src/util/process-lock.js'

let directory: string
let path: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'syncline-lock-'))
  path = join(directory, 'lock')
})
afterEach(async () => {
  await rm(directory, { recursive: true })
})

async function acquired(): Promise<ProcessLock> {
  const lock = await acquireProcessLock(path)
  if (lock === 'held') throw new Error('The lock is held.')
  return lock
}

/** A lock file as a holder leaves it that did not release. */
async function left(owner: Partial<{ pid: number; host: string; started: string | null }>, age = 0): Promise<void> {
  const { pid = process.pid, host = hostname(), started = null } = owner
  await writeFile(path, JSON.stringify({ token: 'f00d0000-left-behind', pid, host, started }))
  const then = new Date(Date.now() - age)
  await utimes(path, then, then)
}

async function deadPid(): Promise<number> {
  const child = fork(fileURLToPath(new URL('../../fixtures/exit.mjs', import.meta.url)))
  await once(child, 'exit')
  return child.pid!
}

test('one holder at a time, also within a process', async () => {
  const lock = await acquired()
  expect(await acquireProcessLock(path)).toBe('held')
  await lock.release()
  const next = await acquired()
  await lock.release()
  expect(await acquireProcessLock(path)).toBe('held')
  await next.release()
})

test('of many at once one gets it, and no file is left but its own', async () => {
  const outcomes = await Promise.all(Array.from({ length: 20 }, () => acquireProcessLock(path)))
  expect(outcomes.filter((outcome) => outcome !== 'held')).toHaveLength(1)
  expect(await readdir(directory)).toEqual(['lock'])
})

test('a lock of a dead process is taken over, by one', async () => {
  await left({ pid: await deadPid() })
  const outcomes = await Promise.all(Array.from({ length: 20 }, () => acquireProcessLock(path)))
  expect(outcomes.filter((outcome) => outcome !== 'held')).toHaveLength(1)
  expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ pid: process.pid })
  expect(await readdir(directory)).toEqual(['lock'])
})

test('a late one that saw the dead lock does not replace the one that took it over', async () => {
  const pid = await deadPid()
  for (let round = 0; round < 10; round++) {
    await rm(path, { force: true })
    await left({ pid })
    // Beginning one after the other, so that they meet at every point of a takeover.
    const outcomes: Promise<ProcessLock | 'held'>[] = []
    for (let i = 0; i < 60; i++) {
      outcomes.push(acquireProcessLock(path))
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect((await Promise.all(outcomes)).filter((outcome) => outcome !== 'held')).toHaveLength(1)
  }
})

test('a lock of a process that still lives is not', async () => {
  await left({ pid: process.ppid })
  expect(await acquireProcessLock(path)).toBe('held')
})

test.runIf(process.platform === 'linux')('a lock of a process whose id is in use again is taken over', async () => {
  await left({ pid: process.ppid, started: 'another boot/1' })
  await (await acquired()).release()
})

test('a claim to a dead lock that its claimer left is taken over too', async () => {
  const pid = await deadPid()
  await left({ pid })
  await writeFile(`${path}.f00d0000`, JSON.stringify({ token: 'beef0000-claim', pid, host: hostname(), started: null }))
  await (await acquired()).release()
  expect(await readdir(directory)).toEqual([])
})

test('a holder on another host lives as long as it gives signs of life', async () => {
  await left({ host: 'elsewhere', pid: 1 }, 30_000)
  expect(await acquireProcessLock(path)).toBe('held')
  await left({ host: 'elsewhere', pid: 1 }, 3_600_000)
  await (await acquired()).release()
})

test('a file that is no lock counts as one that is being written, for a while', async () => {
  await writeFile(path, '')
  expect(await acquireProcessLock(path)).toBe('held')
  const then = new Date(Date.now() - 3_600_000)
  await utimes(path, then, then)
  await (await acquired()).release()
})

test('a lock that was taken over is not released by its former holder', async () => {
  const lock = await acquired()
  await left({ pid: process.ppid })
  await lock.release()
  expect(await acquireProcessLock(path)).toBe('held')
})

test('a directory that is missing is the error of the file system', async () => {
  await expect(acquireProcessLock(join(directory, 'missing', 'lock'))).rejects.toMatchObject({ code: 'ENOENT' })
})
