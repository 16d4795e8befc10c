import type { FieldType } from '../../model/field-type.js'
import type { Json } from '../../model/json.js'

/** A record's value as JSON, without loss where the type is known: for cursors in states and for `memory/rows`. */
export function toJson(value: unknown): Json {
  if (value === undefined || value === null) return null
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  return value as Json
}

/** The value that {@link toJson} was given. */
export function fromJson(type: FieldType, json: Json): unknown {
  if (json === null) return null
  switch (type.kind) {
    case 'int64':
      return BigInt(json as string)
    case 'binary':
      return new Uint8Array(Buffer.from(json as string, 'base64'))
    case 'float32':
    case 'float64':
      return Number(json)
    default:
      return json
  }
}

/** Orders two values of one type, as records hold them. Null comes first. */
export function compareValues(type: FieldType, a: unknown, b: unknown): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1
  if (type.kind === 'decimal') return compareDecimals(String(a), String(b))
  // '10:00Z' sorts behind '10:00.5Z' unless the zone goes; it is the same for both.
  if (type.kind === 'timestamp') return order(String(a).replace(/Z$/, ''), String(b).replace(/Z$/, ''))
  return order(a as string, b as string)
}

function compareDecimals(a: string, b: string): number {
  const scale = Math.max(...[a, b].map((text) => text.split('.')[1]?.length ?? 0))
  const scaled = (text: string) => {
    const [whole = '0', fraction = ''] = text.split('.')
    return BigInt(whole + fraction.padEnd(scale, '0'))
  }
  return order(scaled(a), scaled(b))
}

function order<T extends string | number | bigint | boolean>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0
}
