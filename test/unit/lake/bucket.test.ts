import { describe, expect, test } from 'vitest'
import { BucketStore } from '../../fixtures/bucket-store.js'
import { Crash, FaultyStore } from '../../fixtures/faulty-store.js'
import { LakeRun, lakeStream, linesLake, restart, SCOPE, testContext } from '../../fixtures/lake-run.js'

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

/** Appends, then replaces all of it by a full refresh that takes two publishes. */
async function scenario(store: FaultyStore['store']): Promise<void> {
  const lake = linesLake(store)
  const stream = lakeStream()
  const first = await LakeRun.open(lake, stream)
  await first.publish([await first.piece(range(0, 6))], [1])
  await first.close()
  Object.assign(stream, { syncMode: 'full_refresh', destinationSyncMode: 'overwrite' })
  restart(stream)
  const second = await LakeRun.open(lake, stream)
  await second.publish([await second.piece(range(100, 105))], [2])
  await second.publish([await second.piece(range(105, 109))], [3], true)
  await second.close()
}

describe.each([{ strongListing: true }, { strongListing: false }])(
  'a lake on multipart uploads, %j',
  (capabilities) => {
    test('a crash at any call leaves what the state covers, and no upload that costs, D1 D4 D8 D9 D10', async () => {
      const counting = new FaultyStore(new BucketStore(capabilities).store)
      await scenario(counting.store)
      for (let call = 0; call < counting.calls; call++) {
        for (const when of ['before', 'after'] as const) {
          const bucket = new BucketStore(capabilities)
          const faulty = new FaultyStore(bucket.store)
          faulty.crash = { call, when }
          const outcome = await scenario(faulty.store).catch((error: unknown) => error)
          if (outcome !== undefined) expect(outcome).toBeInstanceOf(Crash)
          const { state } = await linesLake(bucket.store).recover!(SCOPE, testContext())
          const step = (state?.source as number[] | undefined)?.[0] ?? 0
          expect(bucket.ids(), `${when} ${counting.names[call]}`).toEqual(
            [[], range(0, 6), range(0, 6), range(100, 109)][step],
          )
          const open = state?.streams['orders']?.open === true
          // One that was begun and has no part yet is in no journal, and costs nothing.
          const costing = [...bucket.uploads.values()].filter((parts) => parts.length > 0)
          expect(costing.length, `${when} ${counting.names[call]}`).toBe(open ? 2 : 0)
        }
      }
    })

    test('uploads that the store purged are taken back, and nothing is lost, D10', async () => {
      const bucket = new BucketStore(capabilities)
      const lake = linesLake(bucket.store)
      const first = await LakeRun.open(lake, lakeStream())
      await first.publish([await first.piece(range(0, 3))], range(0, 3))
      const receipts = [await first.piece(range(3, 7)), await first.piece(range(7, 9))]
      bucket.uploads.clear()
      await expect(first.publish(receipts, range(0, 9))).rejects.toMatchObject({ code: 'DESTINATION_GENERATION_LOST' })
      await first.close()
      const second = await LakeRun.open(lake, lakeStream())
      expect(second.stored).toMatchObject({ version: 1, state: { source: range(0, 3) } })
      await second.publish([await second.piece(range(3, 9))], range(0, 9))
      await second.close()
      expect(bucket.ids()).toEqual(range(0, 9))
    })
  },
)
