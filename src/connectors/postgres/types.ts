import type { FieldType } from '../../model/field-type.js'
import type { Field } from '../../model/schema.js'
import {
  arrayReading,
  type ColumnReading,
  JSON_TEXT,
  knownReading,
  numericReading,
  SERVER_TEXT,
} from './type-readings.js'

/** A row of `pg_type`, as discovery loads it. */
export interface PostgresTypeInfo {
  readonly oid: number
  readonly schema: string
  readonly name: string
  /** `typtype`: base, composite, domain, enum, pseudo, range or multirange. */
  readonly kind: 'b' | 'c' | 'd' | 'e' | 'p' | 'r' | 'm'
  readonly category: string
  /** `typelem`; 0 where there is none. */
  readonly elementOid: number
  /** `typbasetype` of a domain, else 0. */
  readonly baseTypeOid: number
  /** `typtypmod` of a domain, else -1. */
  readonly baseTypeModifier: number
  /** As `format_type` prints it. */
  readonly display: string
  /** What `elementOid` and `baseTypeOid` refer to; set by {@link linkTypes}. Without them only built-in ones are known. */
  readonly element?: PostgresTypeInfo
  readonly base?: PostgresTypeInfo
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

/** The same types by oid, each knowing its element and base type. */
export function linkTypes(rows: Iterable<PostgresTypeInfo>): ReadonlyMap<number, PostgresTypeInfo> {
  const linked = new Map<number, { -readonly [K in keyof PostgresTypeInfo]: PostgresTypeInfo[K] }>()
  for (const row of rows) linked.set(row.oid, { ...row })
  for (const type of linked.values()) {
    const element = linked.get(type.elementOid)
    if (element !== undefined) type.element = element
    const base = linked.get(type.baseTypeOid)
    if (base !== undefined) type.base = base
  }
  return linked
}

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
export function readingOf(column: Pick<PostgresColumn, 'type' | 'typeModifier'>): ColumnReading {
  return readingOfType(column.type, column.typeModifier)
}

const NUMERIC = 1700

function readingOfType(type: PostgresTypeInfo, modifier: number): ColumnReading {
  switch (type.kind) {
    case 'd':
      return domainReading(type, modifier)
    case 'c':
      return JSON_TEXT
    case 'e':
      return knownReading('text')
    case 'b':
      if (type.oid === NUMERIC) return numericReading(modifier)
      if (type.category === 'A' && type.elementOid !== 0) return arrayReading(itemsOf(type, modifier))
      // The one widely used extension type that has an exact form in JSON.
      if (type.name === 'hstore') return JSON_TEXT
      return knownReading(type.oid)
    default:
      return SERVER_TEXT
  }
}

/** A domain's own values are sent as those of its base type, which may be a domain again; the outermost modifier counts. */
function domainReading(type: PostgresTypeInfo, modifier: number): ColumnReading {
  const effective = modifier === -1 ? type.baseTypeModifier : modifier
  if (type.base !== undefined) return readingOfType(type.base, effective)
  return type.baseTypeOid === NUMERIC ? numericReading(effective) : knownReading(type.baseTypeOid)
}

function itemsOf(type: PostgresTypeInfo, modifier: number): FieldType {
  if (type.elementOid === NUMERIC) return numericReading(modifier).type
  const { element } = type
  const reading = element === undefined ? knownReading(type.elementOid) : readingOfType(element, modifier)
  return reading.itemType ?? reading.type
}
