import type { PostgresTypeInfo } from './types.js'

/** How the lag of a cursor is counted: in units, in seconds or not at all. */
export type LagUnit = 'integer' | 'number' | 'days' | 'seconds' | 'none'

interface CursorRule {
  /** Types of one family can follow one another in a saved state. */
  readonly family: string
  readonly lag: LagUnit
  /** It has NaN or infinity above all other values, which can never be a bound. */
  readonly infinite: boolean
}

const rule = (family: string, lag: LagUnit, infinite = false): CursorRule => ({ family, lag, infinite })

const RULES: { readonly [name: string]: CursorRule } = {
  int2: rule('number', 'integer'),
  int4: rule('number', 'integer'),
  int8: rule('number', 'integer'),
  numeric: rule('number', 'number', true),
  float4: rule('float', 'number', true),
  float8: rule('float', 'number', true),
  text: rule('text', 'none'),
  varchar: rule('text', 'none'),
  bpchar: rule('bpchar', 'none'),
  name: rule('name', 'none'),
  citext: rule('citext', 'none'),
  uuid: rule('uuid', 'none'),
  bytea: rule('bytea', 'none'),
  date: rule('date', 'days', true),
  time: rule('time', 'none'),
  timestamp: rule('timestamp', 'seconds', true),
  timestamptz: rule('timestamptz', 'seconds', true),
  pg_lsn: rule('pg_lsn', 'none'),
  xid8: rule('xid8', 'none'),
}

/** Built-in types by OID, for domains over them. */
const BY_OID: { readonly [oid: number]: string } = {
  17: 'bytea',
  19: 'name',
  20: 'int8',
  21: 'int2',
  23: 'int4',
  25: 'text',
  700: 'float4',
  701: 'float8',
  1042: 'bpchar',
  1043: 'varchar',
  1082: 'date',
  1083: 'time',
  1114: 'timestamp',
  1184: 'timestamptz',
  1700: 'numeric',
  2950: 'uuid',
  3220: 'pg_lsn',
  5069: 'xid8',
}

/** What is known of a type as a cursor; nothing where its values cannot be compared in a useful way. */
export function cursorRule(type: PostgresTypeInfo): CursorRule | undefined {
  if (type.category === 'E') return rule(`enum:${type.schema}.${type.name}`, 'none')
  const name = BY_OID[type.kind === 'd' ? type.baseTypeOid : type.oid]
  if (name !== undefined) return RULES[name]
  return type.name === 'citext' && type.kind === 'b' ? RULES['citext'] : undefined
}

export const isCursorType = (type: PostgresTypeInfo): boolean => cursorRule(type) !== undefined

/** The type to cast a saved text to, without modifier: that would round it. A domain over a built-in type is compared as that. */
export function cursorCast(type: PostgresTypeInfo): { readonly namespace: string; readonly name: string } {
  const base = type.kind === 'd' ? BY_OID[type.baseTypeOid] : undefined
  return base === undefined ? { namespace: type.schema, name: type.name } : { namespace: 'pg_catalog', name: base }
}
