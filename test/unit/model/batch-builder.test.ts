import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BatchBuilder } from '#src/model/batch-builder.js'
import type { FieldType } from '#src/model/field-type.js'
import { schemaWithRecords } from './arbitrary-fields.js'

function column(type: FieldType, values: readonly unknown[]) {
  const builder = new BatchBuilder({ name: 's' }, { fields: [{ name: 'f', type, nullable: true }] })
  for (const f of values) builder.append({ f })
  const batch = builder.finish()
  return { values: [...batch.rows()].map(({ f }) => f), changes: batch.valueChanges }
}

const reason = 'SOURCE_SERIALIZATION_ERROR'

describe('BatchBuilder', () => {
  it('gives back the records that went in, of every type', () => {
    fc.assert(
      fc.property(schemaWithRecords, ({ schema, records }) => {
        const builder = new BatchBuilder({ name: 's' }, schema)
        for (const record of records) builder.append(record)
        expect(builder.length).toBe(records.length)
        const batch = builder.finish()
        expect(batch.valueChanges).toEqual([])
        expect(batch.length).toBe(records.length)
        expect([...batch.rows()]).toEqual(records)
        expect(builder.length).toBe(0)
      }),
      { numRuns: 300 },
    )
  })

  it('grows past its first capacity and starts anew after finish', () => {
    const schema = {
      fields: [
        { name: 'id', type: { kind: 'int64' as const }, nullable: false },
        { name: 'text', type: { kind: 'string' as const }, nullable: true },
        { name: 'flag', type: { kind: 'boolean' as const }, nullable: true },
      ],
    }
    const builder = new BatchBuilder({ name: 's' }, schema)
    for (const rows of [5000, 3, 2500]) {
      const records = Array.from({ length: rows }, (_, i) => ({
        id: BigInt(i),
        text: i % 7 === 0 ? null : 'x'.repeat(i % 300),
        flag: i % 3 === 0 ? null : i % 2 === 0,
      }))
      for (const record of records) builder.append(record)
      expect(builder.byteLength).toBeGreaterThan(0)
      expect([...builder.finish().rows()]).toEqual(records.map((record) => Object.assign(Object.create(null), record)))
    }
  })

  it('holds rows of a schema without fields', () => {
    const builder = new BatchBuilder({ name: 's' }, { fields: [] })
    builder.append({})
    builder.append({ unknown: 1 })
    const batch = builder.finish()
    expect(batch.length).toBe(2)
    expect([...batch.rows()]).toEqual([{}, {}])
  })

  it('takes only the values of the record itself for names that every object has', () => {
    const type: FieldType = { kind: 'string' }
    const names = ['constructor', '__proto__', 'toString']
    const builder = new BatchBuilder({ name: 's' }, { fields: names.map((name) => ({ name, type, nullable: true })) })
    builder.append({})
    builder.append(JSON.parse('{"constructor":"a","__proto__":"b","toString":"c"}'))
    const batch = builder.finish()
    expect([...batch.rows()].map((row) => names.map((name) => row[name]))).toEqual([
      [null, null, null],
      ['a', 'b', 'c'],
    ])
    expect(batch.valueChanges).toEqual([])
  })

  it('nulls what does not fit and says so', () => {
    const cases: [FieldType, unknown[]][] = [
      [{ kind: 'boolean' }, ['true', 1]],
      [{ kind: 'int16' }, [32_768, -32_769, 1.5, '1', 40_000n]],
      [{ kind: 'int32' }, [2 ** 31, -(2 ** 31) - 1, Number.NaN]],
      [{ kind: 'int64' }, [2 ** 53, 0.5, 2n ** 63n, -(2n ** 63n) - 1n, '1']],
      [{ kind: 'float32' }, [1e39, '1']],
      [{ kind: 'float64' }, ['1', 1n]],
      [
        { kind: 'decimal', precision: 5, scale: 2 },
        ['1000', '1.234', 'NaN', '', '.', Number.POSITIVE_INFINITY, '1e3', null],
      ],
      [{ kind: 'decimal', precision: 38, scale: 2 }, ['1'.repeat(37), '0.001']],
      [{ kind: 'decimal', precision: 40, scale: 2 }, ['1'.repeat(39), '0.001']],
      [{ kind: 'decimal' }, ['NaN', '1e999999', 'x']],
      [{ kind: 'string' }, [1, 'a\ud800', `${'a'.repeat(40)}\udc00`, {}]],
      [{ kind: 'binary' }, ['x', '%%%%', [1]]],
      [
        { kind: 'date' },
        ['2023-02-29', '2023-13-01', 'today', '0000-01-01 BC', new Date(Number.NaN), '2023-01-01T00:00:00Z'],
      ],
      [{ kind: 'time', zone: false }, ['24:00:01', '12:60', '12:00:00Z', '12:00+02', 'noon']],
      [{ kind: 'time', zone: true }, ['12:00', '25:00Z']],
      [{ kind: 'timestamp', zone: true }, ['2023-02-29T00:00:00Z', '2023-01-01', 'now', '294247-01-11T00:00:00Z', 5]],
      [{ kind: 'timestamp', zone: false }, ['2023-01-01T00:00:00+02:00']],
      [{ kind: 'uuid' }, ['123', '00000000-0000-0000-0000-00000000000g']],
      [{ kind: 'json' }, ['{', 'text', Number.NaN, { a: Number.POSITIVE_INFINITY }, () => 1, new Map()]],
      [{ kind: 'array', items: { kind: 'json' } }, ['{}', {}, 1, '[']],
      [{ kind: 'object', fields: [] }, ['[]', [], 1, 'null']],
    ]
    for (const [type, values] of cases) {
      const { values: read, changes } = column(type, values)
      expect(read, type.kind).toEqual(values.map(() => null))
      const unfit = values.flatMap((value, row) =>
        value === null ? [] : [{ row, field: 'f', change: 'NULLED', reason }],
      )
      expect(changes, type.kind).toEqual(unfit)
    }
  })

  it('takes the natural values of JavaScript', () => {
    const midnight = new Date('2024-02-29T00:00:00Z')
    const cyclic: unknown[] = []
    cyclic.push(cyclic)
    const cases: [FieldType, unknown, unknown][] = [
      [{ kind: 'int64' }, -5, -5n],
      [{ kind: 'int64' }, Number.MIN_SAFE_INTEGER, BigInt(Number.MIN_SAFE_INTEGER)],
      [{ kind: 'int32' }, 7n, 7],
      [{ kind: 'decimal', precision: 10, scale: 2 }, -0.5, '-0.50'],
      [{ kind: 'decimal', precision: 30, scale: 0 }, 10n ** 29n, `1${'0'.repeat(29)}`],
      [{ kind: 'decimal', precision: 30, scale: 3 }, '-1.5e-2', '-0.015'],
      [{ kind: 'decimal' }, '1e3', '1000'],
      [{ kind: 'decimal' }, '+.5', '0.5'],
      [{ kind: 'date' }, midnight, '2024-02-29'],
      [{ kind: 'date' }, '0044-03-15 BC', '-000043-03-15'],
      [{ kind: 'timestamp', zone: true }, midnight, '2024-02-29T00:00:00Z'],
      [{ kind: 'timestamp', zone: true }, '2024-02-29 01:30:00.5+02', '2024-02-28T23:30:00.5Z'],
      [{ kind: 'timestamp', zone: true }, '2024-02-29T01:30', '2024-02-29T01:30:00Z'],
      [{ kind: 'timestamp', zone: false }, '2024-02-29 01:30:00.000001', '2024-02-29T01:30:00.000001'],
      [{ kind: 'time', zone: false }, '24:00', '24:00:00'],
      [{ kind: 'uuid' }, 'ABCDEF00-0000-4000-8000-000000000000', 'abcdef00-0000-4000-8000-000000000000'],
      [
        { kind: 'json' },
        { big: 2n ** 70n, at: midnight, bytes: new Uint8Array([1, 2]), no: undefined },
        `{"big":${2n ** 70n},"at":"2024-02-29T00:00:00.000Z","bytes":"AQI="}`,
      ],
      [{ kind: 'binary' }, 'AQI=', new Uint8Array([1, 2])],
      [{ kind: 'json' }, 'null', 'null'],
      [{ kind: 'json' }, '12345678901234567890', '12345678901234567890'],
      [{ kind: 'json' }, cyclic, null],
      [{ kind: 'array', items: { kind: 'int32' } }, [1, undefined, 2], '[1,null,2]'],
      [{ kind: 'object', fields: [] }, { a: 'é\ud800' }, '{"a":"é\\ud800"}'],
    ]
    for (const [type, value, expected] of cases)
      expect(column(type, [value]).values, `${type.kind} ${String(expected)}`).toEqual([expected])
  })

  it('cuts what is finer than microseconds, with a trace', () => {
    const type = { kind: 'timestamp', zone: true } as const
    const { values, changes } = column(type, ['2024-01-01T00:00:00.123456789Z', '2024-01-01T00:00:00.123456000Z'])
    expect(values).toEqual(['2024-01-01T00:00:00.123456Z', '2024-01-01T00:00:00.123456Z'])
    expect(changes).toEqual([{ row: 0, field: 'f', change: 'TRUNCATED', reason: 'SOURCE_FIELD_SIZE_LIMITATION' }])
  })
})

describe('a batch after an enormous one', () => {
  it('holds no more memory than its values need', () => {
    const schema = { fields: [{ name: 'text', type: { kind: 'string' as const }, nullable: true }] }
    const builder = new BatchBuilder({ name: 's' }, schema)
    builder.append({ text: 'é'.repeat(20_000_000) })
    expect(builder.finish().byteLength).toBeGreaterThan(40_000_000)
    for (let i = 0; i < 3; i++) {
      builder.append({ text: 'small' })
      const { values } = builder.finish().columns.data.children[0]!
      expect((values as Uint8Array).buffer.byteLength).toBeLessThan(10_000_000)
    }
  })
})
