/**
 * A value as JSON text, without losing anything silently: `bigint` keeps its digits, dates are ISO 8601, bytes are base64. `undefined` where
 * JSON has no such value (not a number, a function, a cycle).
 */
export function jsonText(value: unknown): string | undefined {
  try {
    return write(value, 0)
  } catch (error) {
    if (error === NO_JSON) return undefined
    throw error
  }
}

const NO_JSON = Symbol('no JSON')
const MAX_DEPTH = 1000

function write(value: unknown, depth: number): string {
  if (depth > MAX_DEPTH) throw NO_JSON
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'number':
      if (Number.isFinite(value)) return String(value)
      throw NO_JSON
    case 'boolean':
    case 'bigint':
      return String(value)
    case 'object':
      break
    default:
      throw NO_JSON
  }
  if (value === null) return 'null'
  if (Array.isArray(value)) return writeArray(value, depth)
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString('base64')}"`
  if (value instanceof Date && Number.isNaN(value.getTime())) throw NO_JSON
  const { toJSON } = value as { toJSON?: unknown }
  if (typeof toJSON === 'function') return write(toJSON.call(value), depth + 1)
  if (value instanceof Map || value instanceof Set) throw NO_JSON
  let text = ''
  for (const key of Object.keys(value)) {
    const inner = (value as { [key: string]: unknown })[key]
    if (inner === undefined) continue
    text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${write(inner, depth + 1)}`
  }
  return `{${text}}`
}

function writeArray(items: readonly unknown[], depth: number): string {
  let text = ''
  for (let i = 0; i < items.length; i++) {
    const item = items[i]
    text += `${i === 0 ? '' : ','}${item === undefined ? 'null' : write(item, depth + 1)}`
  }
  return `[${text}]`
}
