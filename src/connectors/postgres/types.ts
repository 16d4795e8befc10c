import type { FieldType } from '../../model/field-type.js'
import type { Field } from '../../model/schema.js'
import { arrayReading, type ColumnReading, JSON_TEXT, knownReading, LABEL, numericReading } from './type-readings.js'

/** What discovery knows of a type, from `pg_type`. */
export interface PostgresTypeInfo {
  readonly oid: number
  readonly schema: string
  readonly name: string
  /** `typtype`: base, composite, domain, enum, pseudo, range or multirange. */
  readonly kind: 'b' | 'c' | 'd' | 'e' | 'p' | 'r' | 'm'
  /** `typcategory`; a domain has that of its base type. */
  readonly category: string
  /** `typelem` of an array, or of the array that a domain rests on; else 0. */
  readonly elementOid: number
  /** `typtype` of the element, where it is known: without it the items of an array of somebody's own type are any JSON. */
  readonly elementKind?: PostgresTypeInfo['kind']
  /** The type that a domain rests on, through any number of domains; else 0. */
  readonly baseTypeOid: number
  /** The nearest modifier on the way there, or -1. */
  readonly baseTypeModifier: number
  /** As `format_type` prints it. */
  readonly display: string
}

export interface PostgresColumn {
  readonly name: string
  readonly typeOid: number
  /** `atttypmod`; -1 where there is none. */
  readonly typeModifier: number
  readonly notNull: boolean
  readonly comment?: string
  readonly type: PostgresTypeInfo
}

/**
 * What a session must have set before it reads: values that the server prints depend on it. `lc_monetary` and `search_path`
 * are left alone on purpose: stored money means what the database's own locale says, and views may lean on the path.
 */
export const SESSION_SETTINGS = {
  client_encoding: 'UTF8',
  TimeZone: 'UTC',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'iso_8601',
  extra_float_digits: '1',
  bytea_output: 'hex',
  xmloption: 'content',
  quote_all_identifiers: 'off',
} as const

/** The field that a column becomes. Of a type whose values may have to be read as null (infinite dates, for one) it is nullable always. */
export function fieldOf(column: PostgresColumn): Field {
  const reading = readingOf(column)
  return {
    name: column.name,
    type: reading.type,
    nullable: !column.notNull || reading.mayBeUnfit === true,
    ...(column.comment !== undefined && { comment: column.comment }),
  }
}

/** What to select so that the column arrives in the form that the decoder expects. */
export function selectExpression(column: PostgresColumn, quotedIdentifier: string): string {
  return readingOf(column).select(quotedIdentifier)
}

/** How a column is selected and decoded. Total: what nobody has heard of is read as text by the server's own cast. */
export function readingOf({ type, typeModifier }: Pick<PostgresColumn, 'type' | 'typeModifier'>): ColumnReading {
  const domain = type.kind === 'd'
  const oid = domain ? type.baseTypeOid : type.oid
  const modifier = domain && typeModifier === -1 ? type.baseTypeModifier : typeModifier
  if (oid === NUMERIC) return numericReading(modifier)
  if (type.category === 'A' && type.elementOid !== 0) return arrayReading(itemsOf(type, modifier))
  if (type.category === 'C') return JSON_TEXT
  if (type.category === 'E') return LABEL
  // The one widely used extension type that has an exact form in JSON.
  if (type.name === 'hstore' && type.kind === 'b') return JSON_TEXT
  return knownReading(oid)
}

const NUMERIC = 1700
/** Oids below are of built-in types and the same in every database. */
const FIRST_OWN_OID = 16_384

function itemsOf({ elementOid, elementKind }: PostgresTypeInfo, modifier: number): FieldType {
  if (elementOid === NUMERIC) return numericReading(modifier).type
  if (elementOid >= FIRST_OWN_OID) return elementKind === 'e' ? LABEL.type : JSON_TEXT.type
  const reading = knownReading(elementOid)
  return reading.itemType ?? reading.type
}
