import type { FieldType } from '../../model/field-type.js'
import type { Json } from '../../model/json.js'
import { compareValues, fromJson } from './json-values.js'

/** Rows with a cursor above `lower` (`null`: from the beginning) up to and including `upper` have been read. */
export interface CoveredRange {
  readonly lower: Json
  readonly upper: Json
  /** Ids of the rows at `upper` that were read: a row that gets the same value later must not be lost. */
  readonly seen: readonly number[]
}

/** A range that is left to read: above `lower`, the rows at `lower` but for those in `skip`, and up to `upper`. */
export interface Gap {
  readonly lower: Json
  readonly skip: readonly number[]
  /** Left out: up to what there is. */
  readonly upper?: Json
}

/** The union of ranges, ascending, touching ones made one. The order of adding has no effect. */
export function cover(type: FieldType, ranges: readonly CoveredRange[], added: CoveredRange): CoveredRange[] {
  const compare = (a: Json, b: Json) => compareValues(type, fromJson(type, a), fromJson(type, b))
  const sorted = [...ranges, added].sort((a, b) => compare(a.lower, b.lower) || compare(a.upper, b.upper))
  const union: CoveredRange[] = []
  for (const range of sorted) {
    const last = union.at(-1)
    if (last === undefined || compare(range.lower, last.upper) > 0) {
      union.push(range)
      continue
    }
    const order = compare(range.upper, last.upper)
    if (order < 0) continue
    const seen = order === 0 ? [...new Set([...last.seen, ...range.seen])].sort((a, b) => a - b) : range.seen
    union[union.length - 1] = { lower: last.lower, upper: range.upper, seen }
  }
  return union
}

/** What the ranges leave out; the last gap has no upper end. */
export function gaps(ranges: readonly CoveredRange[]): Gap[] {
  const left: Gap[] = []
  let lower: Json = null
  let skip: readonly number[] = []
  for (const range of ranges) {
    if (range.lower !== lower) left.push({ lower, skip, upper: range.lower })
    lower = range.upper
    skip = range.seen
  }
  return [...left, { lower, skip }]
}
