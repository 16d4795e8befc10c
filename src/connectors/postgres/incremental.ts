import { randomBytes } from 'node:crypto'
import type { ConfiguredStream } from '../../model/configured-stream.js'
import type { Context } from '../../model/context.js'
import type { Json } from '../../model/json.js'
import type { Slice } from '../../model/slice.js'
import { streamKey, streamRef } from '../../model/stream.js'
import { Cursor } from './cursor.js'
import { countRows, findHigh, hasCursorIndex } from './cursor-statistics.js'
import { splitRange } from './incremental-split.js'
import type { Relation } from './relation.js'
import { hashCount, NO_ROWS } from './remembered-rows.js'
import type { Session } from './session.js'
import { type Boundary, type CursorRange, type IncrementalState, type RememberedRows, stateInvalid } from './state.js'

export interface IncrementalOptions {
  readonly lag: number
  readonly boundaryRows: number
  readonly sliceBytes: number
}

/** `Slice.data` of an incremental read. */
export interface IncrementalSliceData {
  readonly kind: 'incremental'
  readonly start: IncrementalState
  readonly range: CursorRange
  /** Of a range that is pending in `start`. */
  readonly index?: number
  /** Of the range that ends at the new boundary. `basis` is left out where no row is remembered. */
  readonly target?: {
    readonly low: string
    readonly high: string
    readonly basis?: Pick<RememberedRows, 'by' | 'columns'>
  }
}

/** The slices that read what came since the saved state, up to the highest cursor value inside the snapshot. */
export async function planIncremental(
  session: Session,
  stream: ConfiguredStream,
  relation: Relation,
  saved: IncrementalState | undefined,
  options: IncrementalOptions,
  context: Context,
): Promise<Slice[]> {
  const cursor = Cursor.of(stream, relation)
  if (saved !== undefined && (saved.cursor.field !== cursor.field || saved.cursor.family !== cursor.family)) {
    throw stateInvalid(
      saved.cursor.field === cursor.field
        ? `The type of the cursor ${cursor.field} is another one now.`
        : `It was saved with the cursor ${saved.cursor.field}.`,
    )
  }
  const pending = Object.values(saved?.pending ?? {}).map((range) => readable(range, relation, stream, context))
  const plan = await planRange(session, stream, relation, cursor, saved?.boundary, options, context)
  const id = randomBytes(6).toString('hex')
  const ranges = [...pending, ...(plan?.ranges ?? [])]
  const boundary = plan?.ranges.length ? edge(plan.last.from!) : saved?.boundary
  const start: IncrementalState = {
    version: 1,
    mode: 'incremental',
    cursor: { field: cursor.field, family: cursor.family },
    plan: id,
    ...(boundary !== undefined && { boundary }),
    pending: Object.fromEntries(ranges.map((range, index) => [index, range])),
  }
  const datas: IncrementalSliceData[] = ranges.map((range, index) => ({ kind: 'incremental', start, range, index }))
  if (plan !== undefined) datas.push({ kind: 'incremental', start, range: plan.last, target: plan.target })
  return datas.map((data, index) => ({
    id: `${id}-${index}`,
    streams: [streamRef(stream)],
    data: data as unknown as Json,
  }))
}

interface RangePlan {
  /** Before the last one. */
  readonly ranges: readonly CursorRange[]
  readonly last: CursorRange
  readonly target: NonNullable<IncrementalSliceData['target']>
}

async function planRange(
  session: Session,
  stream: ConfiguredStream,
  relation: Relation,
  cursor: Cursor,
  saved: Boundary | undefined,
  { lag, boundaryRows, sliceBytes }: IncrementalOptions,
  context: Context,
): Promise<RangePlan | undefined> {
  const { signal } = context
  const name = streamKey(stream)
  const indexed = await hasCursorIndex(session, relation, cursor, signal)
  const found = await findHigh(session, relation, cursor, signal)
  const high = await greater(session, cursor, found, saved?.high, signal)
  const lagged = high === undefined ? undefined : await cursor.behind(session, high, lag, signal)
  const low = await greater(session, cursor, lagged, high === undefined ? undefined : saved?.low, signal)
  const bounds = low === undefined || high === undefined ? undefined : { low, high }
  const counts = await countRows(session, relation, cursor, bounds, indexed, boundaryRows + 1, signal)
  if (counts.unusable > 0) {
    context.log('warn', 'Rows whose cursor is null, NaN or infinite are not read.', {
      stream: name,
      cursorField: cursor.field,
      records: counts.unusable,
    })
  }
  if (bounds === undefined) return undefined
  const whole: CursorRange = readable(
    {
      ...(saved !== undefined && { from: saved.low }),
      to: bounds.high,
      ...(saved !== undefined && hashCount(saved.rows) > 0 && { skip: { upTo: saved.high, rows: saved.rows } }),
    },
    relation,
    stream,
    context,
  )
  const split = async (range: CursorRange) =>
    indexed
      ? splitRange(session, relation, cursor, range, { after: saved?.high, before: bounds.low, sliceBytes }, signal)
      : [range]
  if (counts.window <= boundaryRows) {
    const ranges = await split(whole)
    return {
      ranges: ranges.slice(0, -1),
      last: ranges.at(-1)!,
      target: { ...bounds, basis: basisOf(stream, cursor) },
    }
  }
  context.log(
    'warn',
    'More rows share the boundary of the cursor than are remembered: they are held back until it has passed them.',
    {
      stream: name,
      cursorField: cursor.field,
      limit: boundaryRows,
    },
  )
  if (saved !== undefined && !(await cursor.isLess(session, saved.high, bounds.low, signal))) return undefined
  const ranges = await split({ ...whole, to: bounds.low, before: true })
  return { ranges: ranges.slice(0, -1), last: ranges.at(-1)!, target: { low: bounds.low, high: bounds.low } }
}

/** All below has been read, nothing from here on. */
function edge(value: string): Boundary {
  return { low: value, high: value, rows: NO_ROWS }
}

async function greater(
  session: Session,
  cursor: Cursor,
  a: string | undefined,
  b: string | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (a === undefined || b === undefined) return a ?? b
  return (await cursor.isLess(session, a, b, signal)) ? b : a
}

/** By content: a row that was changed and kept its cursor's value comes again, which its key could not tell. */
function basisOf(stream: ConfiguredStream, cursor: Cursor): Pick<RememberedRows, 'by' | 'columns'> {
  const fields = stream.schema.fields.map(({ name }) => name)
  return { by: 'row', columns: fields.includes(cursor.field) ? fields : [...fields, cursor.field] }
}

/** Remembered rows cannot be told without the columns that were hashed, or by a key that is none any more: then they are delivered again. */
function readable(range: CursorRange, relation: Relation, stream: ConfiguredStream, context: Context): CursorRange {
  const { skip, ...rest } = range
  if (skip === undefined || canBeTold(skip.rows, relation)) return range
  context.log(
    'warn',
    'A column or key is gone by which delivered rows were remembered: rows at the boundary are delivered again.',
    { stream: streamKey(stream) },
  )
  return rest
}

function canBeTold({ by, columns }: RememberedRows, { primaryKey, columns: now }: Relation): boolean {
  const allThere = columns.every((name) => now.some((column) => column.name === name))
  return allThere && (by === 'row' || JSON.stringify(primaryKey) === JSON.stringify(columns))
}
