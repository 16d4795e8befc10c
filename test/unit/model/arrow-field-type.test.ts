import {
  DateMillisecond,
  Decimal,
  Dictionary,
  DurationNanosecond,
  Field,
  FixedSizeBinary,
  Float16,
  Int8,
  Int32,
  IntervalDayTime,
  LargeBinary,
  LargeUtf8,
  List,
  Map_,
  Null,
  Struct,
  TimeNanosecond,
  TimestampNanosecond,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
} from 'apache-arrow'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fieldTypeOfArrow, recordSchemaOfArrow } from '#src/model/arrow-field-type.js'
import { arrowField, arrowSchema, arrowType, FIELD_TYPE_METADATA } from '#src/model/arrow-type.js'
import { fieldType } from './arbitrary-fields.js'

describe('fieldTypeOfArrow', () => {
  it('gives back every field type', () => {
    fc.assert(
      fc.property(fieldType, (type) => {
        expect(fieldTypeOfArrow(arrowField({ name: 'f', type, nullable: true }))).toEqual(type)
      }),
    )
  })

  it('finds a kind that travels the same way where the metadata is gone', () => {
    fc.assert(
      fc.property(fieldType, (type) => {
        const found = fieldTypeOfArrow(new Field('f', arrowType(type), true))
        expect(String(arrowType(found))).toBe(String(arrowType(type)))
      }),
    )
  })

  it('maps every type of Arrow', () => {
    const item = new Field('item', new Int32(), true)
    const entries = new Field(
      'entries',
      new Struct<never>([new Field('key', new Utf8()), new Field('value', new Int32(), true)] as never),
      false,
    )
    const cases = [
      [new Null(), { kind: 'string' }],
      [new Int8(), { kind: 'int16' }],
      [new Uint8(), { kind: 'int16' }],
      [new Uint16(), { kind: 'int32' }],
      [new Uint32(), { kind: 'int64' }],
      [new Uint64(), { kind: 'decimal', precision: 20, scale: 0 }],
      [new Float16(), { kind: 'float32' }],
      [new Decimal(-2, 5, 128), { kind: 'decimal', precision: 7, scale: 0 }],
      [new Decimal(5, 3, 128), { kind: 'decimal', precision: 5, scale: 5 }],
      [new LargeBinary(), { kind: 'binary' }],
      [new FixedSizeBinary(3), { kind: 'binary' }],
      [new LargeUtf8(), { kind: 'string' }],
      [new DateMillisecond(), { kind: 'date' }],
      [new TimeNanosecond(), { kind: 'time', zone: false }],
      [new TimestampNanosecond(null), { kind: 'timestamp', zone: false }],
      [new TimestampNanosecond('Europe/Berlin'), { kind: 'timestamp', zone: true }],
      [new DurationNanosecond(), { kind: 'interval' }],
      [new IntervalDayTime(), { kind: 'interval' }],
      [new List(item), { kind: 'array', items: { kind: 'int32' } }],
      [new Struct([item]), { kind: 'object', fields: [{ name: 'item', type: { kind: 'int32' } }] }],
      [
        new Map_(entries as never),
        {
          kind: 'array',
          items: {
            kind: 'object',
            fields: [
              { name: 'key', type: { kind: 'string' } },
              { name: 'value', type: { kind: 'int32' } },
            ],
          },
        },
      ],
      [new Dictionary(new Utf8(), new Int32()), { kind: 'string' }],
    ] as const
    for (const [arrow, expected] of cases)
      expect(fieldTypeOfArrow(new Field('f', arrow, true)), String(arrow)).toEqual(expected)
  })

  it('leaves metadata aside that does not fit the column', () => {
    const field = (metadata: string) => new Field('f', new Utf8(), true, new Map([[FIELD_TYPE_METADATA, metadata]]))
    for (const metadata of ['{', '{"kind":"int32"}', '{"kind":"decimal","precision":5}', '[]', 'null']) {
      expect(fieldTypeOfArrow(field(metadata))).toEqual({ kind: 'string' })
    }
    expect(fieldTypeOfArrow(field('{"kind":"uuid"}'))).toEqual({ kind: 'uuid' })
  })

  it('reads a whole schema', () => {
    const schema = { fields: [{ name: 'a', type: { kind: 'uuid' as const }, nullable: true }] }
    expect(recordSchemaOfArrow(arrowSchema(schema))).toEqual(schema)
  })
})
