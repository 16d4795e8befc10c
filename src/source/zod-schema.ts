import type { z } from 'zod'
import { SynclineError } from '../errors/syncline-error.js'
import type { FieldType } from '../model/field-type.js'
import type { Field, RecordSchema } from '../model/schema.js'

/**
 * The schema of the records that a zod object gives out, after its transforms. Texts with a format become dates, timestamps and uuids; nested
 * objects and arrays keep their inner types; what has no type of its own (records, unions, unknown) is JSON. Throws `CONFIG_INVALID`
 * for what no record can hold, and for objects that let unknown keys through.
 */
export function zodRecordSchema(schema: z.ZodObject): RecordSchema {
  refuseUnknownKeys(schema.def, '')
  return { fields: Object.entries(schema.def.shape).map(([name, part]) => zodField(name, part as z.ZodType)) }
}

function zodField(name: string, schema: z.ZodType): Field {
  const { type, nullable } = fieldOf(schema, name)
  const { description } = schema
  return { name, type, nullable, ...(description === undefined ? {} : { comment: description }) }
}

/** As much of zod's definitions as is read here. */
interface Def {
  readonly type: string
  readonly format?: string
  readonly checks?: readonly { readonly _zod: { readonly def: { readonly format?: string } } }[]
  readonly innerType?: z.ZodType
  readonly out?: z.ZodType
  readonly element?: z.ZodType
  readonly shape?: { readonly [name: string]: z.ZodType }
  readonly catchall?: z.ZodType
  readonly options?: readonly z.ZodType[]
  readonly values?: readonly unknown[]
  readonly entries?: { readonly [name: string]: unknown }
  readonly offset?: boolean
  readonly local?: boolean
}

type Typed = Pick<Field, 'type' | 'nullable'>

const JSON_TYPE: FieldType = { kind: 'json' }
const given = (type: FieldType): Typed => ({ type, nullable: false })

function fieldOf(schema: z.ZodType, path: string): Typed {
  const def = schema.def as unknown as Def
  switch (def.type) {
    case 'optional':
    case 'nullable':
      return { ...fieldOf(def.innerType!, path), nullable: true }
    case 'default':
    case 'prefault':
    case 'nonoptional':
      return { type: fieldOf(def.innerType!, path).type, nullable: allowsNull(def.innerType!) }
    case 'catch':
    case 'readonly':
      return fieldOf(def.innerType!, path)
    case 'pipe':
      return fieldOf(def.out!, path)
    case 'string':
      return given(stringType(def))
    case 'number':
      return given(numberType(formatOf(def)))
    case 'bigint':
      return given(formatOf(def) === 'uint64' ? { kind: 'decimal', precision: 20, scale: 0 } : { kind: 'int64' })
    case 'boolean':
      return given({ kind: 'boolean' })
    case 'date':
      return given({ kind: 'timestamp', zone: true })
    case 'template_literal':
      return given({ kind: 'string' })
    case 'enum':
      return ofValues(Object.values(def.entries!))
    case 'literal':
      return ofValues(def.values!)
    case 'array':
      return given({ kind: 'array', items: fieldOf(def.element!, `${path}[]`).type })
    case 'object':
      refuseUnknownKeys(def, path)
      return given({
        kind: 'object',
        fields: Object.entries(def.shape!).map(([name, part]) => ({
          name,
          type: fieldOf(part, `${path}.${name}`).type,
        })),
      })
    case 'union':
      return unionOf(def.options!.map((option) => fieldOf(option, path)))
    case 'map':
    case 'set':
    case 'symbol':
    case 'function':
    case 'promise':
    case 'file':
    case 'never':
      throw refused(
        path,
        `z.${def.type}() has no place in a record`,
        'Use z.record() or z.array(), or leave the field out.',
      )
    case 'record':
    case 'tuple':
    case 'intersection':
      return given(JSON_TYPE)
    // null, undefined, any, unknown, custom, lazy and transforms: nothing is known of the values.
    default:
      return { type: JSON_TYPE, nullable: true }
  }
}

/** Whether null is among the values even after a default has replaced undefined. */
function allowsNull(schema: z.ZodType): boolean {
  const def = schema.def as unknown as Def
  if (def.type === 'nullable') return true
  return def.type === 'optional' ? allowsNull(def.innerType!) : fieldOf(schema, '').nullable
}

const formatOf = (def: Def) => def.format ?? def.checks?.map((check) => check._zod.def.format).find(Boolean)

function numberType(format: string | undefined): FieldType {
  if (format === 'int32' || format === 'float32') return { kind: format }
  return { kind: format === 'safeint' || format === 'uint32' ? 'int64' : 'float64' }
}

function stringType(def: Def): FieldType {
  switch (formatOf(def)) {
    case 'uuid':
    case 'guid':
      return { kind: 'uuid' }
    case 'datetime': {
      const { offset, local } = formatDef(def)
      if (!local) return { kind: 'timestamp', zone: true }
      // Wall clocks and instants mixed have no common type.
      return offset ? { kind: 'string' } : { kind: 'timestamp', zone: false }
    }
    case 'date':
      return { kind: 'date' }
    case 'time':
      return { kind: 'time', zone: false }
    case 'duration':
      return { kind: 'interval' }
    default:
      return { kind: 'string' }
  }
}

/** `z.iso.datetime()` has its options itself, `z.string().datetime()` in a check. */
function formatDef(def: Def): Pick<Def, 'offset' | 'local'> {
  if (def.format !== undefined) return def
  return (def.checks?.find((check) => check._zod.def.format === 'datetime')?._zod.def ?? {}) as Pick<
    Def,
    'offset' | 'local'
  >
}

function ofValues(values: readonly unknown[]): Typed {
  return unionOf(
    values.map((value): Typed => {
      if (value === null || value === undefined) return { type: JSON_TYPE, nullable: true }
      if (typeof value === 'string') return given({ kind: 'string' })
      if (typeof value === 'boolean') return given({ kind: 'boolean' })
      if (typeof value === 'bigint') return given({ kind: 'int64' })
      return given({ kind: Number.isSafeInteger(value) ? 'int64' : 'float64' })
    }),
  )
}

/** Members of one type keep it; null and undefined only make it nullable. */
function unionOf(members: readonly Typed[]): Typed {
  const nullable = members.some((member) => member.nullable)
  const types = members.filter((member) => !(member.nullable && member.type === JSON_TYPE)).map((member) => member.type)
  const [first] = types
  const same = first !== undefined && types.every((type) => JSON.stringify(type) === JSON.stringify(first))
  return { type: same ? first : JSON_TYPE, nullable }
}

function refuseUnknownKeys(def: { readonly catchall?: unknown }, path: string): void {
  const catchall = (def.catchall as z.ZodType | undefined)?.def.type
  if (catchall === undefined || catchall === 'never') return
  throw refused(
    path,
    'an object that lets unknown keys through would lose them',
    'Name the fields in z.object(), or use z.record() for a field with free keys.',
  )
}

function refused(path: string, problem: string, hint: string): SynclineError {
  return new SynclineError(
    'CONFIG_INVALID',
    `Invalid schema of a stream${path === '' ? '' : ` at ${path}`}: ${problem}.`,
    {
      phase: 'configure',
      hint,
    },
  )
}
