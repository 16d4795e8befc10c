import { describe, expect, test } from 'vitest'
import { expectSound, killed } from './scenarios.js'
import { seeds } from './seeds.js'

describe('killed at any call, then resumed', () => {
  test('D1 D2 D3 D4 D6 D8 D9 D10: state stored with the data: nothing lost, nothing doubled', async () => {
    await expect(expectSound(killed, seeds(40))).resolves.toBeUndefined()
  })

  test('D1 D2 D3 D4 D6 D10: a state store beside it: nothing lost, what is repeated has the same row ids', async () => {
    await expect(expectSound(killed, seeds(), { storesState: false })).resolves.toBeUndefined()
  })
})
