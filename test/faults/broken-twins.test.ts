import { describe, expect, test } from 'vitest'
import * as broken from './broken-twins.js'
import type { WorldOptions } from './harness.js'
import { aborted, caught, epochLost, killed, passingFailure, type Scenario, twoAtOnce } from './scenarios.js'

// The same scenarios pass with honest parts: see kill, abort and retry.
const TWINS: readonly (readonly [string, Scenario, () => WorldOptions])[] = [
  ['D1 saves the state before the rows', killed, () => ({ breakDestination: broken.savesStateFirst })],
  ['D2 publishes the state of the last slice alone', killed, () => ({ breakSource: broken.keepsLastProofOnly })],
  [
    'D3 acknowledges before it publishes',
    killed,
    () => {
      const { source, destination } = broken.acknowledgesFirst()
      return { breakSource: source, breakDestination: destination }
    },
  ],
  ['D4 goes on with proofs of another epoch', epochLost, () => ({ breakSource: broken.ignoresLostEpochs })],
  ['D6 moves the cursor past ties', killed, () => ({ breakSource: broken.movesPastTies })],
  ['D7 forgets to discard', aborted, () => ({ breakDestination: broken.forgetsToDiscard })],
  ['D7 settles with the aborted signal', aborted, () => ({ breakDestination: broken.settlesWithAbortedSignal })],
  ['D8 swaps a full refresh before its end', killed, () => ({ breakDestination: broken.swapsBeforeTheEnd })],
  ['D9 ignores the version', twoAtOnce, () => ({ breakDestination: broken.ignoresVersions })],
  ['D9 reads a proved slice again', killed, () => ({ breakSource: broken.repeatsSlices })],
  ['D10 publishes past its receipts', killed, () => ({ breakDestination: broken.publishesPastItsReceipts })],
  ['D10 keeps what a failed attempt wrote', passingFailure, () => ({ breakDestination: broken.keepsWhatFailed })],
]

describe('a broken twin is caught', () => {
  test.each(TWINS)('%s', async (_name, scenario, options) => {
    const seeds = Array.from({ length: 30 }, (_, index) => index + 1)
    expect(await caught(scenario, seeds, options)).toMatch(/^seed/)
  })
})
