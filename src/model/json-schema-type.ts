import type { FieldType } from './field-type.js'
import { isFieldType } from './field-type-checks.js'
import type { Json } from './json.js'
import { FIELD_TYPE_KEYWORD, INT_BOUNDS, standardWords } from './json-schema-words.js'
import type { Field, RecordSchema } from './schema.js'

type Keywords = { readonly [keyword: string]: unknown }

const JSON_TYPE: FieldType = { kind: 'json' }
const MAX_DEPTH = 100

/**
 * The field type of any JSON Schema. Knows Airbyte's well-known types in both of their forms (`airbyte_type`, `WellKnownTypes.json#/…`),
 * what zod emits, and what {@link jsonSchemaOf} adds. Null among the types is left aside; unions, recursive and unknown schemas are `json`.
 * `number` is `float64`, `integer` is `int64`.
 */
export function fieldTypeOfJsonSchema(schema: unknown): FieldType {
  return new Reader(schema).read(schema, 0)
}

/** The record schema of an object's JSON Schema. A field is never null only where it is required and its schema excludes null. */
export function recordSchemaOfJsonSchema(schema: unknown): RecordSchema {
  const reader = new Reader(schema)
  const root = reader.resolve(schema)
  const type = reader.read(root, 0)
  const properties = keywords(root?.['properties']) ?? {}
  const required = new Set(Array.isArray(root?.['required']) ? root['required'] : [])
  const fields = type.kind === 'object' ? type.fields : []
  return {
    fields: fields.map(({ name, type }): Field => {
      const property = Object.hasOwn(properties, name) ? properties[name] : undefined
      const comment = keywords(property)?.['description']
      return {
        name,
        type,
        nullable: !required.has(name) || reader.allowsNull(property, 0),
        ...(typeof comment === 'string' ? { comment } : {}),
      }
    }),
  }
}

const WELL_KNOWN: { readonly [name: string]: FieldType } = {
  String: { kind: 'string' },
  BinaryData: { kind: 'binary' },
  Date: { kind: 'date' },
  TimestampWithTimezone: { kind: 'timestamp', zone: true },
  TimestampWithoutTimezone: { kind: 'timestamp', zone: false },
  TimeWithTimezone: { kind: 'time', zone: true },
  TimeWithoutTimezone: { kind: 'time', zone: false },
  Number: { kind: 'float64' },
  Integer: { kind: 'int64' },
  Boolean: { kind: 'boolean' },
}

class Reader {
  /** References that are being read: one that comes up again inside itself is recursive. */
  private readonly open = new Set<string>()

  constructor(private readonly root: unknown) {}

  read(schema: unknown, depth: number): FieldType {
    const words = keywords(schema)
    if (words === undefined || depth > MAX_DEPTH) return JSON_TYPE
    const exact = exactType(words)
    if (exact !== undefined) return exact
    if (typeof words['$ref'] === 'string') return this.referred(words['$ref'], depth)
    const choices = words['oneOf'] ?? words['anyOf'] ?? words['allOf']
    if (Array.isArray(choices)) {
      const others = choices.filter((choice) => !isNullSchema(choice))
      return others.length === 1 ? this.read(others[0], depth + 1) : JSON_TYPE
    }
    const types = typesOf(words)
    return types.length === 1 ? this.ofType(types[0]!, words, depth) : JSON_TYPE
  }

  /** The schema behind local references; `undefined` where there is none. */
  resolve(schema: unknown): Keywords | undefined {
    let words = keywords(schema)
    for (let steps = 0; steps < MAX_DEPTH && typeof words?.['$ref'] === 'string'; steps++) {
      words = keywords(this.at(words['$ref']))
    }
    return words
  }

  allowsNull(schema: unknown, depth: number): boolean {
    const words = this.resolve(schema)
    if (words === undefined || depth > MAX_DEPTH) return true
    if (words['nullable'] === true || isNullSchema(words)) return true
    const choices = words['oneOf'] ?? words['anyOf']
    if (Array.isArray(choices)) return choices.some((choice) => this.allowsNull(choice, depth + 1))
    if (Array.isArray(words['enum'])) return words['enum'].includes(null)
    return Array.isArray(words['type']) ? words['type'].includes('null') : false
  }

  private referred(ref: string, depth: number): FieldType {
    const known = /WellKnownTypes\.json#\/definitions\/(\w+)$/.exec(ref)?.[1]
    if (known !== undefined) return WELL_KNOWN[known] ?? JSON_TYPE
    if (this.open.has(ref)) return JSON_TYPE
    this.open.add(ref)
    const type = this.read(this.at(ref), depth + 1)
    this.open.delete(ref)
    return type
  }

  private at(ref: string): unknown {
    if (!ref.startsWith('#')) return undefined
    let found: unknown = this.root
    for (const step of ref.slice(1).split('/').slice(1)) {
      const name = decodeStep(step)
      found =
        keywords(found) !== undefined && Object.hasOwn(found as object, name) ? (found as Keywords)[name] : undefined
    }
    return found
  }

  private ofType(type: string, words: Keywords, depth: number): FieldType {
    switch (type) {
      case 'boolean':
        return { kind: 'boolean' }
      case 'integer':
        return ofInteger(words)
      case 'number':
        return words['airbyte_type'] === 'integer' ? { kind: 'int64' } : { kind: 'float64' }
      case 'string':
        return ofString(words)
      case 'array':
        return { kind: 'array', items: this.read(words['items'], depth + 1) }
      case 'object':
        return {
          kind: 'object',
          fields: Object.entries(keywords(words['properties']) ?? {}).map(([name, property]) => ({
            name,
            type: this.read(property, depth + 1),
          })),
        }
      default:
        return JSON_TYPE
    }
  }
}

function keywords(schema: unknown): Keywords | undefined {
  return typeof schema === 'object' && schema !== null && !Array.isArray(schema) ? (schema as Keywords) : undefined
}

const isNullSchema = (schema: unknown) => {
  const words = keywords(schema)
  return words?.['type'] === 'null' || (words !== undefined && 'const' in words && words['const'] === null)
}

/** The type that {@link FIELD_TYPE_KEYWORD} names, where the words beside it still mean the same. */
function exactType(words: Keywords): FieldType | undefined {
  const type = words[FIELD_TYPE_KEYWORD]
  if (!isFieldType(type)) return undefined
  const expected = standardWords(type)
  const consistent = Object.entries(expected).every(([keyword, value]) => sameWord(keyword, words[keyword], value))
  return consistent && sameFields(type, words) ? type : undefined
}

// Inner schemas may have gained comments and null since; the outer words and the names decide.
function sameWord(keyword: string, found: unknown, expected: Json): boolean {
  return keyword === 'type' ? typeNames(found).join() === expected : found === expected
}

function sameFields(type: FieldType, words: Keywords): boolean {
  if (type.kind !== 'object') return true
  const named = Object.keys(keywords(words['properties']) ?? {})
  const names = new Set(type.fields.map(({ name }) => name))
  return named.length === names.size && named.every((name) => names.has(name))
}

function typeNames(type: unknown): string[] {
  const names = Array.isArray(type) ? type : [type]
  return names.filter((name): name is string => typeof name === 'string' && name !== 'null')
}

function typesOf(words: Keywords): string[] {
  if (words['type'] !== undefined) return typeNames(words['type'])
  const values = 'const' in words ? [words['const']] : words['enum']
  if (Array.isArray(values)) return [...new Set(values.filter((value) => value !== null).map(typeOfValue))]
  if (keywords(words['properties']) !== undefined) return ['object']
  return []
}

function typeOfValue(value: unknown): string {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'integer' : 'number'
  return Array.isArray(value) ? 'array' : typeof value
}

function ofInteger(words: Keywords): FieldType {
  for (const kind of ['int16', 'int32'] as const) {
    if (words['minimum'] === -INT_BOUNDS[kind] && words['maximum'] === INT_BOUNDS[kind] - 1) return { kind }
  }
  return { kind: 'int64' }
}

function ofString(words: Keywords): FieldType {
  if (words['contentEncoding'] === 'base64') return { kind: 'binary' }
  const airbyte = words['airbyte_type']
  if (airbyte === 'big_integer' || airbyte === 'big_number') return { kind: 'decimal' }
  switch (words['format']) {
    case 'date':
      return { kind: 'date' }
    case 'date-time':
      return { kind: 'timestamp', zone: hasZone(words) }
    case 'time':
      return { kind: 'time', zone: hasZone(words) }
    case 'uuid':
      return { kind: 'uuid' }
    case 'duration':
      return { kind: 'interval' }
    default:
      return { kind: 'string' }
  }
}

/** Without `airbyte_type` yes, as both the standard and Airbyte mean it. */
const hasZone = ({ airbyte_type: airbyte }: Keywords) =>
  typeof airbyte !== 'string' || !airbyte.endsWith('_without_timezone')

const decodeStep = (step: string) => {
  try {
    return decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')
  } catch {
    return step
  }
}
