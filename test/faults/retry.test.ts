import { describe, expect, test } from 'vitest'
import { epochLost, expectSound, generationLost, lastingFailure, passingFailure, twoAtOnce } from './scenarios.js'
import { seeds } from './seeds.js'

describe('a call fails once', () => {
  for (const storesState of [true, false]) {
    const name = storesState ? 'state stored with the data' : 'a state store beside it'

    test(`D1 D2 D3 D8 D9 D10: with an error that passes, the same run succeeds, ${name}`, async () => {
      await expect(expectSound(passingFailure, seeds(), { storesState })).resolves.toBeUndefined()
    })

    test(`D4 D8 D10: with an error for a person, the next run goes on, ${name}`, async () => {
      await expect(expectSound(lastingFailure, seeds(), { storesState })).resolves.toBeUndefined()
    })
  }
})

describe('an epoch ends while a run reads', () => {
  test('D4: unfinished copies begin a new generation, nothing is lost', async () => {
    await expect(expectSound(epochLost, seeds())).resolves.toBeUndefined()
  })
})

describe('a destination loses what an open generation holds', () => {
  test('D1 D4 D8: its streams begin a new generation', async () => {
    await expect(expectSound(generationLost, seeds())).resolves.toBeUndefined()
  })
})

describe('two processes run one pipeline at once', () => {
  test('D4 D9: the version lets one of them publish, nothing is doubled', async () => {
    await expect(expectSound(twoAtOnce, seeds())).resolves.toBeUndefined()
  })
})
