import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { arrowSchema } from '#src/model/arrow-type.js'
import { Batch } from '#src/model/batch.js'
import { BatchBuilder } from '#src/model/batch-builder.js'
import { castColumn } from '#src/model/cast-column.js'
import type { FieldType } from '#src/model/field-type.js'
import { recordBatch } from '#src/model/record-batch.js'
import { widen } from '#src/model/widen.js'
import { fieldType, fieldValue } from './arbitrary-fields.js'

describe('widen', () => {
  it('is commutative, associative and idempotent', () => {
    fc.assert(
      fc.property(fieldType, fieldType, fieldType, (a, b, c) => {
        expect(widen(a, b)).toEqual(widen(b, a))
        expect(widen(widen(a, b), c)).toEqual(widen(a, widen(b, c)))
        expect(widen(a, a)).toEqual(a)
        expect(widen(widen(a, b), b)).toEqual(widen(a, b))
      }),
      { numRuns: 2000 },
    )
  })

  it('never turns a whole number or a decimal into a float that loses a digit', () => {
    expect(widen({ kind: 'int64' }, { kind: 'float64' })).toEqual({ kind: 'decimal' })
    expect(widen({ kind: 'int32' }, { kind: 'float32' })).toEqual({ kind: 'float64' })
    expect(widen({ kind: 'int16' }, { kind: 'float32' })).toEqual({ kind: 'float32' })
    expect(widen({ kind: 'decimal', precision: 5, scale: 2 }, { kind: 'float32' })).toEqual({ kind: 'decimal' })
    expect(widen({ kind: 'decimal', precision: 5, scale: 2 }, { kind: 'int64' })).toEqual({
      kind: 'decimal',
      precision: 21,
      scale: 2,
    })
    expect(widen({ kind: 'decimal', precision: 3, scale: 3 }, { kind: 'decimal', precision: 10, scale: 0 })).toEqual({
      kind: 'decimal',
      precision: 13,
      scale: 3,
    })
  })

  it('keeps what is no number as text or JSON', () => {
    const array = (items: FieldType): FieldType => ({ kind: 'array', items })
    expect(widen({ kind: 'date' }, { kind: 'timestamp', zone: false })).toEqual({ kind: 'string' })
    expect(widen({ kind: 'timestamp', zone: true }, { kind: 'timestamp', zone: false })).toEqual({ kind: 'string' })
    expect(widen({ kind: 'boolean' }, { kind: 'int16' })).toEqual({ kind: 'string' })
    expect(widen({ kind: 'string' }, { kind: 'object', fields: [] })).toEqual({ kind: 'json' })
    expect(widen(array({ kind: 'int32' }), array({ kind: 'int64' }))).toEqual(array({ kind: 'int64' }))
    expect(widen(array({ kind: 'int32' }), array({ kind: 'string' }))).toEqual(array({ kind: 'json' }))
  })
})

function cast(from: FieldType, to: FieldType, values: readonly unknown[], skip = 0) {
  const builder = new BatchBuilder({ name: 's' }, { fields: [{ name: 'f', type: from, nullable: true }] })
  for (const f of values) builder.append({ f })
  const { columns } = builder.finish()
  const { column, unfit } = castColumn(columns.slice(skip).data.children[0]!, from, to)
  const schema = { fields: [{ name: 'f', type: to, nullable: true }] }
  const batch = new Batch({ name: 's' }, schema, recordBatch(arrowSchema(schema), [column], column.length))
  return { values: [...batch.rows()].map(({ f }) => f), unfit }
}

const isFloat = ({ kind }: FieldType) => kind === 'float32' || kind === 'float64'

describe('castColumn', () => {
  it('brings every value to every wider type, nulls and slices included', () => {
    const typed = fc.tuple(fieldType, fieldType, fc.nat(9)).chain(([from, other, skip]) =>
      fc.record({
        from: fc.constant(from),
        to: fc.constant(widen(from, other)),
        skip: fc.constant(skip),
        values: fc.array(fc.option(fieldValue(from)), { minLength: 9, maxLength: 20 }),
      }),
    )
    fc.assert(
      fc.property(typed, ({ from, to, values, skip }) => {
        const result = cast(from, to, values, skip)
        const expected = values.slice(skip)
        expect(result.values.length).toBe(expected.length)
        expected.forEach((value, row) => {
          const read = result.values[row]
          if (result.unfit.includes(row)) {
            expect(isFloat(from) && !Number.isFinite(value)).toBe(true)
            expect(read).toBeNull()
          } else if (value === null) expect(read).toBeNull()
          else expect(read).not.toBeNull()
          if (typeof read === 'number') expect(read).toBe(Number(value))
          if (typeof read === 'bigint') expect(read).toBe(BigInt(value as number))
          if (to.kind === 'decimal' && typeof read === 'string') expect(Number(read)).toBe(Number(value) + 0)
          if (to.kind === 'json' && typeof read === 'string') expect(() => JSON.parse(read)).not.toThrow()
        })
      }),
      { numRuns: 1000 },
    )
  })

  it.each<[string, FieldType, FieldType, unknown[], unknown[]]>([
    ['int16', { kind: 'int16' }, { kind: 'int64' }, [-1, 5, null], [-1n, 5n, null]],
    [
      'int64',
      { kind: 'int64' },
      { kind: 'decimal', precision: 21, scale: 2 },
      [-(2n ** 63n), null],
      ['-9223372036854775808.00', null],
    ],
    ['int64 as text', { kind: 'int64' }, { kind: 'string' }, [2n ** 63n - 1n], ['9223372036854775807']],
    ['float32 as text', { kind: 'float32' }, { kind: 'string' }, [Math.fround(0.1), Number.NaN], ['0.1', 'NaN']],
    [
      'float64 as decimal',
      { kind: 'float64' },
      { kind: 'decimal' },
      [1e21, 5e-7, Number.NaN],
      ['1000000000000000000000', '0.0000005', null],
    ],
    [
      'decimal',
      { kind: 'decimal', precision: 5, scale: 2 },
      { kind: 'decimal', precision: 30, scale: 5 },
      ['-123.45'],
      ['-123.45000'],
    ],
    ['decimal as JSON', { kind: 'decimal', precision: 5, scale: 2 }, { kind: 'json' }, ['-0.05'], ['-0.05']],
    ['boolean as text', { kind: 'boolean' }, { kind: 'string' }, [true, null, false], ['true', null, 'false']],
    ['date as text', { kind: 'date' }, { kind: 'string' }, ['2024-02-29'], ['2024-02-29']],
    ['date as JSON', { kind: 'date' }, { kind: 'json' }, ['2024-02-29'], ['"2024-02-29"']],
    ['string as JSON', { kind: 'string' }, { kind: 'json' }, ['say "hi"'], ['"say \\"hi\\""']],
    ['binary as text', { kind: 'binary' }, { kind: 'string' }, [new Uint8Array([1, 2])], ['AQI=']],
    ['array as JSON', { kind: 'array', items: { kind: 'int32' } }, { kind: 'json' }, ['[1]'], ['[1]']],
  ])('%s', (_, from, to, values, expected) => expect(cast(from, to, values).values).toEqual(expected))
})
