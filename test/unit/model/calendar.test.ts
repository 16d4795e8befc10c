import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dateText, parseDate, parseTimestamp, timestampText, timeText } from '#src/model/calendar.js'

describe('dates', () => {
  it('agree with JavaScript where it has them', () => {
    fc.assert(
      fc.property(fc.date({ noInvalidDate: true }), (date) => {
        const days = Math.floor(date.getTime() / 86_400_000)
        expect(dateText(days)).toBe(date.toISOString().replace(/T.*/, ''))
        expect(parseDate(dateText(days))).toBe(days)
      }),
    )
  })

  it('reach as far as those of PostgreSQL', () => {
    // Julian days 0 and 2147483493 less the Julian day of 1970-01-01.
    expect(dateText(-2_440_588)).toBe('-004713-11-24')
    expect(dateText(2_145_042_905)).toBe('+5874897-12-31')
    expect(parseDate('4714-11-24 BC')).toBe(-2_440_588)
    expect(parseDate('5874897-12-31')).toBe(2_145_042_905)
    expect(dateText(parseDate('0001-01-01 BC')!)).toBe('0000-01-01')
    expect(dateText(parseDate('0044-03-15 BC')!)).toBe('-000043-03-15')
  })

  it('follow one another without a gap', () => {
    for (const start of [-719_600, -1, 11_000, 2_932_800]) {
      for (let days = start; days < start + 800; days++) expect(parseDate(dateText(days))).toBe(days)
    }
  })
})

describe('timestamps', () => {
  it('keep every microsecond, over all that 64 bits hold', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.boolean(), (micros, zone) => {
        expect(parseTimestamp(timestampText(micros, zone), zone)).toEqual({ micros, cut: false })
      }),
    )
    expect(timestampText(-1n, true)).toBe('1969-12-31T23:59:59.999999Z')
    expect(timestampText(2n ** 63n - 1n, false)).toBe('+294247-01-10T04:00:54.775807')
    expect(timeText(86_399_999_999)).toBe('23:59:59.999999')
  })
})
