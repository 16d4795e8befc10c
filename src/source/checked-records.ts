import type { z } from 'zod'
import { isSynclineError, SynclineError } from '../errors/syncline-error.js'
import type { FieldType } from '../model/field-type.js'
import { jsonText } from '../model/json-text.js'
import type { RecordSchema } from '../model/schema.js'
import { orAbort, yieldToEventLoop } from '../util/abort.js'
import type { Definition, Records, RecordsRequest } from './definition.js'
import type { RejectedRecord } from './typed-source.js'

/** A checked record; of a rejected one also what the host gave. */
export type Checked =
  | { readonly record: object }
  | { readonly rejected: RejectedRecord; readonly given: unknown; readonly fields: ReadonlySet<string> }

/** After so many milliseconds of work without a pause, the host's event loop gets its turn. */
const LONGEST_STRETCH = 3

/** Calls the host's `records` and checks each by the schema. What the host throws becomes `SOURCE_FAILED`, an abort its reason. */
export async function* checkedRecords(
  { zod, schema, records }: Pick<Definition, 'zod' | 'schema' | 'records'>,
  request: RecordsRequest,
): AsyncGenerator<Checked, void, undefined> {
  const { signal } = request
  const check = checker(zod, schema)
  let stretch = performance.now()
  for await (const given of givenRecords(records, request)) {
    let checked = check(given)
    if (checked instanceof Promise) checked = await checked
    yield checked
    if (performance.now() - stretch < LONGEST_STRETCH) continue
    await yieldToEventLoop()
    signal.throwIfAborted()
    stretch = performance.now()
  }
}

async function* givenRecords(
  records: Definition['records'],
  request: RecordsRequest,
): AsyncGenerator<unknown, void, undefined> {
  const { signal } = request
  let iterator: Iterator<unknown> | AsyncIterator<unknown> | undefined
  try {
    signal.throwIfAborted()
    const given = await orAbort(Promise.resolve(typeof records === 'function' ? records(request) : records), signal)
    iterator = iteratorOf(given)
    for (;;) {
      const step = iterator.next()
      const result = 'then' in step ? await orAbort(Promise.resolve(step), signal) : step
      if (result.done === true) {
        iterator = undefined
        return
      }
      yield result.value
    }
  } catch (error) {
    // An iterator that failed has ended by itself.
    if (!signal.aborted) iterator = undefined
    signal.throwIfAborted()
    if (isSynclineError(error)) throw error
    throw new SynclineError('SOURCE_FAILED', 'The function that gives the records failed.', {
      phase: 'read',
      hint: 'Look at the cause. Throw a SynclineError to choose the code, and with it whether it is tried again.',
      cause: error,
    })
  } finally {
    // Left early. A generator that still waits for something would not answer, so its answer is not awaited after an abort.
    const left = iterator?.return?.()
    if (left instanceof Promise) {
      if (signal.aborted) left.catch(() => {})
      else await left
    }
  }
}

function iteratorOf(records: Records<unknown>): Iterator<unknown> | AsyncIterator<unknown> {
  const { [Symbol.asyncIterator]: iterateAsync, [Symbol.iterator]: iterate } = (records ?? {}) as Partial<
    AsyncIterable<unknown> & Iterable<unknown>
  >
  if (iterateAsync !== undefined) return iterateAsync.call(records)
  if (iterate !== undefined) return iterate.call(records)
  throw new SynclineError(
    'SOURCE_RECORD_INVALID',
    'The function that gives the records returned nothing that can be iterated.',
    {
      phase: 'read',
      hint: 'Return an array, an iterable or an async iterable of records.',
    },
  )
}

/** Checks at once where the schema can; a schema with async refinements is found out by its first record. */
function checker(zod: z.ZodObject, schema: RecordSchema): (given: unknown) => Checked | Promise<Checked> {
  const inAsync = async (given: unknown) => outcome(await zod.safeParseAsync(given), given, schema)
  let isAsync = false
  return (given) => {
    if (isAsync) return inAsync(given)
    try {
      return outcome(zod.safeParse(given), given, schema)
    } catch (error) {
      // By its name: the host may have a copy of zod of its own.
      if ((error as Error | undefined)?.constructor?.name !== '$ZodAsyncError') throw error
      isAsync = true
      return inAsync(given)
    }
  }
}

function outcome(parsed: z.ZodSafeParseResult<object>, given: unknown, schema: RecordSchema): Checked {
  if (parsed.success) return { record: parsed.data }
  const { issues } = parsed.error
  const text = jsonText(given)
  return {
    rejected: {
      reason: issues
        .slice(0, 5)
        .map((issue) => issueText(issue, schema))
        .join('; '),
      ...(text === undefined ? {} : { text }),
    },
    given,
    fields: new Set(issues.map((issue) => String(issue.path[0]))),
  }
}

/** Where and what, without values: zod's own message may hold some, and so may keys that the schema does not name. */
function issueText(issue: z.core.$ZodIssue, schema: RecordSchema): string {
  const expected = 'expected' in issue ? `expected ${issue.expected}` : 'format' in issue ? issue.format : undefined
  const path = pathText(issue.path, schema) || 'record'
  return `${path}: ${issue.code}${expected === undefined ? '' : ` (${expected})`}`
}

function pathText(path: readonly PropertyKey[], schema: RecordSchema): string {
  let text = ''
  let type: FieldType | undefined = { kind: 'object', fields: schema.fields }
  for (const part of path) {
    if (typeof part === 'number') {
      text += `[${part}]`
      type = type?.kind === 'array' ? type.items : undefined
    } else {
      const field: { readonly name: string; readonly type: FieldType } | undefined =
        type?.kind === 'object' ? type.fields.find(({ name }) => name === part) : undefined
      text += `${text === '' ? '' : '.'}${field?.name ?? '*'}`
      type = field?.type
    }
  }
  return text
}
