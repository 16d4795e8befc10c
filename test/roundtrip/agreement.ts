import { expect } from 'vitest'
import { jsonLeaves, Leaves, type TypeCase, UNFIT } from './postgres-values.js'

/** Whether what was read is what the server printed; a value that could not be held must be null and have a reason. */
export function agrees(
  each: TypeCase,
  printed: string | null,
  got: unknown,
  reason: string | undefined,
  same: (got: unknown, expected: unknown) => boolean = equal,
): boolean {
  if (printed === null) return got === null && reason === undefined
  const expected = each.expected(printed)
  if (expected === UNFIT) return got === null && reason === 'SOURCE_SERIALIZATION_ERROR'
  if (reason !== undefined) return false
  if (expected instanceof Leaves) return typeof got === 'string' && equal(jsonLeaves(got), expected.leaves)
  return same(got, expected)
}

/** The matcher tells -0 from 0 and looks into arrays; asking it is slow, so most values do not. */
export function equal(got: unknown, expected: unknown): boolean {
  if (typeof got !== 'object' || typeof expected !== 'object') return Object.is(got, expected)
  try {
    expect(got).toStrictEqual(expected)
    return true
  } catch {
    return false
  }
}
