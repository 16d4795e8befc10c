import * as nodeFs from 'node:fs/promises'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Json } from 'syncline'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { fileStateStore, stateStoreInFiles } from '#src/state/file-state-store.js'
import { stateFormat } from '#src/state/state-format.js'
import { context, scope, stateOf } from './stores.js'

let directory: string
const directories: string[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'syncline-state-'))
  directories.push(directory)
})
afterAll(async () => {
  for (const each of directories) await rm(each, { recursive: true, force: true })
})

async function files(): Promise<string[]> {
  const found = await readdir(directory, { recursive: true, withFileTypes: true })
  return found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

async function written(): Promise<{ path: string; text: string }> {
  await fileStateStore(directory).put(scope, { state: stateOf(1), version: 0, run: 'a' }, context)
  const [path, ...more] = await files()
  expect(more).toEqual([])
  return { path: path!, text: await readFile(path!, 'utf8') }
}

test('another store on the same directory goes on', async () => {
  await written()
  expect(await fileStateStore({ directory }).get(scope, context)).toEqual({ state: stateOf(1), version: 1, run: 'a' })
})

test('a directory is demanded', () => {
  expect(() => fileStateStore('')).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  expect(() => fileStateStore({} as never)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
})

describe('a damaged file', () => {
  test.each([
    ['empty', () => ''],
    ['cut', (text: string) => text.slice(0, text.length / 2)],
    ['of another kind', () => 'hello\nworld\n'],
    ['with one digit changed', (text: string) => text.replace('"cursor":1', '"cursor":2')],
    ['with a foreign header', (text: string) => text.replace('"syncline":"state"', '"syncline":"other"')],
    ['full of zeros', (text: string) => '\u0000'.repeat(text.length)],
  ])('%s is never an empty state', async (_, damage) => {
    const { path, text } = await written()
    await writeFile(path, damage(text))
    const store = fileStateStore(directory)
    await expect(store.get(scope, context)).rejects.toMatchObject({ code: 'STATE_CORRUPT' })
    await expect(store.put(scope, { state: stateOf(2), version: 1, run: 'b' }, context)).rejects.toMatchObject({
      code: 'STATE_CORRUPT',
    })
    expect(await readFile(path, 'utf8')).toBe(damage(text))
  })

  test('of another scope is told apart', async () => {
    const { path } = await written()
    const other = { ...scope, scope: 'public.items' }
    await fileStateStore(directory).put(other, { state: stateOf(2), version: 0, run: 'a' }, context)
    const second = (await files()).find((file) => file !== path)!
    await cp(path, second)
    await expect(fileStateStore(directory).get(other, context)).rejects.toMatchObject({ code: 'STATE_CORRUPT' })
  })
})

describe('formats', () => {
  test('the file of a newer syncline is refused and left alone', async () => {
    const { path } = await written()
    await writeFile(path, stateFormat(2, {}).encode({ ...scope, version: 1, run: 'a', state: stateOf(1) }))
    await expect(fileStateStore(directory).get(scope, context)).rejects.toMatchObject({
      code: 'STATE_VERSION_UNSUPPORTED',
    })
  })

  test('a file of format 1 is read by a syncline of format 2, and written back in it', async () => {
    const { path } = await written()
    await cp(fileURLToPath(new URL('../../fixtures/state-format-1.json', import.meta.url)), path)
    const rename = (body: Json) => {
      const { state, ...rest } = body as { state: { source: { cursor: number } } }
      return { ...rest, state: { ...state, source: { position: state.source.cursor } } }
    }
    const store = stateStoreInFiles(directory, undefined, stateFormat(2, { 1: rename }))
    const found = await store.get(scope, context)
    expect(found).toMatchObject({ version: 41, run: 'an old run', state: { source: { position: 1 } } })
    await store.put(scope, { state: found.state!, version: 41, run: 'a new run' }, context)
    expect((await readFile(path, 'utf8')).startsWith('{"syncline":"state","format":2,')).toBe(true)
    expect(await store.get(scope, context)).toEqual({ ...found, version: 42, run: 'a new run' })
  })

  test('the fixture is what this syncline reads', async () => {
    const { path } = await written()
    await cp(fileURLToPath(new URL('../../fixtures/state-format-1.json', import.meta.url)), path)
    expect(await fileStateStore(directory).get(scope, context)).toEqual({
      state: stateOf(1),
      version: 41,
      run: 'an old run',
    })
  })

  test('a step that is missing between formats is no state', async () => {
    await written()
    const store = stateStoreInFiles(directory, undefined, stateFormat(3, { 1: (body) => body }))
    await expect(store.get(scope, context)).rejects.toMatchObject({ code: 'STATE_CORRUPT' })
  })
})

test('a directory that cannot be made is reported with its reason', async () => {
  const { path } = await written()
  const store = fileStateStore(join(path, 'below a file'))
  await expect(store.put(scope, { state: stateOf(1), version: 0, run: 'a' }, context)).rejects.toMatchObject({
    code: 'STATE_FAILED',
    message: 'The state store failed: ENOTDIR.',
  })
})

test('a full disk is reported with what to do, and the state as it was is intact', async () => {
  await written()
  const full = async () => {
    throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC', syscall: 'open' })
  }
  const store = stateStoreInFiles(directory, { ...nodeFs, rename: full })
  await expect(store.put(scope, { state: stateOf(2), version: 1, run: 'b' }, context)).rejects.toMatchObject({
    code: 'STATE_FAILED',
    message: 'The state store failed: ENOSPC.',
    hint: expect.stringContaining('Make room on the disk'),
  })
  expect(await fileStateStore(directory).get(scope, context)).toEqual({ state: stateOf(1), version: 1, run: 'a' })
})
