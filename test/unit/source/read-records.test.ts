import type { Source } from 'syncline'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineSource } from '#src/source/define-source.js'
import { readRecords } from '#src/source/read-records.js'
import { stream } from '#src/source/stream-definition.js'

const User = z.object({
  id: z.int(),
  big: z.bigint(),
  at: z.date(),
  tags: z.array(z.string()),
  note: z.string().transform((text) => text.toUpperCase()),
})
const given = { id: 1, big: 9007199254740993n, at: new Date(5), tags: ['a'], note: 'hello' }

const sourceOf = (...records: unknown[]) =>
  defineSource({ name: 'crm', streams: { users: stream({ schema: User, records: records as (typeof given)[] }) } })

/** The same source for those who do not know its types. */
function untyped({ name, check, discover, open }: Source): Source {
  return { name, check, discover, open }
}

async function all<T>(records: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const record of records) found.push(record)
  return found
}

test('records of a typed source are what its schema gives out', async () => {
  expect(await all(readRecords(sourceOf(given), 'users'))).toEqual([{ ...given, note: 'HELLO' }])
})

test('records of an untyped source have the forms of the model', async () => {
  expect(await all(readRecords(untyped(sourceOf(given)), 'users'))).toEqual([
    { id: 1n, big: 9007199254740993n, at: '1970-01-01T00:00:00.005Z', tags: '["a"]', note: '"HELLO"' },
  ])
})

describe.each([
  ['typed', (source: ReturnType<typeof sourceOf>): Source => source],
  ['untyped', untyped],
])('%s', (_, as) => {
  test('a record that does not fit ends the reading', async () => {
    const read = readRecords(as(sourceOf(given, { ...given, id: 'secret' })), 'users')
    const error = await all(read).catch((caught) => caught)
    expect(error).toMatchObject({ code: 'SOURCE_RECORD_INVALID', stream: { name: 'users' }, connector: 'crm' })
    expect(error.message).not.toContain('secret')
  })

  test('unless somebody takes it', async () => {
    const rejected: unknown[] = []
    const source = as(sourceOf({ id: 2 }, given))
    const found = await all(readRecords(source, 'users', { onRejected: (each) => rejected.push(each) }))
    expect(found).toHaveLength(1)
    expect(rejected).toMatchObject([{ text: '{"id":2}' }])
  })

  test('an abort ends it with its reason', async () => {
    const stop = new AbortController()
    const read = async () => {
      for await (const _record of readRecords(as(sourceOf(given, given)), 'users', { signal: stop.signal })) {
        stop.abort(new Error('enough'))
      }
    }
    stop.signal.throwIfAborted()
    // What is at hand already may still come, so many records are needed for the abort to be seen.
    const many = as(sourceOf(...Array.from({ length: 50_000 }, () => given)))
    const readMany = async () => {
      for await (const _record of readRecords(many, 'users', { signal: stop.signal })) stop.abort(new Error('enough'))
    }
    await expect(readMany()).rejects.toThrow('enough')
    await expect(read()).rejects.toThrow('enough')
  })

  test('leaving early frees the source', async () => {
    let aborted: AbortSignal | undefined
    const source = defineSource({
      name: 's',
      streams: {
        numbers: stream({
          schema: z.object({ n: z.int() }),
          *records({ signal }) {
            aborted = signal
            for (let n = 0; n < 1_000_000; n++) yield { n }
          },
        }),
      },
    })
    for await (const _record of readRecords<Source, string>(as(source as never), 'numbers')) break
    expect(aborted!.aborted).toBe(true)
  })
})

test('an unknown stream is named', async () => {
  const read = readRecords<Source, string>(untyped(sourceOf()), 'people')
  await expect(all(read)).rejects.toMatchObject({ code: 'CONFIG_STREAM_UNKNOWN' })
  const near = readRecords<Source, string>(untyped(sourceOf()), 'user')
  await expect(all(near)).rejects.toMatchObject({ code: 'CONFIG_STREAM_UNKNOWN', hint: 'Did you mean users?' })
})

test('a stream whose name is not enough is asked for', async () => {
  const source = untyped(sourceOf(given))
  const discover: Source['discover'] = async (context) => {
    const [users] = (await source.discover(context)).streams
    return {
      streams: [
        { ...users!, namespace: 'a' },
        { ...users!, namespace: 'b' },
      ],
    }
  }
  const read = readRecords<Source, string>({ ...source, discover }, 'users')
  await expect(all(read)).rejects.toMatchObject({
    code: 'CONFIG_STREAM_AMBIGUOUS',
    hint: 'Choose one of a.users, b.users.',
  })
})
