import type { TypeRules } from '../../destination/capabilities.js'
import type { FieldType } from '../../model/field-type.js'

export interface TypeSample {
  readonly name: string
  readonly type: FieldType
  /** As records hold them. */
  readonly values: readonly unknown[]
}

const SAMPLES: readonly TypeSample[] = [
  { name: 'a_boolean', type: { kind: 'boolean' }, values: [true, false] },
  { name: 'an_int16', type: { kind: 'int16' }, values: [-32768, 32767, 0] },
  { name: 'an_int32', type: { kind: 'int32' }, values: [-2147483648, 2147483647, 0] },
  {
    name: 'an_int64',
    type: { kind: 'int64' },
    values: [-9223372036854775808n, 9223372036854775807n, 9007199254740993n, 0n],
  },
  { name: 'a_float32', type: { kind: 'float32' }, values: [1.5, -0.25, 16777216] },
  { name: 'a_float64', type: { kind: 'float64' }, values: [0.1, -1.7976931348623157e308, 5e-324, 123456789.125] },
  {
    name: 'money',
    type: { kind: 'decimal', precision: 15, scale: 2 },
    values: ['9999999999999.99', '-0.01', '0.00', '12.30'],
  },
  {
    name: 'wide_decimal',
    type: { kind: 'decimal', precision: 38, scale: 10 },
    values: ['1234567890123456789012345678.0123456789', '-9999999999999999999999999999.9999999999'],
  },
  { name: 'whole_decimal', type: { kind: 'decimal', precision: 20, scale: 0 }, values: ['18446744073709551615', '-1'] },
  {
    name: 'any_decimal',
    type: { kind: 'decimal' },
    values: ['1234567890123456789012345678901234567890.123456789012345678901234567890', '-0.1'],
  },
  {
    name: 'a_string',
    type: { kind: 'string' },
    values: [
      '',
      'plain',
      'quotes \' " `',
      'line\nbreak\tand tab',
      'back\\slash',
      'äöü €',
      '😀👩‍👩‍👧',
      'null',
      '\u200f‮',
    ],
  },
  {
    name: 'a_binary',
    type: { kind: 'binary' },
    values: [new Uint8Array(), Uint8Array.of(0, 255, 128, 10, 34), Uint8Array.from({ length: 300 }, (_, i) => i % 256)],
  },
  {
    name: 'a_date',
    type: { kind: 'date' },
    values: ['1970-01-01', '1969-12-31', '2026-02-28', '9999-12-31', '0001-01-01'],
  },
  { name: 'a_time', type: { kind: 'time', zone: false }, values: ['00:00:00', '23:59:59.999999', '12:34:56.7'] },
  { name: 'a_time_with_zone', type: { kind: 'time', zone: true }, values: ['12:34:56.789+02:00', '00:00:00+00:00'] },
  {
    name: 'a_timestamp',
    type: { kind: 'timestamp', zone: false },
    values: ['1970-01-01T00:00:00', '2026-03-04T05:06:07.123456', '1969-12-31T23:59:59.999999'],
  },
  {
    name: 'a_timestamp_with_zone',
    type: { kind: 'timestamp', zone: true },
    values: ['1970-01-01T00:00:00Z', '2026-03-04T05:06:07.000001Z', '1900-01-01T00:00:00Z'],
  },
  { name: 'an_interval', type: { kind: 'interval' }, values: ['P1Y2M3DT4H5M6S', '-1 days +02:03:00'] },
  {
    name: 'a_uuid',
    type: { kind: 'uuid' },
    values: ['00000000-0000-0000-0000-000000000000', 'f47ac10b-58cc-4372-a567-0e02b2c3d479'],
  },
  {
    name: 'some_json',
    type: { kind: 'json' },
    values: ['{"a":[1,null,"x"],"b":{"c":true}}', '[]', '"text"', '1.5', 'null'],
  },
  { name: 'an_array', type: { kind: 'array', items: { kind: 'int32' } }, values: ['[1,2,3]', '[]', '[null]'] },
  {
    name: 'an_object',
    type: { kind: 'object', fields: [{ name: 'city', type: { kind: 'string' } }] },
    values: ['{"city":"Zürich"}', '{}'],
  },
]

/** Values of every type that a destination with these rules holds as such; the normalizer makes text of the others. */
export function typeSamples({ asText, maxDecimalPrecision }: TypeRules): readonly TypeSample[] {
  return SAMPLES.map((sample): TypeSample => {
    const tooWide = sample.type.kind === 'decimal' && (sample.type.precision ?? Infinity) > maxDecimalPrecision
    const text = tooWide || asText.includes(sample.type.kind)
    return text && sample.type.kind !== 'string' ? asStrings(sample) : sample
  })
}

function asStrings({ name, values }: TypeSample): TypeSample {
  const text = (value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString('base64') : String(value))
  return { name, type: { kind: 'string' }, values: values.map(text) }
}
