import { describe, expect, test } from 'vitest'
import { aborted, expectSound } from './scenarios.js'
import { seeds } from './seeds.js'

describe('aborted at any call, then resumed', () => {
  for (const storesState of [true, false]) {
    const name = storesState ? 'state stored with the data' : 'a state store beside it'

    test(`D7 D8: everything is closed in order, published or withdrawn, ${name}`, async () => {
      await expect(expectSound(aborted, seeds(), { storesState })).resolves.toBeUndefined()
    })
  }
})
