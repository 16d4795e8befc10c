import { createHash } from 'node:crypto'
import type { IdentifierRules } from '../destination/capabilities.js'

const HASH_DIGITS = 8
const SHA256_DIGITS = 64

/**
 * The name of a table, legal at the destination. A function of the name alone: where cleaning changed it, a hash of the original follows, so
 * that two streams never share a table. Streams that differ only in case are refused before, where the destination cannot tell them apart.
 */
export function tableName(name: string, rules: IdentifierRules): string {
  const legal = legalName(name, rules)
  return legal === name ? legal : hashedName(name, rules)
}

/** The name of a table's namespace, by the rule of {@link tableName}. */
export function namespaceName(namespace: string, rules: IdentifierRules): string {
  return tableName(namespace, rules)
}

/**
 * The name of a column, legal at the destination. Where it is taken already, the name with a hash of the column's full path: a function
 * of the path alone.
 *
 * @param path - the field, or the fields from the outermost one inwards
 * @param taken - whether a name, as {@link sameNameKey} gives it, has another owner
 */
export function columnName(
  path: string | readonly string[],
  rules: IdentifierRules,
  taken: (key: string) => boolean,
): string {
  const name = typeof path === 'string' ? path : path.join('_')
  const identity = typeof path === 'string' || path.length === 1 ? String(path) : JSON.stringify(path)
  let candidate = legalName(name, rules)
  // A longer hash is only needed where somebody's own name ends in the shorter one.
  for (let digits = HASH_DIGITS; taken(sameNameKey(candidate, rules)); digits *= 2) {
    candidate = hashedName(name, rules, digits <= SHA256_DIGITS ? identity : `${identity}\0${digits}`, digits)
  }
  return candidate
}

/** Equal for names that are the same to the destination. */
export function sameNameKey(name: string, rules: IdentifierRules): string {
  return rules.caseSensitive ? name : name.toLowerCase()
}

/** The name without what the destination does not take: other names may become the same. */
export function legalName(name: string, rules: IdentifierRules): string {
  let legal = name.replace(/\p{Surrogate}/gu, '_')
  if (rules.illegal !== undefined) legal = legal.replace(new RegExp(`[${rules.illegal}]`, 'gu'), '_')
  if (rules.lowerCase) legal = legal.toLowerCase()
  return cutToBytes(legal, rules.maxBytes) || '_'
}

function hashedName(name: string, rules: IdentifierRules, identity = name, digits = HASH_DIGITS): string {
  const hash = createHash('sha256')
    .update(identity)
    .digest('hex')
    .slice(0, Math.min(digits, rules.maxBytes - 2))
  const room = rules.maxBytes - hash.length - 1
  return `${cutToBytes(legalName(name, { ...rules, maxBytes: Number.MAX_SAFE_INTEGER }), room)}_${hash}`
}

/** The longest beginning of whole characters that is at most so many bytes of UTF-8. */
function cutToBytes(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text
  let bytes = 0
  let cut = ''
  for (const character of text) {
    bytes += Buffer.byteLength(character)
    if (bytes > maxBytes) break
    cut += character
  }
  return cut
}
