import { type CallDetails, CallModel, type CallName, type CallPhase } from 'syncline/testing'
import { describe, expect, test } from 'vitest'

type Call = readonly [CallName, CallPhase, CallDetails?]

const R = { reading: 1 }
const READ = { reading: 1, slice: 's' }
const L = { load: 1, scope: 'a' }
const W = { load: 1, scope: 'a', slice: 's', attempt: 1 }
const around = (name: CallName, details: CallDetails): Call[] => [
  [name, 'before', details],
  [name, 'after', details],
]

const OPEN: readonly Call[] = [
  ...around('destination.recover', { scope: 'a' }),
  ...around('source.open', { reading: 1, scopes: ['a'] }),
  ...around('destination.open', L),
  ['reading.slices', 'before', R],
]
const WRITTEN: readonly Call[] = [
  ...around('load.writer', W),
  ['reading.read', 'before', READ],
  ...around('reading.read.next', READ),
  ...around('writer.write', W),
  ['writer.seal', 'before', W],
  ['writer.seal', 'after', { ...W, piece: 'p' }],
]
const PUBLISHED: readonly Call[] = around('load.publish', { ...L, version: 0, pieces: ['p'], state: { at: 1 } })
const ACKNOWLEDGED: readonly Call[] = around('reading.acknowledge', { ...R, scope: 'a', state: { at: 1 } })
const READ_END: readonly Call[] = [['reading.read.return', 'after', READ], ...around('writer.discard', W)]
const CLOSED: readonly Call[] = [...around('load.close', L), ...around('reading.close', R)]
const WHOLE: readonly Call[] = [...OPEN, ...WRITTEN, ...READ_END, ...PUBLISHED, ...ACKNOWLEDGED, ...CLOSED]

function violations(calls: readonly Call[]): readonly string[] {
  const model = new CallModel()
  for (const [name, phase, details = {}] of calls) void model.onCall(name, phase, details)
  return model.finish()
}

const without = (name: CallName) => WHOLE.filter(([other]) => other !== name)

describe('the model of calls', () => {
  test('takes a whole run', () => {
    expect(violations(WHOLE)).toEqual([])
  })

  test('takes a next piece while a publish runs', () => {
    const [begin, end] = PUBLISHED as [Call, Call]
    const calls = [...OPEN, ...WRITTEN, begin, ...around('writer.write', W), end, ...READ_END, ...CLOSED]
    expect(violations(calls)).toEqual([])
  })

  test.each<[string, readonly Call[], RegExp]>([
    ['a source that is opened before the state was read', without('destination.recover'), /before its state was read/],
    ['a writer that is never discarded', without('writer.discard'), /writer of s .* is idle at the end/],
    ['a load that is never closed', without('load.close'), /load 1 of a is open at the end/],
    ['a reading that is never closed', without('reading.close'), /reading 1 is sliced at the end/],
    ['a piece that was not sealed', without('writer.seal'), /not sealed/],
    [
      'D3: an acknowledgement before the publish',
      [...OPEN, ...WRITTEN, ...ACKNOWLEDGED, ...PUBLISHED, ...READ_END, ...CLOSED],
      /not published/,
    ],
    [
      'an acknowledgement of another state',
      [
        ...OPEN,
        ...WRITTEN,
        ...PUBLISHED,
        ...around('reading.acknowledge', { ...R, scope: 'a', state: { at: 2 } }),
        ...READ_END,
        ...CLOSED,
      ],
      /not published/,
    ],
    [
      'two publishes at a time',
      [...OPEN, ...WRITTEN, PUBLISHED[0]!, PUBLISHED[0]!, ...READ_END, ...CLOSED],
      /publish on load 1 of a while publishing/,
    ],
    [
      'a piece that is published twice',
      [
        ...OPEN,
        ...WRITTEN,
        ...PUBLISHED,
        ...around('load.publish', { ...L, version: 1, pieces: ['p'], state: null }),
        ...READ_END,
        ...CLOSED,
      ],
      /a piece twice/,
    ],
    [
      'D2: a version that is left out',
      [
        ...OPEN,
        ...WRITTEN,
        ...PUBLISHED,
        ...around('load.publish', { ...L, version: 2, pieces: [], state: null }),
        ...READ_END,
        ...CLOSED,
      ],
      /version 2 after 0/,
    ],
    [
      'a write while another runs',
      [...OPEN, ...around('load.writer', W), ['writer.write', 'before', W], ['writer.write', 'before', W]],
      /write on writer of s .* while writing/,
    ],
    [
      'a write after the discard',
      [...OPEN, ...WRITTEN, ...READ_END, ...around('writer.write', W), ...CLOSED],
      /write on writer of s .* while gone/,
    ],
    [
      'a load that is closed while it publishes',
      [...OPEN, ...WRITTEN, ...READ_END, PUBLISHED[0]!, ['load.close', 'before', L]],
      /close on load 1 of a while publishing/,
    ],
    [
      'D7: a reading that is closed before its loads',
      [...OPEN, ...around('reading.close', R), ...around('load.close', L)],
      /ends or begins while load 1 of a is open/,
    ],
    ['slices that are asked for twice', [...OPEN, ['reading.slices', 'before', R]], /slices on reading 1 while sliced/],
    [
      'a slice that is read twice at a time',
      [...OPEN, ['reading.read', 'before', READ], ['reading.read', 'before', READ]],
      /read already/,
    ],
    [
      'two pulls at a time',
      [
        ...OPEN,
        ['reading.read', 'before', READ],
        ['reading.read.next', 'before', READ],
        ['reading.read.next', 'before', READ],
      ],
      /pull on read of s .* while pulling/,
    ],
  ])('tells of %s', (_what, calls, violation) => {
    expect(violations(calls).join('\n')).toMatch(violation)
  })

  test('D7: tells of what is begun after an abort', () => {
    const model = new CallModel()
    for (const [name, phase, details = {}] of OPEN) void model.onCall(name, phase, details)
    model.abort()
    void model.onCall('load.writer', 'before', W)
    expect(model.violations.join()).toMatch(/after the abort/)
  })
})
