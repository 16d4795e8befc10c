import fc from 'fast-check'
import { expect, test } from 'vitest'
import { advanceState, type IncrementalState } from '#src/connectors/postgres/state.js'
import type { Json } from '#src/model/json.js'
import type { SliceDone } from '#src/model/slice.js'

const done = (slice: string, position: unknown): SliceDone => ({
  type: 'slice_done',
  slice,
  records: 1,
  position: position as Json,
})

const compose = (state: Json | undefined, proofs: readonly SliceDone[]) =>
  proofs.reduce<Json | undefined>(
    (before, proof) => JSON.parse(JSON.stringify(advanceState(before, proof))) as Json,
    state,
  )

const rows = { by: 'row', columns: ['a'], hashes: '' } as const
const before = fc.constantFrom<Json | undefined>(
  undefined,
  null,
  { version: 1, mode: 'full_refresh', epoch: 'old', count: 3, done: [0, 2] },
  {
    version: 1,
    mode: 'incremental',
    cursor: { field: 'c', family: 'number' },
    plan: 'old',
    pending: { 0: { to: '5' } },
  },
)

test('advance: any order of the slices of a full refresh gives the same state', () => {
  fc.assert(
    fc.property(before, fc.integer({ min: 1, max: 12 }), fc.func(fc.nat()), (state, count, weight) => {
      const proofs = Array.from({ length: count }, (_, index) =>
        done(`p-${index}`, { mode: 'full_refresh', epoch: 'e', count, index }),
      )
      const shuffled = [...proofs].sort((a, b) => weight(a.slice) - weight(b.slice))
      expect(compose(state, shuffled)).toEqual(compose(state, proofs))
      expect(compose(state, [...proofs, proofs[0]!])).toEqual(compose(state, proofs))
    }),
  )
})

test('advance: any order of the slices of an incremental plan gives the same state; the last one leaves nothing pending', () => {
  fc.assert(
    fc.property(before, fc.integer({ min: 0, max: 8 }), fc.func(fc.nat()), (state, ranges, weight) => {
      const start: IncrementalState = {
        version: 1,
        mode: 'incremental',
        cursor: { field: 'c', family: 'number' },
        plan: 'new',
        boundary: { low: '10', high: '10', rows },
        pending: Object.fromEntries(
          Array.from({ length: ranges }, (_, i) => [i, { from: `${i}`, to: `${i + 1}`, before: true }]),
        ),
      }
      const boundary = { low: '20', high: '30', rows }
      const proofs = [
        ...Array.from({ length: ranges }, (_, range) => done(`new-${range}`, { mode: 'incremental', start, range })),
        done(`new-${ranges}`, { mode: 'incremental', start, boundary }),
      ]
      const shuffled = [...proofs].sort((a, b) => weight(a.slice) - weight(b.slice))
      for (let some = 1; some <= proofs.length; some++) {
        const part = shuffled.slice(0, some)
        const inOrder = proofs.filter((proof) => part.includes(proof))
        expect(compose(state, part)).toEqual(compose(state, inOrder))
      }
      expect(compose(state, shuffled)).toEqual({ ...start, boundary, pending: {} })
    }),
  )
})

test('advance: does not change the state that it is given', () => {
  const state = Object.freeze({
    version: 1,
    mode: 'full_refresh',
    epoch: 'e',
    count: 2,
    done: Object.freeze([0]),
  }) as unknown as Json
  expect(advanceState(state, done('p-1', { mode: 'full_refresh', epoch: 'e', count: 2, index: 1 }))).toMatchObject({
    done: [0, 1],
  })
  expect(state).toMatchObject({ done: [0] })
})
