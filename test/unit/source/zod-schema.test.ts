import type { FieldType } from 'syncline'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { zodRecordSchema } from '#src/source/zod-schema.js'

const typeOf = (schema: z.ZodType) => zodRecordSchema(z.object({ field: schema })).fields[0]!

describe('types', () => {
  const json: FieldType = { kind: 'json' }
  const cases: [string, z.ZodType, FieldType][] = [
    ['z.boolean', z.boolean(), { kind: 'boolean' }],
    ['z.int', z.int().min(0).max(9), { kind: 'int64' }],
    ['z.number().int', z.number().int(), { kind: 'int64' }],
    ['z.int32', z.int32(), { kind: 'int32' }],
    ['z.uint32', z.uint32(), { kind: 'int64' }],
    ['z.number', z.number().min(0), { kind: 'float64' }],
    ['z.float32', z.float32(), { kind: 'float32' }],
    ['z.bigint', z.bigint(), { kind: 'int64' }],
    ['z.int64', z.int64(), { kind: 'int64' }],
    ['z.uint64', z.uint64(), { kind: 'decimal', precision: 20, scale: 0 }],
    ['z.string', z.string().min(1), { kind: 'string' }],
    ['z.email', z.email(), { kind: 'string' }],
    ['z.templateLiteral', z.templateLiteral(['a-', z.string()]), { kind: 'string' }],
    ['z.iso.datetime', z.iso.datetime(), { kind: 'timestamp', zone: true }],
    ['z.iso.datetime with offset', z.iso.datetime({ offset: true }), { kind: 'timestamp', zone: true }],
    ['z.iso.datetime local', z.iso.datetime({ local: true }), { kind: 'timestamp', zone: false }],
    ['z.iso.datetime of either', z.iso.datetime({ local: true, offset: true }), { kind: 'string' }],
    ['z.string().datetime', z.string().datetime({ local: true }), { kind: 'timestamp', zone: false }],
    ['z.date', z.date(), { kind: 'timestamp', zone: true }],
    ['z.iso.date', z.iso.date(), { kind: 'date' }],
    ['z.iso.time', z.iso.time(), { kind: 'time', zone: false }],
    ['z.iso.duration', z.iso.duration(), { kind: 'interval' }],
    ['z.uuid', z.uuid(), { kind: 'uuid' }],
    ['z.string().uuid', z.string().uuid(), { kind: 'uuid' }],
    ['z.enum', z.enum(['a', 'b']), { kind: 'string' }],
    ['z.literal', z.literal([1, 2]), { kind: 'int64' }],
    ['z.literal of several types', z.literal(['a', 1]), json],
    ['z.array', z.array(z.int()), { kind: 'array', items: { kind: 'int64' } }],
    [
      'z.object',
      z.object({ a: z.iso.date().optional(), b: z.array(z.object({ c: z.uuid() })) }),
      {
        kind: 'object',
        fields: [
          { name: 'a', type: { kind: 'date' } },
          {
            name: 'b',
            type: { kind: 'array', items: { kind: 'object', fields: [{ name: 'c', type: { kind: 'uuid' } }] } },
          },
        ],
      },
    ],
    ['z.union of several types', z.union([z.string(), z.int()]), json],
    ['z.union of one type', z.union([z.email(), z.url()]), { kind: 'string' }],
    ['z.record', z.record(z.string(), z.int()), json],
    ['z.tuple', z.tuple([z.int(), z.string()]), json],
    ['z.unknown', z.unknown(), json],
    ['z.lazy', z.lazy(() => z.string()), json],
    ['a transform', z.string().transform((text) => text.length), json],
    ['a transform with a type', z.string().transform(Number).pipe(z.int()), { kind: 'int64' }],
    ['z.coerce', z.coerce.date(), { kind: 'timestamp', zone: true }],
    ['z.stringbool', z.stringbool(), { kind: 'boolean' }],
    ['z.preprocess', z.preprocess((value) => value, z.iso.date()), { kind: 'date' }],
    ['a brand', z.int().brand('Id'), { kind: 'int64' }],
    ['readonly', z.int().readonly(), { kind: 'int64' }],
  ]
  for (const [name, schema, type] of cases) test(name, () => expect(typeOf(schema).type).toEqual(type))
})

describe('null', () => {
  const cases: [string, z.ZodType, boolean][] = [
    ['a plain type', z.int(), false],
    ['optional', z.int().optional(), true],
    ['nullable', z.int().nullable(), true],
    ['nullish', z.int().nullish(), true],
    ['with a default', z.int().default(1), false],
    ['with a default for undefined only', z.int().nullable().default(1), true],
    ['optional inside a default', z.int().optional().default(1), false],
    ['required again', z.int().optional().nonoptional(), false],
    ['a catch', z.int().catch(0), false],
    ['a union with null', z.union([z.string(), z.null()]), true],
    ['a literal with null', z.literal(['a', null]), true],
    ['unknown', z.unknown(), true],
    ['a transform', z.string().transform(() => undefined), true],
  ]
  for (const [name, schema, nullable] of cases) test(name, () => expect(typeOf(schema).nullable).toBe(nullable))

  test('null in a union keeps the type of the rest', () => {
    expect(typeOf(z.union([z.iso.date(), z.null(), z.undefined()])).type).toEqual({ kind: 'date' })
  })
})

test('a description is the comment of its field', () => {
  expect(typeOf(z.int().describe('The number.')).comment).toBe('The number.')
})

describe('refused', () => {
  const refused: [string, z.ZodObject][] = [
    ['maps', z.object({ field: z.map(z.string(), z.int()) })],
    ['sets', z.object({ field: z.set(z.string()) })],
    ['symbols, deep inside', z.object({ field: z.array(z.object({ s: z.symbol() })) })],
    ['unknown keys', z.looseObject({ field: z.int() })],
    ['unknown keys of a type', z.object({ field: z.int() }).catchall(z.string())],
    ['unknown keys, deep inside', z.object({ field: z.object({ a: z.looseObject({}) }).optional() })],
  ]
  for (const [name, schema] of refused) {
    test(name, () => expect(() => zodRecordSchema(schema)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' })))
  }

  test('but strict objects are taken', () => {
    expect(zodRecordSchema(z.strictObject({ id: z.int() })).fields).toHaveLength(1)
  })
})
