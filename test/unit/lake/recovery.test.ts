import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { filesystemStore } from 'syncline/filesystem'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Crash, type CrashPoint, FaultyStore } from '../../fixtures/faulty-store.js'
import {
  LakeRun,
  type LakeStream,
  lakeStream,
  linesLake,
  pendingFiles,
  restart,
  SCOPE,
  testContext,
  visibleIds,
} from '../../fixtures/lake-run.js'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'syncline-recovery-'))
})
afterEach(() => rm(directory, { recursive: true }))

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

/** Everything a scenario does to the lake happens here, so that it may crash at any call to the store. */
type Scenario = (run: (stream: LakeStream) => Promise<LakeRun>) => Promise<void>

/** How many calls a scenario makes that change something, with nothing going wrong. */
async function countCalls(scenario: Scenario): Promise<FaultyStore> {
  const place = await mkdtemp(join(tmpdir(), 'syncline-count-'))
  const faulty = new FaultyStore(filesystemStore(place))
  const lake = linesLake(faulty.store)
  await scenario((stream) => LakeRun.open(lake, stream))
  await rm(place, { recursive: true })
  return faulty
}

async function everyCrash(
  scenario: Scenario,
  check: (place: string, at: CrashPoint) => Promise<void>,
): Promise<number> {
  const { calls, names } = await countCalls(scenario)
  for (let call = 0; call < calls; call++) {
    for (const when of ['before', 'after'] as const) {
      const place = join(directory, `${call}-${when}`)
      const faulty = new FaultyStore(filesystemStore(place))
      faulty.crash = { call, when }
      const lake = linesLake(faulty.store)
      const outcome = await scenario((stream) => LakeRun.open(lake, stream)).catch((error: unknown) => error)
      // A crash while needless things are cleared away is no failure of a publish.
      if (outcome !== undefined && !(outcome instanceof Crash))
        throw new Error(`${when} ${names[call]}`, { cause: outcome })
      await check(place, { call, when })
    }
  }
  return calls
}

describe('a crash at every call to the store', () => {
  test('incremental append: each row is there once, and the state says which, D1 D4 D9 D10', async () => {
    const scenario: Scenario = async (open) => {
      const run = await open(lakeStream())
      await run.publish([await run.piece(range(0, 10)), await run.piece(range(10, 13))], range(0, 13))
      await run.publish([await run.piece(range(13, 20))], range(0, 20))
      await run.close()
    }
    const calls = await everyCrash(scenario, async (place) => {
      const lake = linesLake(filesystemStore(place))
      const next = await LakeRun.open(lake, lakeStream())
      const covered = (next.stored.state?.source ?? []) as number[]
      expect(await visibleIds(place)).toEqual(covered)
      expect(await pendingFiles(place)).toEqual([])
      // And it goes on from there.
      await next.publish([await next.piece(range(covered.length, 30))], range(0, 30))
      await next.close()
      expect(await visibleIds(place)).toEqual(range(0, 30))
    })
    expect(calls).toBeGreaterThan(20)
  })

  test('overwrite: a reader has the old rows or the new ones after recovery, never none, D8', async () => {
    let published = false
    const scenario: Scenario = async (open) => {
      published = false
      const stream = lakeStream('orders', 'overwrite', 'full_refresh')
      const first = await open(stream)
      await first.publish([await first.piece(range(0, 6))], [1], true)
      published = true
      await first.close()
      restart(stream)
      const second = await open(stream)
      await second.publish([await second.piece(range(100, 105))], [2])
      await second.publish([await second.piece(range(105, 109))], [3], true)
      await second.close()
    }
    await everyCrash(scenario, async (place) => {
      const lake = linesLake(filesystemStore(place))
      // Whoever reads the lake as the crash left it finds all of the old rows or all of the new ones.
      const seen = new Set(await visibleIds(place))
      const whole = [range(0, 6), range(100, 109)].some((rows) => rows.every((row) => seen.has(row)))
      expect(whole || !published).toBe(true)
      const { state, version } = await lake.recover!(SCOPE, testContext())
      const step = (state?.source as number[] | undefined)?.[0] ?? 0
      expect(await visibleIds(place)).toEqual([[], range(0, 6), range(0, 6), range(100, 109)][step])
      // What the open generation holds is found again, and completes.
      const saved = state?.streams['orders']
      const stream = lakeStream('orders', 'overwrite', 'full_refresh')
      if (saved?.open) Object.assign(stream, { generation: saved.generation, generationId: saved.generationId })
      const next = await LakeRun.open(lake, stream)
      expect(next.stored.version).toBe(version)
      await next.publish([await next.piece([999])], [4], true)
      await next.close()
      expect(await visibleIds(place)).toEqual(saved?.open ? [...range(100, 105), 999] : [999])
      expect(await pendingFiles(place)).toEqual([])
    })
  })

  test('a crash of the recovery itself changes nothing: the next one settles the same, D4', async () => {
    const interrupted: Scenario = async (open) => {
      const stream = lakeStream('orders', 'overwrite', 'full_refresh')
      const first = await open(stream)
      await first.publish([await first.piece(range(0, 6))], [1], true)
      await first.close()
      restart(stream)
      const second = await open(stream)
      await second.publish([await second.piece(range(100, 109))], [2], true)
    }
    const { names } = await countCalls(interrupted)
    const lastComplete = names.findLastIndex((name) => name.startsWith('complete'))
    for (let call = 0; call < 12; call++) {
      const place = join(directory, `recovery-${call}`)
      const dying = new FaultyStore(filesystemStore(place))
      dying.crash = { call: lastComplete, when: 'before' }
      await expect(interrupted((stream) => LakeRun.open(linesLake(dying.store), stream))).rejects.toThrow(Crash)
      const recovering = new FaultyStore(filesystemStore(place))
      recovering.crash = { call, when: call % 2 === 0 ? 'before' : 'after' }
      await linesLake(recovering.store).recover!(SCOPE, testContext()).catch(() => {})
      const stored = await linesLake(filesystemStore(place)).recover!(SCOPE, testContext())
      expect(stored).toMatchObject({ version: 2, state: { source: [2] } })
      expect(await visibleIds(place)).toEqual(range(100, 109))
    }
  })
})

describe('uploads that are gone', () => {
  test('a publish whose upload was purged is rolled back to the state before, D10', async () => {
    const store = filesystemStore(directory)
    const first = await LakeRun.open(linesLake(store), lakeStream())
    await first.publish([await first.piece(range(0, 3))], range(0, 3))
    await first.close()
    const faulty = new FaultyStore(store)
    const second = await LakeRun.open(linesLake(faulty.store), lakeStream())
    const receipts = [await second.piece(range(3, 7)), await second.piece(range(7, 9))]
    let completions = 0
    faulty.before = async (name, ref) => {
      if (name === 'complete' && ++completions === 2) await store.abort(ref as never, testContext())
    }
    await expect(second.publish(receipts, range(0, 9))).rejects.toMatchObject({ code: 'DESTINATION_GENERATION_LOST' })
    await second.close()

    const third = await LakeRun.open(linesLake(store), lakeStream())
    expect(third.stored).toMatchObject({ version: 3, state: { source: range(0, 3) } })
    expect(await visibleIds(directory)).toEqual(range(0, 3))
    await third.publish([await third.piece(range(3, 9))], range(0, 9))
    await third.close()
    expect(await visibleIds(directory)).toEqual(range(0, 9))
  })

  test('a generation whose pending files were purged begins anew, and the old data stays, D4 D8', async () => {
    const store = filesystemStore(directory)
    const stream = lakeStream('orders', 'overwrite', 'full_refresh')
    const first = await LakeRun.open(linesLake(store), stream)
    await first.publish([await first.piece(range(0, 3))], [1], true)
    await first.close()
    restart(stream)
    const second = await LakeRun.open(linesLake(store), stream)
    await second.publish([await second.piece(range(10, 13))], [2])
    await second.close()
    for (const path of await pendingFiles(directory)) await rm(join(directory, path))
    await expect(LakeRun.open(linesLake(store), stream)).rejects.toMatchObject({
      code: 'DESTINATION_GENERATION_LOST',
      retry: 'automatic',
    })
    expect(await visibleIds(directory)).toEqual(range(0, 3))
    restart(stream)
    const third = await LakeRun.open(linesLake(store), stream)
    await third.publish([await third.piece(range(20, 23))], [3], true)
    await third.close()
    expect(await visibleIds(directory)).toEqual(range(20, 23))
  })

  test('a generation that was half completed when one of its files went is rolled back and begins anew, D8 D10', async () => {
    const store = filesystemStore(directory)
    const faulty = new FaultyStore(store)
    const stream = lakeStream('orders', 'overwrite', 'full_refresh')
    const first = await LakeRun.open(linesLake(store), stream)
    await first.publish([await first.piece(range(0, 3))], [1], true)
    await first.close()
    restart(stream)
    const second = await LakeRun.open(linesLake(faulty.store), stream)
    await second.publish([await second.piece(range(10, 13))], [2])
    const last = await second.piece(range(13, 15))
    let completions = 0
    faulty.before = async (name, ref) => {
      if (name === 'complete' && ++completions === 2) await store.abort(ref as never, testContext())
    }
    await expect(second.publish([last], [3], true)).rejects.toMatchObject({ code: 'DESTINATION_GENERATION_LOST' })
    await second.close()
    const stored = await linesLake(store).recover!(SCOPE, testContext())
    expect(stored).toMatchObject({ version: 4, state: { source: [2], streams: { orders: { open: true } } } })
    expect(await visibleIds(directory)).toEqual(range(0, 3))
    stream.open = true
    await expect(LakeRun.open(linesLake(store), stream)).rejects.toMatchObject({ code: 'DESTINATION_GENERATION_LOST' })
  })
})
