import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { writeNumeric } from '#src/connectors/postgres/decode-numeric.js'
import { decimalText } from '#src/model/decimal.js'
import { int16, numeric, specialNumeric } from './binary-copy.js'

function decode(bytes: Buffer, precision: number, scale: number): string | undefined {
  // Not at the beginning of anything, so that a wrong base shows.
  const placed = Buffer.concat([Buffer.alloc(3, 0xff), bytes])
  const view = new DataView(placed.buffer, placed.byteOffset, placed.length)
  const words = new Int32Array(12)
  const fits = writeNumeric(view, 3, precision, scale, words, 4)
  expect([...words.subarray(0, 4), ...words.subarray(8)]).toEqual(Array(8).fill(0))
  return fits ? decimalText(new Uint32Array(words.buffer, 16, 4), scale) : undefined
}

function textOf(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
  return unscaled < 0n ? `-${text}` : text
}

const shaped = fc
  .integer({ min: 1, max: 38 })
  .chain((precision) => fc.tuple(fc.constant(precision), fc.integer({ min: 0, max: precision })))
  .chain(([precision, scale]) => {
    const limit = 10n ** BigInt(precision) - 1n
    const zeros = fc.integer({ min: 0, max: precision }).map((count) => 10n ** BigInt(count))
    const value = fc.tuple(fc.bigInt({ min: -limit, max: limit }), zeros).map(([n, unit]) => (n / unit) * unit)
    return fc.record({ precision: fc.constant(precision), scale: fc.constant(scale), unscaled: value })
  })

describe('binary numeric to Decimal128', () => {
  it('keeps every digit of every precision and scale', () => {
    fc.assert(
      fc.property(shaped, ({ precision, scale, unscaled }) => {
        expect(decode(numeric(unscaled, scale), precision, scale)).toBe(textOf(unscaled, scale))
      }),
      { numRuns: 5000 },
    )
  })

  it('keeps the limits of each precision', () => {
    for (let precision = 1; precision <= 38; precision++) {
      for (let scale = 0; scale <= precision; scale++) {
        for (const unscaled of [10n ** BigInt(precision) - 1n, 10n ** BigInt(precision - 1), 1n, 0n]) {
          expect(decode(numeric(unscaled, scale), precision, scale)).toBe(textOf(unscaled, scale))
          expect(decode(numeric(-unscaled, scale), precision, scale)).toBe(textOf(-unscaled, scale))
        }
      }
    }
  })

  it('carries through all words when it negates', () => {
    for (const bits of [32n, 64n, 96n]) {
      for (const near of [-1n, 0n, 1n]) {
        const value = -(2n ** bits + near)
        expect(decode(numeric(value, 0), 38, 0)).toBe(value.toString())
      }
    }
  })

  it('takes a value with fewer digits behind the point than the column has', () => {
    expect(decode(numeric(15n, 1), 10, 4)).toBe('1.5000')
    expect(decode(numeric(15n, 1), 38, 20)).toBe('1.50000000000000000000')
  })

  it('refuses what a decimal cannot hold', () => {
    for (const sign of [0xc000, 0xd000, 0xf000] as const) expect(decode(specialNumeric(sign), 15, 2)).toBeUndefined()
    expect(decode(numeric(12345n, 4), 15, 2)).toBeUndefined()
    expect(decode(numeric(123_456_789_012n, 8), 15, 2)).toBeUndefined()
    expect(decode(numeric(10n ** 20n + 1n, 4), 38, 3)).toBeUndefined()
    expect(decode(numeric(10n ** 39n, 0), 38, 0)).toBeUndefined()
    expect(decode(numeric(2n ** 127n, 0), 38, 0)).toBeUndefined()
    // A weight far beyond the precision, as no server sends it.
    expect(decode(Buffer.concat([int16(1), int16(30_000), int16(0), int16(0), int16(1)]), 15, 2)).toBeUndefined()
  })
})
