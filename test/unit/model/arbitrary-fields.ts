import fc from 'fast-check'
import { dateText, timestampText, timeText } from '#src/model/calendar.js'
import type { FieldType } from '#src/model/field-type.js'
import type { RecordSchema } from '#src/model/schema.js'

const fixed = (
  [
    { kind: 'boolean' },
    { kind: 'int16' },
    { kind: 'int32' },
    { kind: 'int64' },
    { kind: 'float32' },
    { kind: 'float64' },
    { kind: 'decimal' },
    { kind: 'string' },
    { kind: 'binary' },
    { kind: 'date' },
    { kind: 'time', zone: false },
    { kind: 'time', zone: true },
    { kind: 'timestamp', zone: false },
    { kind: 'timestamp', zone: true },
    { kind: 'interval' },
    { kind: 'uuid' },
    { kind: 'json' },
  ] as const
).map((type) => fc.constant<FieldType>(type))

export const decimalType = fc
  .integer({ min: 1, max: 60 })
  .chain((precision) =>
    fc.integer({ min: 0, max: precision }).map((scale): FieldType => ({ kind: 'decimal', precision, scale })),
  )

/** Every field type, nested ones included. */
export const fieldType: fc.Arbitrary<FieldType> = fc.letrec<{ type: FieldType }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    ...fixed,
    decimalType,
    fc.record({ kind: fc.constant('array' as const), items: tie('type') }),
    fc.record({
      kind: fc.constant('object' as const),
      fields: fc.uniqueArray(fc.record({ name: fc.string(), type: tie('type') }), {
        selector: ({ name }) => name,
        maxLength: 4,
      }),
    }),
  ),
})).type

const digits = (length: number) =>
  length === 0
    ? fc.constant('')
    : fc.array(fc.integer({ min: 0, max: 9 }), { minLength: length, maxLength: length }).map((d) => d.join(''))

function decimalValue(precision: number, scale: number): fc.Arbitrary<string> {
  return fc
    .tuple(fc.boolean(), fc.integer({ min: 0, max: precision - scale }).chain(digits), digits(scale))
    .map(([negative, whole, fraction]) => {
      const text = `${whole.replace(/^0+/, '') || '0'}${fraction === '' ? '' : `.${fraction}`}`
      return negative && /[1-9]/.test(text) ? `-${text}` : text
    })
}

const MIN_DAYS = -2_440_588
const json = fc.json({ maxDepth: 2 })

/** A value in the form of records that fits the type exactly. */
export function fieldValue(type: FieldType): fc.Arbitrary<unknown> {
  switch (type.kind) {
    case 'boolean':
      return fc.boolean()
    case 'int16':
      return fc.integer({ min: -32_768, max: 32_767 })
    case 'int32':
      return fc.integer()
    case 'int64':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    case 'float32':
      return fc.float()
    case 'float64':
      return fc.double()
    case 'decimal':
      return type.precision === undefined ? decimalValue(90, 40) : decimalValue(type.precision, type.scale!)
    case 'binary':
      return fc.uint8Array()
    case 'date':
      return fc.integer({ min: MIN_DAYS, max: 2_145_042_905 }).map(dateText)
    case 'time': {
      const clock = fc.integer({ min: 0, max: 86_400_000_000 - 1 }).map((micros) => timeText(micros))
      return type.zone ? clock.map((text) => `${text}+02`) : clock
    }
    case 'timestamp':
      return fc
        .bigInt({ min: BigInt(MIN_DAYS) * 86_400_000_000n, max: 2n ** 63n - 1n })
        .map((micros) => timestampText(micros, type.zone))
    case 'uuid':
      return fc.uuid()
    case 'json':
      return json
    case 'array':
      return fc.array(fc.jsonValue({ maxDepth: 1 }), { maxLength: 3 }).map((value) => JSON.stringify(value))
    case 'object':
      return fc
        .dictionary(fc.string(), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 })
        .map((value) => JSON.stringify(value))
    case 'string':
    case 'interval':
      return fc.string({ unit: 'grapheme' })
  }
}

/** A schema and records that fit it. */
export const schemaWithRecords: fc.Arbitrary<{ schema: RecordSchema; records: Record<string, unknown>[] }> = fc
  .uniqueArray(fc.record({ name: fc.string(), type: fieldType, nullable: fc.constant(true) }), {
    selector: ({ name }) => name,
    maxLength: 8,
  })
  .chain((fields) => {
    const record = fc.tuple(...fields.map(({ type }) => fc.option(fieldValue(type), { freq: 4 }))).map((values) => {
      const made: Record<string, unknown> = Object.create(null)
      fields.forEach(({ name }, i) => {
        made[name] = values[i]
      })
      return made
    })
    return fc.record({ schema: fc.constant({ fields }), records: fc.array(record, { maxLength: 30 }) })
  })
