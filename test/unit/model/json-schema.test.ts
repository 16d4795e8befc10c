import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { FieldType } from '#src/model/field-type.js'
import { jsonSchemaOf, recordJsonSchema } from '#src/model/json-schema.js'
import { fieldTypeOfJsonSchema, recordSchemaOfJsonSchema } from '#src/model/json-schema-type.js'
import { fieldType } from './arbitrary-fields.js'

const field = fc.record(
  { name: fc.string(), type: fieldType, nullable: fc.boolean(), comment: fc.string() },
  { requiredKeys: ['name', 'type', 'nullable'] },
)

describe('JSON Schema of field types', () => {
  it('gives back every field type', () => {
    fc.assert(
      fc.property(fieldType, (type) => {
        expect(fieldTypeOfJsonSchema(JSON.parse(JSON.stringify(jsonSchemaOf(type))))).toEqual(type)
      }),
    )
  })

  it('gives back every record schema', () => {
    fc.assert(
      fc.property(fc.uniqueArray(field, { selector: ({ name }) => name, maxLength: 6 }), (fields) => {
        const read = recordSchemaOfJsonSchema(JSON.parse(JSON.stringify(recordJsonSchema({ fields }))))
        expect(read).toEqual({ fields })
      }),
    )
  })

  it('needs no word of its own where the usual ones say it', () => {
    expect(jsonSchemaOf({ kind: 'int64' })).toEqual({ type: 'integer' })
    expect(jsonSchemaOf({ kind: 'timestamp', zone: false })).toEqual({
      type: 'string',
      format: 'date-time',
      airbyte_type: 'timestamp_without_timezone',
    })
    expect(jsonSchemaOf({ kind: 'binary' })).toEqual({ type: 'string', contentEncoding: 'base64' })
    expect(jsonSchemaOf({ kind: 'decimal' })).toEqual({ type: 'number', syncline_type: { kind: 'decimal' } })
  })
})

describe('field types of JSON Schema', () => {
  const cases: [string, unknown, FieldType][] = [
    ['nothing', {}, { kind: 'json' }],
    ['true', true, { kind: 'json' }],
    ['no schema at all', 7, { kind: 'json' }],
    ['integer as a number', { type: 'number', airbyte_type: 'integer' }, { kind: 'int64' }],
    ['null beside a type', { type: ['null', 'string'] }, { kind: 'string' }],
    ['two types', { type: ['string', 'integer'] }, { kind: 'json' }],
    ['only null', { type: 'null' }, { kind: 'json' }],
    ['date-time as Airbyte means it', { type: 'string', format: 'date-time' }, { kind: 'timestamp', zone: true }],
    ['time', { type: 'string', format: 'time', airbyte_type: 'time_without_timezone' }, { kind: 'time', zone: false }],
    ['big integer', { type: 'string', airbyte_type: 'big_integer' }, { kind: 'decimal' }],
    ['unknown format', { type: 'string', format: 'email' }, { kind: 'string' }],
    ['a union', { oneOf: [{ type: 'string' }, { type: 'integer' }] }, { kind: 'json' }],
    ['a union with null', { anyOf: [{ type: 'string', format: 'date' }, { type: 'null' }] }, { kind: 'date' }],
    ['an enumeration', { enum: ['a', 'b', null] }, { kind: 'string' }],
    ['a mixed enumeration', { enum: ['a', 1] }, { kind: 'json' }],
    ['a constant', { const: 5 }, { kind: 'int64' }],
    ['an array without items', { type: 'array' }, { kind: 'array', items: { kind: 'json' } }],
    ['an object without properties', { type: 'object' }, { kind: 'object', fields: [] }],
    [
      'a well-known type',
      { $ref: 'WellKnownTypes.json#/definitions/TimestampWithoutTimezone' },
      { kind: 'timestamp', zone: false },
    ],
    ['an unknown well-known type', { $ref: 'WellKnownTypes.json#/definitions/Colour' }, { kind: 'json' }],
    ['a local reference', { $ref: '#/$defs/a~1b', $defs: { 'a/b': { type: 'boolean' } } }, { kind: 'boolean' }],
    ['a reference to nowhere', { $ref: '#/$defs/none' }, { kind: 'json' }],
    ['a word of ours that lies', { type: 'string', syncline_type: { kind: 'int32' } }, { kind: 'string' }],
  ]
  it.each(cases)('%s', (_, schema, expected) => expect(fieldTypeOfJsonSchema(schema)).toEqual(expected))

  it('ends on recursive schemas, however they branch', () => {
    const tree = {
      type: 'object',
      properties: { left: { $ref: '#' }, right: { $ref: '#' }, value: { type: 'integer' } },
    }
    const type = fieldTypeOfJsonSchema(tree)
    expect(type.kind).toBe('object')
    expect(JSON.stringify(type).length).toBeLessThan(1000)
  })

  it('takes anything', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.anything(), (json, anything) => {
        for (const schema of [json, anything, { type: 'array', items: json }]) {
          expect(typeof fieldTypeOfJsonSchema(schema).kind).toBe('string')
        }
      }),
    )
  })

  it('reads what zod emits', () => {
    const schema = z.object({
      id: z.int(),
      small: z.int32(),
      price: z.number(),
      name: z.string().nullable(),
      at: z.iso.datetime(),
      local: z.iso.datetime({ local: true, offset: false }),
      day: z.iso.date(),
      clock: z.iso.time(),
      key: z.uuid().optional(),
      tags: z.array(z.string()),
      either: z.union([z.string(), z.number()]),
      nested: z.object({ ok: z.boolean() }),
    })
    const read = recordSchemaOfJsonSchema(z.toJSONSchema(schema))
    expect(Object.fromEntries(read.fields.map(({ name, type }) => [name, type]))).toEqual({
      id: { kind: 'int64' },
      small: { kind: 'int32' },
      price: { kind: 'float64' },
      name: { kind: 'string' },
      at: { kind: 'timestamp', zone: true },
      local: { kind: 'string' },
      day: { kind: 'date' },
      clock: { kind: 'string' },
      key: { kind: 'uuid' },
      tags: { kind: 'array', items: { kind: 'string' } },
      either: { kind: 'json' },
      nested: { kind: 'object', fields: [{ name: 'ok', type: { kind: 'boolean' } }] },
    })
    expect(read.fields.filter(({ nullable }) => nullable).map(({ name }) => name)).toEqual(['name', 'key'])
  })
})
