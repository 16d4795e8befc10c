import { abortAt, forSeeds } from 'syncline/testing'
import { describe, expect, test } from 'vitest'
import { World } from './harness.js'
import { seeds } from './seeds.js'

describe('aborted at any call, then resumed', () => {
  for (const storesState of [true, false]) {
    const name = storesState ? 'state stored with the data' : 'a state store beside it'

    test(`D7: everything is closed in order, published or withdrawn, ${name}`, async () => {
      await forSeeds(seeds(), async (random) => {
        const world = new World(random, { storesState })
        for (let aborts = random.int(1, 3); aborts > 0; aborts--) {
          const controller = new AbortController()
          const outcome = await world.run(
            abortAt(random.int(1, random.pick([60, 250, 500])), controller),
            controller.signal,
          )
          expect(outcome.kind).toBe('ended')
          if (outcome.kind === 'ended') expect(['cancelled', 'succeeded']).toContain(outcome.result.status)
          expect(world.unseemly()).toEqual([])
          expect(world.allViolations()).toEqual([])
          if (storesState && random.chance(0.5)) world.shop.live()
        }
        await world.runToSuccess()
        expect(world.differences({ refreshed: false })).toEqual([])
        world.shop.live()
        await world.runToSuccess()
        expect(world.differences()).toEqual([])
        expect(world.allViolations()).toEqual([])
      })
    })
  }
})
