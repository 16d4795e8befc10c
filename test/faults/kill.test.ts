import { forSeeds, killAt } from 'syncline/testing'
import { describe, expect, test } from 'vitest'
import { World, type WorldOptions } from './harness.js'
import { seeds } from './seeds.js'

async function killAndGoOn(
  random: Parameters<Parameters<typeof forSeeds>[1]>[0],
  options: WorldOptions,
): Promise<void> {
  const world = new World(random, options)
  for (let kills = random.int(1, 4); kills > 0; kills--) {
    // A run of this size has a few hundred moments; a kill that comes too late is a clean run.
    await world.run(killAt(random.int(1, random.pick([60, 250, 800]))))
    expect(world.unseemly()).toEqual([])
    if (world.storesState && random.chance(0.7)) world.shop.live()
    if (random.chance(0.3)) world.shop.tables.endEpochs()
  }
  await world.runToSuccess()
  expect(world.differences({ refreshed: false })).toEqual([])
  world.shop.live()
  await world.runToSuccess()
  expect(world.differences()).toEqual([])
  expect(world.allViolations()).toEqual([])
}

describe('killed at any call, then resumed', () => {
  test('D1 D2 D3 D4 D8 D9 D10: state stored with the data: nothing lost, nothing doubled', async () => {
    await forSeeds(seeds(40), (random) => killAndGoOn(random, { storesState: true }))
  })

  test('D1 D2 D3 D4 D8 D10: a state store beside it: nothing lost, what is repeated has the same row ids', async () => {
    await forSeeds(seeds(), (random) => killAndGoOn(random, { storesState: false }))
  })
})
