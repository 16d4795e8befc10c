import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { columnName, legalName, tableName } from '#src/normalizer/naming.js'

const postgres = { maxBytes: 63, caseSensitive: true }
const lake = { maxBytes: 40, caseSensitive: false, illegal: '^A-Za-z0-9_', lowerCase: true }

const rules = fc.record({
  maxBytes: fc.integer({ min: 24, max: 80 }),
  caseSensitive: fc.boolean(),
  illegal: fc.constantFrom('^A-Za-z0-9_', ' "', '^\\p{L}0-9_'),
  lowerCase: fc.boolean(),
})

describe('table names', () => {
  it('stay as they are where they are legal', () => {
    expect(tableName('Customers of "2024" 🎉', postgres)).toBe('Customers of "2024" 🎉')
    expect(tableName('customers', lake)).toBe('customers')
  })

  it('never fall together', () => {
    fc.assert(
      fc.property(rules, fc.uniqueArray(fc.string({ unit: 'binary', maxLength: 90 })), (rules, names) => {
        const given = names.map((name) => tableName(name, rules))
        for (const name of given) {
          expect(Buffer.byteLength(name)).toBeLessThanOrEqual(rules.maxBytes)
          expect(legalName(name, rules)).toBe(name)
        }
        expect(new Set(given).size).toBe(names.length)
      }),
    )
  })

  it('differ where only the end differs beyond the longest name', () => {
    const long = 'x'.repeat(70)
    const [a, b] = [tableName(`${long}a`, postgres), tableName(`${long}b`, postgres)]
    expect(a).not.toBe(b)
    expect(Buffer.byteLength(a)).toBe(63)
    expect(tableName('é'.repeat(40), postgres)).toMatch(/^é{27}_[\da-f]{8}$/)
    expect(tableName('Users', lake)).toMatch(/^users_[\da-f]{8}$/)
    expect(tableName('', lake)).toMatch(/^__[\da-f]{8}$/)
  })
})

describe('column names', () => {
  it('get a suffix of their own path only where the name is taken', () => {
    expect(columnName('Order Date', lake, () => false)).toBe('order_date')
    const suffixed = columnName('Order Date', lake, (key) => key === 'order_date')
    expect(suffixed).toMatch(/^order_date_[\da-f]{8}$/)
    expect(columnName('Order Date', lake, (key) => key === 'order_date')).toBe(suffixed)
    expect(columnName('order date', lake, (key) => key === 'order_date')).not.toBe(suffixed)
    expect(columnName('Order Date', lake, (key) => key === 'order_date' || key === suffixed)).toMatch(/_[\da-f]{16}$/)
  })
})
