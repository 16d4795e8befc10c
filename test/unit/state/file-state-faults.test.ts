import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import * as nodeFs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { fileStateStore, stateStoreInFiles } from '#src/state/file-state-store.js'
import { context, scope, stateOf } from './stores.js'

const directories: string[] = []
async function newDirectory(): Promise<string> {
  const directory = await nodeFs.mkdtemp(join(tmpdir(), 'syncline-state-'))
  directories.push(directory)
  return directory
}
afterAll(async () => {
  for (const directory of directories) await nodeFs.rm(directory, { recursive: true, force: true })
})

type Mode = 'before' | 'after'

/** A file system whose nth call fails, before or after it had its effect. As after a crash, no call after it has any. */
function failing(nth: number, mode: Mode) {
  let calls = 0
  let crashed = false
  const handles: nodeFs.FileHandle[] = []
  const call = async <T>(work: () => Promise<T>): Promise<T> => {
    if (crashed) throw fault()
    if (++calls !== nth) return work()
    crashed = true
    if (mode === 'after') await work()
    throw fault()
  }
  const fault = () => Object.assign(new Error('EIO: i/o error'), { code: 'EIO', syscall: 'write' })
  const fs = {
    readFile: nodeFs.readFile,
    mkdir: (...args: Parameters<typeof nodeFs.mkdir>) => call(() => nodeFs.mkdir(...args)),
    rename: (...args: Parameters<typeof nodeFs.rename>) => call(() => nodeFs.rename(...args)),
    unlink: (...args: Parameters<typeof nodeFs.unlink>) => call(() => nodeFs.unlink(...args)),
    async open(...args: Parameters<typeof nodeFs.open>) {
      const file = await call(async () => {
        const opened = await nodeFs.open(...args)
        handles.push(opened)
        return opened
      })
      return {
        // A write that fails has written a part.
        writeFile: (text: string) =>
          call(() => file.writeFile(text)).catch(async (error) => {
            await file.writeFile(text.slice(0, text.length / 2))
            throw error
          }),
        sync: () => call(() => file.sync()),
        close: async () => {},
      }
    },
  }
  return {
    fs: fs as unknown as typeof nodeFs,
    reached: () => calls >= nth,
    close: () => Promise.all(handles.map((each) => each.close())),
  }
}

describe('D1: a put that fails at any call leaves the old state or the new one', () => {
  test.each(['before', 'after'] as const)('%s its effect', async (mode) => {
    let nth = 1
    for (; ; nth++) {
      const directory = await newDirectory()
      const good = fileStateStore(directory)
      if (nth % 2 === 0) await good.put(scope, { state: stateOf(1), version: 0, run: 'a' }, context)
      const before = await good.get(scope, context)
      const { fs, reached, close } = failing(nth, mode)
      const next = { state: stateOf(2), version: before.version, run: 'b' }
      const outcome = await stateStoreInFiles(directory, fs)
        .put(scope, next, context)
        .then(
          () => 'done',
          (error: { code: string }) => error.code,
        )
      await close()
      const after = await good.get(scope, context)
      const written = { state: stateOf(2), version: before.version + 1, run: 'b' }
      if (outcome === 'done') expect(after).toEqual(written)
      else {
        expect(outcome).toBe('STATE_FAILED')
        expect([before, written]).toContainEqual(after)
      }
      // Whatever happened, the same put can be repeated.
      await good.put(scope, next, context)
      expect(await good.get(scope, context)).toEqual(written)
      if (!reached()) break
    }
    expect(nth).toBeGreaterThan(6)
  })
})

const child = fileURLToPath(new URL('../../fixtures/put-states.mjs', import.meta.url))

describe('D1: processes', () => {
  test('killed while they put, they leave whole states that go on', async () => {
    const directory = await newDirectory()
    const store = fileStateStore(directory)
    let confirmed = 0
    for (let round = 0; round < 12; round++) {
      const writer = fork(child, [directory, `run ${round}`], { silent: true })
      let said = 0
      writer.on('message', (version: number) => {
        said = version
      })
      await once(writer, 'message')
      // At a different point of its work each time.
      for (let i = 0; i < round * 3; i++) await new Promise((resolve) => setImmediate(resolve))
      writer.kill('SIGKILL')
      await once(writer, 'exit')
      const { version, state } = await store.get(scope, context)
      expect(version).toBeGreaterThanOrEqual(Math.max(said, confirmed))
      expect(state).toEqual(stateOf(version))
      confirmed = version
    }
    await store.put(scope, { state: stateOf(confirmed + 1), version: confirmed, run: 'last' }, context)
    expect((await store.get(scope, context)).version).toBe(confirmed + 1)
  })

  test('two at a time never write the same version', async () => {
    const directory = await newDirectory()
    const versions: number[] = []
    const writers: ChildProcess[] = []
    for (const name of ['one', 'two']) {
      const writer = fork(child, [directory, name, '40'], { silent: true })
      writer.on('message', (version: number) => versions.push(version))
      writers.push(writer)
    }
    await Promise.all(writers.map((writer) => once(writer, 'exit')))
    expect(writers.map((writer) => writer.exitCode)).toEqual([0, 0])
    expect(versions).toHaveLength(80)
    expect(new Set(versions).size).toBe(80)
    expect((await fileStateStore(directory).get(scope, context)).version).toBe(80)
  })
})
