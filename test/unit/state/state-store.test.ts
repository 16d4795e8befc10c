import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StateStore } from 'syncline'
import { afterAll, describe, expect, test } from 'vitest'
import { fileStateStore } from '#src/state/file-state-store.js'
import { memoryStateStore } from '#src/state/memory-state-store.js'
import { context, scope, stateOf } from './stores.js'

const directories: string[] = []
const stores: readonly (readonly [string, () => Promise<StateStore>])[] = [
  ['memoryStateStore', async () => memoryStateStore()],
  [
    'fileStateStore',
    async () => {
      const directory = await mkdtemp(join(tmpdir(), 'syncline-state-'))
      directories.push(directory)
      return fileStateStore({ directory: join(directory, 'not', 'there', 'yet') })
    },
  ],
]

afterAll(async () => {
  for (const directory of directories) await rm(directory, { recursive: true })
})

describe.each(stores)('%s', (_, create) => {
  test('a scope that nobody wrote has version 0 and no state', async () => {
    expect(await (await create()).get(scope, context)).toEqual({ version: 0 })
  })

  test('keeps what was put, with its version and run', async () => {
    const store = await create()
    await store.put(scope, { state: stateOf(1), version: 0, run: 'a' }, context)
    expect(await store.get(scope, context)).toEqual({ state: stateOf(1), version: 1, run: 'a' })
    await store.put(scope, { state: stateOf(2), version: 1, run: 'b' }, context)
    expect(await store.get(scope, context)).toEqual({ state: stateOf(2), version: 2, run: 'b' })
  })

  test('a put from another version changes nothing', async () => {
    const store = await create()
    await store.put(scope, { state: stateOf(1), version: 0, run: 'a' }, context)
    for (const version of [0, 2, 7]) {
      await expect(store.put(scope, { state: stateOf(9), version, run: 'b' }, context)).rejects.toMatchObject({
        code: 'STATE_CONFLICT',
      })
    }
    expect(await store.get(scope, context)).toEqual({ state: stateOf(1), version: 1, run: 'a' })
  })

  test('a put that is repeated succeeds and happens once', async () => {
    const store = await create()
    const put = { state: stateOf(1), version: 0, run: 'a' }
    await store.put(scope, put, context)
    await store.put(scope, put, context)
    expect((await store.get(scope, context)).version).toBe(1)
  })

  test('of puts at the same time one wins', async () => {
    const store = await create()
    const puts = Array.from({ length: 8 }, (_, i) =>
      store.put(scope, { state: stateOf(i), version: 0, run: `run ${i}` }, context).then(
        () => i,
        (error: { code: string }) => error.code,
      ),
    )
    const outcomes = await Promise.all(puts)
    const winners = outcomes.filter((outcome) => typeof outcome === 'number')
    expect(winners).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome === 'STATE_CONFLICT')).toHaveLength(7)
    expect(await store.get(scope, context)).toEqual({
      state: stateOf(winners[0]!),
      version: 1,
      run: `run ${winners[0]}`,
    })
  })

  test('scopes and pipelines are independent, whatever their names', async () => {
    const store = await create()
    const names = [
      'a',
      'A',
      'a.',
      'a/b',
      '../a',
      '..',
      'con',
      'a\u0000b',
      '',
      ' ',
      'é',
      'e\u0301',
      '𝒳',
      'x'.repeat(5000),
      `${'x'.repeat(4999)}y`,
    ]
    const scopes = names.flatMap((pipeline) => names.map((name) => ({ pipeline, scope: name })))
    for (const [i, each] of scopes.entries()) {
      await store.put(each, { state: stateOf(i), version: 0, run: 'a' }, context)
    }
    for (const [i, each] of scopes.entries()) expect((await store.get(each, context)).state).toEqual(stateOf(i))
  })

  test('what the host does with an object afterwards does not matter', async () => {
    const store = await create()
    const state = structuredClone(stateOf(1))
    await store.put(scope, { state, version: 0, run: 'a' }, context)
    ;(state as { source: unknown }).source = 'changed'
    const found = await store.get(scope, context)
    ;(found as { version: number }).version = 99
    expect(await store.get(scope, context)).toEqual({ state: stateOf(1), version: 1, run: 'a' })
  })

  test('every value of a state comes back as it was', async () => {
    const store = await create()
    const state = {
      ...stateOf(1),
      source: { text: 'é\u2028"\\', deep: [null, true, 1e21, -0.5, { '': [] }], __proto__: { a: 1 } },
    }
    await store.put(scope, { state, version: 0, run: 'a' }, context)
    expect((await store.get(scope, context)).state).toEqual(state)
  })

  test('one holder of the lock of a scope at a time', async () => {
    const store = await create()
    const lock = await store.acquire!(scope, context)
    await expect(store.acquire!(scope, context)).rejects.toMatchObject({ code: 'STATE_LOCKED' })
    const other = await store.acquire!({ ...scope, scope: 'public.items' }, context)
    await other.release()
    await lock.release()
    const next = await store.acquire!(scope, context)
    await lock.release()
    await expect(store.acquire!(scope, context)).rejects.toMatchObject({ code: 'STATE_LOCKED' })
    await next.release()
  })

  test('an aborted signal stops a call before it begins', async () => {
    const store = await create()
    const aborted = { ...context, signal: AbortSignal.abort(new Error('enough')) }
    await expect(store.get(scope, aborted)).rejects.toThrow('enough')
    await expect(store.put(scope, { state: stateOf(1), version: 0, run: 'a' }, aborted)).rejects.toThrow('enough')
    expect(await store.get(scope, context)).toEqual({ version: 0 })
  })
})
