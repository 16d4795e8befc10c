import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Json } from '#src/model/json.js'
import { GrownSchema, joinGrownSchemas } from '#src/normalizer/grown-schema.js'
import { fieldType } from '../model/arbitrary-fields.js'

const rules = {
  identifiers: { maxBytes: 30, caseSensitive: false, illegal: '^a-z0-9_', lowerCase: true },
  types: { asText: ['interval' as const], maxDecimalPrecision: 38 },
}
const reserved = ['_airbyte_raw_id']

const name = fc.constantFrom('a', 'A', 'a b', 'a_b', 'A-B', 'b', '_airbyte_raw_id', '_AIRBYTE_RAW_ID', '__proto__', '')
const schema = fc
  .uniqueArray(fc.record({ name, type: fieldType, nullable: fc.constant(true) }), {
    selector: ({ name }) => name,
    maxLength: 6,
  })
  .map((fields) => ({ fields }))

/** What a writer knows after some batches, possibly after an earlier run. */
const grown: fc.Arbitrary<Json> = fc.array(schema, { maxLength: 3 }).map((schemas) => {
  const schema = new GrownSchema(rules, reserved)
  for (const each of schemas) schema.grow(each)
  return schema.toJson()
})

describe('grown schemas', () => {
  it('join in any order, any number of times', () => {
    fc.assert(
      fc.property(grown, grown, grown, (a, b, c) => {
        expect(joinGrownSchemas(a, b)).toEqual(joinGrownSchemas(b, a))
        expect(joinGrownSchemas(joinGrownSchemas(a, b), c)).toEqual(joinGrownSchemas(a, joinGrownSchemas(b, c)))
        expect(joinGrownSchemas(a, a)).toEqual(a)
        const ab = joinGrownSchemas(a, b)
        expect(joinGrownSchemas(ab, a)).toEqual(ab)
      }),
      { numRuns: 500 },
    )
  })

  it('give every field a name of its own, and keep it', () => {
    fc.assert(
      fc.property(grown, grown, schema, (a, b, next) => {
        const joined = new GrownSchema(rules, reserved, joinGrownSchemas(a, b))
        const before = new Map(joined.fields.map((field) => [field.field, field]))
        joined.grow(next)
        const names = joined.fields.map(({ name }) => name)
        expect(new Set([...names, ...reserved]).size).toBe(names.length + reserved.length)
        for (const field of joined.fields) expect(field.name).toBe(before.get(field.field)?.name ?? field.name)
        expect(joined.fields.slice(0, before.size).map(({ field }) => field)).toEqual([...before.keys()])
        expect(new GrownSchema(rules, reserved, joined.toJson()).toJson()).toEqual(joined.toJson())
        expect(joined.grow(next)).toBe(false)
      }),
    )
  })

  it('do not depend on how often a schema was seen', () => {
    fc.assert(
      fc.property(schema, schema, (first, second) => {
        const once = new GrownSchema(rules, reserved)
        const often = new GrownSchema(rules, reserved)
        for (const each of [first, second]) once.grow(each)
        for (const each of [first, first, second, first, second]) often.grow(each)
        expect(often.toJson()).toEqual(once.toJson())
      }),
    )
  })

  it('refuse what they do not understand', () => {
    for (const saved of [
      null,
      [],
      {},
      { format: 1 },
      { format: 1, fields: [{ field: 'a' }] },
      { format: 0, fields: [] },
    ]) {
      expect(() => new GrownSchema(rules, reserved, saved)).toThrow(expect.objectContaining({ code: 'STATE_CORRUPT' }))
    }
    const newer = { format: 2, fields: [] }
    expect(() => new GrownSchema(rules, reserved, newer)).toThrow(
      expect.objectContaining({ code: 'STATE_VERSION_UNSUPPORTED' }),
    )
  })
})
