import { createHash } from 'node:crypto'

/**
 * A file name for any text: readable in front, with a hash of the exact text behind, so that it is short, legal on every file system, and
 * different for texts that differ only in case, in illegal characters or at the end.
 */
export function safeFileName(text: string): string {
  const readable = text
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '_')
    .slice(0, 48)
  return `${readable}-${createHash('sha256').update(text).digest('hex').slice(0, 16)}`
}
