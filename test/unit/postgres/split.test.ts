import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cut, quantiles } from '#src/connectors/postgres/incremental-split.js'

test('quantiles part a sample into parts of about equal size, at its own values', () => {
  const sample = Array.from({ length: 100 }, (_, i) => ({ value: `${i}`, records: 10 }))
  expect(quantiles(sample, 1000, 4)).toEqual(['25', '50', '75'])
  expect(quantiles(sample, 1000, 1)).toEqual([])
  expect(quantiles([], 0, 3)).toEqual([])
  expect(
    quantiles(
      [
        { value: 'a', records: 900 },
        { value: 'b', records: 100 },
      ],
      1000,
      10,
    ),
  ).toEqual(['b'])
})

test('the pieces of a cut range cover each of its values once', () => {
  const value = fc.integer({ min: 0, max: 50 })
  const ordered = fc.uniqueArray(value, { maxLength: 10 }).map((values) => values.sort((a, b) => a - b))
  fc.assert(
    fc.property(ordered, fc.boolean(), fc.boolean(), (cuts, open, before) => {
      const range = { ...(open ? {} : { from: '-5' }), to: '55', ...(before && { before: true as const }) }
      const pieces = cut(range, cuts.map(String))
      for (let candidate = -10; candidate <= 60; candidate++) {
        const inside = (piece: { from?: string; to: string; before?: true }) =>
          (piece.from === undefined || candidate >= Number(piece.from)) &&
          (piece.before ? candidate < Number(piece.to) : candidate <= Number(piece.to))
        expect(pieces.filter(inside)).toHaveLength(inside(range) ? 1 : 0)
      }
    }),
  )
})

test('only the first piece skips what was delivered', () => {
  const skip = { upTo: '3', rows: { by: 'key', columns: ['id'], hashes: '' } } as const
  expect(cut({ from: '1', to: '9', skip }, ['5']).map((piece) => piece.skip)).toEqual([skip, undefined])
})
