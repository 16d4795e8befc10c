import type { FieldType } from './field-type.js'
import { sameFieldType } from './field-type-checks.js'
import type { Json } from './json.js'
import { fieldTypeOfJsonSchema } from './json-schema-type.js'
import { FIELD_TYPE_KEYWORD, type JsonSchema, standardWords } from './json-schema-words.js'
import type { RecordSchema } from './schema.js'

/**
 * The JSON Schema of a type, in the words of the standard and of Airbyte's well-known types (`airbyte_type`, `contentEncoding`), so that any
 * tool understands it. {@link fieldTypeOfJsonSchema} gives back exactly the same type.
 */
export function jsonSchemaOf(type: FieldType): JsonSchema {
  const schema = { ...standardWords(type), ...innerSchemas(type) }
  return sameFieldType(fieldTypeOfJsonSchema(schema), type)
    ? schema
    : { ...schema, [FIELD_TYPE_KEYWORD]: type as unknown as Json }
}

/** The JSON Schema of records: an object. Nullable fields may be null or missing. */
export function recordJsonSchema(schema: RecordSchema): JsonSchema {
  const type: FieldType = { kind: 'object', fields: schema.fields.map(({ name, type }) => ({ name, type })) }
  const properties = schema.fields.map((field) => {
    const inner = jsonSchemaOf(field.type)
    const typed =
      field.nullable && typeof inner['type'] === 'string' ? { ...inner, type: ['null', inner['type']] } : inner
    return [field.name, field.comment === undefined ? typed : { ...typed, description: field.comment }] as const
  })
  const required = schema.fields.filter(({ nullable }) => !nullable).map(({ name }) => name)
  return {
    ...jsonSchemaOf(type),
    properties: Object.fromEntries(properties),
    ...(required.length === 0 ? {} : { required }),
  }
}

function innerSchemas(type: FieldType): JsonSchema {
  if (type.kind === 'array') return { items: jsonSchemaOf(type.items) }
  if (type.kind !== 'object') return {}
  return { properties: Object.fromEntries(type.fields.map((field) => [field.name, jsonSchemaOf(field.type)])) }
}
