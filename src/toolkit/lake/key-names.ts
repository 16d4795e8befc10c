import { createHash } from 'node:crypto'

/** Longest part of a key, in bytes; file systems take 255. */
const MAX_PART = 200

/**
 * A name as one part of a key, different names always as different parts. What could lead out of the place (`/`, `..`, control characters)
 * or would be a pattern to readers (`*`, `?`, brackets) is percent-encoded; a long name is cut and ends in a hash.
 */
export function keyPart(name: string): string {
  const clean = name
    .replace(/[\p{Cc}\p{Cs}/\\%*?[\]{}"<>|:]/gu, encode)
    .replace(/^\.+|[. ]+$/g, (match) => match.replace(/./g, encode))
  return shortened(clean === '' ? '%' : clean, name, MAX_PART)
}

/** A name as a part of a file's name: letters, digits and dashes. Names that were altered end in a hash. */
export function fileNamePart(name: string, maxLength = 40): string {
  const clean = name.replace(/[^A-Za-z0-9-]/g, '-')
  if (clean === name && clean !== '') return shortened(clean, name, maxLength)
  return `${clean.slice(0, maxLength - 17)}-${hash(name)}`
}

function shortened(clean: string, name: string, maxBytes: number): string {
  const bytes = Buffer.from(clean)
  if (bytes.length <= maxBytes) return clean
  // The cut may fall into a character, or into an escape; the hash makes up for what is lost.
  const kept = bytes
    .toString('utf8', 0, maxBytes - 17)
    .replace(/\uFFFD+$/, '')
    .replace(/%[0-9A-F]?$/, '')
  return `${kept}-${hash(name)}`
}

function hash(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 16)
}

function encode(character: string): string {
  // A lone surrogate has no bytes of its own in UTF-8.
  const bytes = /\p{Cs}/u.test(character)
    ? Buffer.from([0xff, character.charCodeAt(0) >> 8, character.charCodeAt(0) & 0xff])
    : Buffer.from(character)
  return [...bytes].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}
