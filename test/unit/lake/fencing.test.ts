import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { filesystemDestination, filesystemStore } from 'syncline/filesystem'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FaultyStore } from '../../fixtures/faulty-store.js'
import {
  LakeRun,
  lakeStream,
  linesLake,
  pendingFiles,
  restart,
  SCOPE,
  testContext,
  visibleIds,
} from '../../fixtures/lake-run.js'
import { tree } from '../../fixtures/read-lake.js'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'syncline-fencing-'))
})
afterEach(() => rm(directory, { recursive: true }))

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

describe('two runs', () => {
  test('the slower of two publishes of one version fails and leaves nothing, D9', async () => {
    const lake = linesLake(filesystemStore(directory))
    const zombie = await LakeRun.open(lake, lakeStream())
    const successor = await LakeRun.open(lake, lakeStream())
    const late = await zombie.piece(range(100, 105)).catch(() => undefined)
    await successor.publish([await successor.piece(range(0, 5))], range(0, 5))
    await expect(zombie.publish(late === undefined ? [] : [late], [9])).rejects.toMatchObject({
      code: 'STATE_CONFLICT',
      retry: 'manual',
    })
    await zombie.close()
    await successor.publish([await successor.piece(range(5, 7))], range(0, 7))
    await successor.close()
    expect(await visibleIds(directory)).toEqual(range(0, 7))
    expect(await pendingFiles(directory)).toEqual([])
  })

  test('a zombie whose files its successor dropped publishes nothing', async () => {
    const lake = linesLake(filesystemStore(directory))
    const zombie = await LakeRun.open(lake, lakeStream())
    const receipt = await zombie.piece(range(100, 105))
    const successor = await LakeRun.open(lake, lakeStream())
    await expect(zombie.publish([receipt], [9])).rejects.toMatchObject({ code: 'DESTINATION_GENERATION_LOST' })
    await successor.publish([await successor.piece([1])], [1])
    await successor.close()
    expect(await visibleIds(directory)).toEqual([1])
  })

  test('a zombie that wakes after its record was cleared away deletes its new one, STATE_CONFLICT', async () => {
    const store = filesystemStore(directory)
    const zombie = await LakeRun.open(linesLake(store), lakeStream())
    // Its publish is held up until a successor has come, published and cleared away version 1.
    const stream = lakeStream('orders', 'overwrite', 'full_refresh')
    const successor = await LakeRun.open(linesLake(store), stream)
    await successor.publish([await successor.piece([1])], [1], true)
    await successor.close()
    restart(stream)
    const next = await LakeRun.open(linesLake(store), stream)
    await next.publish([await next.piece([2])], [2], true)
    await next.close()
    await expect(zombie.publish([], [9])).rejects.toMatchObject({ code: 'STATE_CONFLICT' })
    expect((await tree(directory)).filter((path) => path.endsWith('.json'))).toEqual([
      '_syncline/shop/orders/000000000002.json',
      '_syncline/shop/orders/000000000002.settled.json',
    ])
    expect(await linesLake(store).recover!(SCOPE, testContext())).toMatchObject({ version: 2, state: { source: [2] } })
  })

  test('a run whose record was settled by another one is told that its publish counts', async () => {
    const store = filesystemStore(directory)
    const faulty = new FaultyStore(store)
    const slow = await LakeRun.open(linesLake(faulty.store), lakeStream())
    const receipt = await slow.piece(range(0, 3))
    let stopped = false
    const inner = faulty.store.list
    Object.assign(faulty.store, {
      async *list(...parameters: Parameters<typeof inner>) {
        // Between its record and its look for newer ones, another run settles it and publishes.
        if (!stopped && (await tree(directory)).some((path) => path.endsWith('000000000001.json'))) {
          stopped = true
          const other = await LakeRun.open(linesLake(store), lakeStream())
          await other.publish([await other.piece([7])], [0, 1, 2, 7])
          await other.close()
        }
        yield* inner(...parameters)
      },
    })
    await slow.publish([receipt], [0, 1, 2])
    expect(stopped).toBe(true)
    expect(await visibleIds(directory)).toEqual([0, 1, 2, 7])
    await slow.close()
  })

  test('files of two attempts and two runs never share a name', async () => {
    const lake = linesLake(filesystemStore(directory))
    const stream = lakeStream()
    const context = testContext()
    const run = await LakeRun.open(lake, stream, context)
    const slice = { id: 'same', streams: [{ name: 'orders' }], data: null }
    const keys = new Set<string>()
    for (const attempt of [1, 2]) {
      for (const at of [context, testContext()]) {
        const writer = await run.load.writer(slice, attempt, at)
        await writer.discard(at)
        keys.add(`${attempt}-${at.run}`)
      }
    }
    await run.publish([await run.piece([1]), await run.piece([2])], [1, 2])
    await run.close()
    const files = (await tree(directory)).filter((path) => path.endsWith('.lines'))
    expect(files).toHaveLength(2)
    for (const file of files) {
      expect(file).toContain(stream.generationId)
      expect(file).toContain(context.run)
    }
  })
})

describe('the courtesy lock', () => {
  test('a living run has the scope; another is told early, also in the same process', async () => {
    const first = await LakeRun.open(filesystemDestination({ directory }), lakeStream())
    const second = filesystemDestination({ directory })
    await expect(second.recover!(SCOPE, testContext())).rejects.toMatchObject({ code: 'STATE_LOCKED' })
    await expect(LakeRun.open(second, lakeStream())).rejects.toMatchObject({ code: 'STATE_LOCKED' })
    expect(await second.recover!({ ...SCOPE, scope: 'other' }, testContext())).toEqual({ version: 0 })
    await first.close()
    expect(await second.recover!(SCOPE, testContext())).toEqual({ version: 0 })
    expect(await tree(directory)).toEqual([])
  })

  test('a lock that a dead process left is taken over', async () => {
    const first = await LakeRun.open(filesystemDestination({ directory }), lakeStream())
    await first.close()
    const lake = filesystemDestination({ directory })
    const run = await LakeRun.open(lake, lakeStream())
    await run.publish([], [1])
    await run.close()
    const lock = join(directory, '_syncline/shop/orders/_lock')
    const { hostname } = await import('node:os')
    await writeFile(lock, JSON.stringify({ token: 'dead-token', pid: 2 ** 22 + 1, host: hostname(), started: null }))
    expect(await lake.recover!(SCOPE, testContext())).toMatchObject({ version: 1 })
  })
})
