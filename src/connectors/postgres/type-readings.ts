import { DECIMAL128_PRECISION } from '../../model/arrow-type.js'
import type { FieldType } from '../../model/field-type.js'
import { WIRE, type Wire } from './decode-wire.js'

/** How values of one type are selected, what they look like on the wire, and what they become. */
export interface ColumnReading {
  readonly type: FieldType
  readonly wire: Wire
  readonly select: (quotedIdentifier: string) => string
  /** As an item of an array, where it looks different inside JSON. */
  readonly itemType?: FieldType
  /** Some of its values have no place in the field's type; they are read as null, with a reason. */
  readonly mayBeUnfit?: true
}

const asIs = (column: string) => column
const cast = (column: string) => `${column}::pg_catalog.text`
const output = (name: string) => (column: string) => `pg_catalog.textin(pg_catalog.${name}(${column}))`
const json = (column: string) => `pg_catalog.to_json(${column})::pg_catalog.text`

const STRING: FieldType = { kind: 'string' }

/** Printed by the server. */
const SERVER_TEXT: ColumnReading = { type: STRING, wire: WIRE.text, select: cast }

/** Printed by the server as JSON: `to_json` keeps digits, the order of keys and the text of nested json as they are, `to_jsonb` does not. */
export const JSON_TEXT: ColumnReading = { type: { kind: 'json' }, wire: WIRE.text, select: json }

const plain = (type: FieldType, wire: Wire): ColumnReading => ({ type, wire, select: asIs })
const unfit = (type: FieldType, wire: Wire): ColumnReading => ({ type, wire, select: asIs, mayBeUnfit: true })
const TEXT = plain(STRING, WIRE.text)

/** An enum's value: its label, as it is sent. */
export const LABEL = TEXT

/** By the fixed oids of built-in types; all others are read as text by the server's own cast. */
const BUILT_IN: { readonly [oid: number]: ColumnReading } = {
  16: plain({ kind: 'boolean' }, WIRE.boolean),
  17: { ...plain({ kind: 'binary' }, WIRE.bytes), itemType: STRING },
  19: TEXT, // name
  20: plain({ kind: 'int64' }, WIRE.word64),
  21: plain({ kind: 'int16' }, WIRE.word16),
  23: plain({ kind: 'int32' }, WIRE.word32),
  25: TEXT,
  26: plain({ kind: 'int64' }, WIRE.unsigned32), // oid
  114: plain({ kind: 'json' }, WIRE.text),
  // Its cast to text keeps a declaration of an encoding that it is not in.
  142: { ...SERVER_TEXT, select: output('xml_out') },
  700: plain({ kind: 'float32' }, WIRE.word32),
  701: plain({ kind: 'float64' }, WIRE.word64),
  // Text would hold the currency's sign and separators. 64 bits of cents have 19 digits; no locale has more than four after the point.
  790: {
    type: { kind: 'decimal', precision: 23, scale: 4 },
    wire: WIRE.decimal,
    select: (column) => `${column}::pg_catalog.numeric(23,4)`,
    itemType: STRING,
  },
  // Its cast to text adds the netmask that its output leaves out.
  869: { ...SERVER_TEXT, select: output('inet_out') },
  1042: TEXT, // bpchar, padded as stored
  1043: TEXT, // varchar
  1082: unfit({ kind: 'date' }, WIRE.date),
  1083: unfit({ kind: 'time', zone: false }, WIRE.time),
  1114: unfit({ kind: 'timestamp', zone: false }, WIRE.timestamp),
  1184: unfit({ kind: 'timestamp', zone: true }, WIRE.timestamp),
  1186: { ...SERVER_TEXT, type: { kind: 'interval' } },
  1266: { ...SERVER_TEXT, type: { kind: 'time', zone: true } },
  2950: plain({ kind: 'uuid' }, WIRE.uuid),
  3802: plain({ kind: 'json' }, WIRE.jsonb),
}

export function knownReading(oid: number): ColumnReading {
  return BUILT_IN[oid] ?? SERVER_TEXT
}

/** JSON text; inner arrays are dimensions. */
export function arrayReading(items: FieldType): ColumnReading {
  return { type: { kind: 'array', items }, wire: WIRE.text, select: json }
}

/** Decimal128 where it fits, else all digits as the server prints them. */
export function numericReading(modifier: number): ColumnReading {
  const shape = numericShape(modifier)
  if (shape === undefined) return { ...SERVER_TEXT, type: { kind: 'decimal' } }
  if (shape.precision > DECIMAL128_PRECISION) return { ...SERVER_TEXT, type: { kind: 'decimal', ...shape } }
  return unfit({ kind: 'decimal', ...shape }, WIRE.decimal)
}

/**
 * Precision and scale of a numeric's modifier, undefined where it has none. Since PostgreSQL 15 the scale may be negative or beyond the precision:
 * the result is then the narrowest ordinary decimal that holds the same values.
 */
function numericShape(modifier: number): { readonly precision: number; readonly scale: number } | undefined {
  if (modifier < 4) return undefined
  const packed = modifier - 4
  const precision = (packed >> 16) & 0xffff
  const scale = ((packed & 0x7ff) ^ 0x400) - 0x400
  return scale < 0 ? { precision: precision - scale, scale: 0 } : { precision: Math.max(precision, scale), scale }
}
