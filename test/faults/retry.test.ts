import { type ErrorCode, SynclineError } from 'syncline'
import { failAt, forSeeds, strikeAt } from 'syncline/testing'
import { describe, expect, test } from 'vitest'
import { World } from './harness.js'
import { seeds } from './seeds.js'

const fails = (code: ErrorCode) => () => new SynclineError(code, 'The test made this call fail.')

describe('a call fails once', () => {
  for (const storesState of [true, false]) {
    const name = storesState ? 'state stored with the data' : 'a state store beside it'

    test(`D1 D2 D3 D8 D9 D10: with an error that passes, the same run succeeds, ${name}`, async () => {
      await forSeeds(seeds(), async (random) => {
        const world = new World(random, { storesState })
        for (let run = 0; run < 3; run++) {
          const outcome = await world.run(
            failAt(random.int(1, random.pick([60, 250, 500])), fails('SOURCE_CONNECTION_LOST')),
          )
          if (outcome.kind === 'killed') continue
          const { streams } = outcome.result
          expect(streams.map(({ stream, status, error }) => [stream.name, status, error?.code])).toEqual(
            streams.map(({ stream }) => [stream.name, 'succeeded', undefined]),
          )
          expect(world.differences()).toEqual([])
          world.shop.live()
        }
        expect(world.allViolations()).toEqual([])
      })
    })
  }

  test('D4 D8 D9: with an error for a person, the next run goes on', async () => {
    await forSeeds(seeds(), async (random) => {
      const world = new World(random)
      for (let run = 0; run < 3; run++) {
        await world.run(failAt(random.int(1, random.pick([60, 250, 500])), fails('DESTINATION_PERMISSION_DENIED')))
        expect(world.unseemly()).toEqual([])
        if (random.chance(0.5)) world.shop.live()
      }
      await world.runToSuccess()
      expect(world.differences({ refreshed: false })).toEqual([])
      expect(world.allViolations()).toEqual([])
    })
  })
})

describe('an epoch ends while a run reads', () => {
  test('D4: unfinished copies begin a new generation, nothing is lost', async () => {
    await forSeeds(seeds(), async (random) => {
      const world = new World(random)
      const outcome = await world.run(
        strikeAt(random.int(1, 250), () => {
          world.shop.tables.endEpochs()
          world.shop.live()
        }),
      )
      expect(outcome.kind === 'ended' && outcome.result.status).toBe('succeeded')
      expect(world.unseemly()).toEqual([])
      await world.runToSuccess()
      expect(world.differences()).toEqual([])
      expect(world.allViolations()).toEqual([])
    })
  })
})
