import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type DefineDestinationOptions,
  type DeliveredRecord,
  defineDestination,
  defineSource,
  fileStateStore,
  memoryStateStore,
  Pipeline,
  type RunError,
  SynclineError,
  stream,
} from 'syncline'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'

const Event = z.object({ id: z.int(), at: z.int(), tags: z.array(z.string()).default([]) })
type Event = z.input<typeof Event>

/** A source over a list that the test changes. */
function eventSource(events: Event[]) {
  return defineSource({
    name: 'events',
    streams: {
      events: stream({
        schema: Event,
        primaryKey: ['id'],
        cursorField: 'at',
        ordered: true,
        *records({ cursor = 0 }) {
          for (const event of events) if (event.at >= cursor) yield event
        },
      }),
    },
  })
}

/** A destination that keeps what it gets, by stream. */
function inbox(deliver: DefineDestinationOptions['deliver'] = () => {}) {
  const received: Record<string, DeliveredRecord[]> = {}
  const destination = defineDestination({
    name: 'inbox',
    modes: ['append', 'append_dedup'],
    batchRecords: 10,
    async deliver(delivery) {
      await deliver(delivery)
      const { name } = delivery.stream
      received[name] = [...(received[name] ?? []), ...delivery.records]
    },
  })
  const ids = () => (received['events'] ?? []).map((record) => record['id'])
  return { destination, received, ids }
}

const incremental = { events: { syncMode: 'incremental' } } as const
const retry = { attempts: 3, initial: 1, factor: 1, max: 1 }
const range = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => ({ id: from + i, at: Math.floor((from + i) / 4) }))

describe('own source to own destination', () => {
  test('D6: runs go on where the last one ended', async () => {
    const events: Event[] = range(0, 25)
    const { destination, ids } = inbox()
    const options = {
      name: 'p',
      source: eventSource(events),
      destination,
      state: memoryStateStore(),
      streams: incremental,
    }
    expect((await new Pipeline(options).run()).records).toBe(25)
    expect((await new Pipeline(options).run()).records).toBe(0)
    events.push({ id: 25, at: 6 }, ...range(26, 40))
    expect((await new Pipeline(options).run()).records).toBe(15)
    expect(ids()).toEqual(range(0, 40).map(({ id }) => id))
  })

  test('records come as values, with the metadata of the normalizer', async () => {
    const { destination, received } = inbox()
    const source = eventSource([{ id: 1, at: 1, tags: ['a', 'b'] }])
    await new Pipeline({ name: 'p', source, destination, state: memoryStateStore(), streams: incremental }).run()
    expect(received['events']).toEqual([
      {
        id: 1,
        at: 1,
        tags: ['a', 'b'],
        _airbyte_raw_id: expect.any(String),
        _airbyte_extracted_at: expect.any(String),
        _airbyte_meta: expect.anything(),
        _airbyte_generation_id: expect.anything(),
      },
    ])
    expect(JSON.parse(JSON.stringify(received['events']))).toEqual(received['events'])
  })

  test('rejected records are counted, and delivered apart', async () => {
    const { destination, received, ids } = inbox()
    const source = eventSource([{ id: 1, at: 1 }, { id: 'no', at: 2 } as never, { id: 3, at: 3 }])
    const result = await new Pipeline({
      name: 'p',
      source,
      destination,
      state: memoryStateStore(),
      streams: incremental,
    }).run()
    expect(result).toMatchObject({ status: 'succeeded', records: 2, rejected: 1 })
    expect(ids()).toEqual([1, 3])
    expect(received['_syncline_rejected']).toHaveLength(1)
    expect(JSON.stringify(received['_syncline_rejected'])).toContain('id: invalid_type')
  })

  test('an error that may pass is tried again, and nothing comes twice', async () => {
    let failures = 2
    const { destination, ids } = inbox(({ records }) => {
      if (records[0]!['id'] === 10 && failures-- > 0) throw new SynclineError('DESTINATION_OVERLOADED', 'Slow down.')
    })
    const source = eventSource(range(0, 30))
    const options = { name: 'p', source, destination, state: memoryStateStore(), streams: incremental, retry }
    expect((await new Pipeline(options).run()).records).toBe(30)
    expect(ids()).toEqual(range(0, 30).map(({ id }) => id))
  })

  test('D1: what was not delivered is not covered, and comes with the next run', async () => {
    let broken = true
    const { destination, ids } = inbox(({ records }) => {
      if (broken && records[0]!['id'] === 20) throw new Error('broken')
    })
    const options = {
      name: 'p',
      source: eventSource(range(0, 30)),
      destination,
      state: memoryStateStore(),
      streams: incremental,
      retry,
    }
    const failed = (await new Pipeline(options).run().catch((error) => error)) as RunError
    expect(failed).toMatchObject({ code: 'DESTINATION_FAILED', result: { status: 'failed', records: 0 } })
    broken = false
    expect((await new Pipeline(options).run()).status).toBe('succeeded')
    expect(new Set(ids())).toEqual(new Set(range(0, 30).map(({ id }) => id)))
    // The next run goes on from the state as it was: at least once, by the same ids.
    expect((await new Pipeline(options).run()).records).toBe(0)
  })

  test('a full refresh gives everything every time', async () => {
    const events = range(0, 5)
    const { destination, ids } = inbox()
    const streams = { events: { destinationSyncMode: 'append' } } as const
    const options = { name: 'p', source: eventSource(events), destination, state: memoryStateStore(), streams }
    for (let run = 0; run < 3; run++) expect((await new Pipeline(options).run()).records).toBe(5)
    expect(ids()).toHaveLength(15)
  })

  test('the state is needed, and a mode that deliver cannot do is refused at once', () => {
    const { destination } = inbox()
    const source = eventSource([])
    expect(() => new Pipeline({ name: 'p', source, destination, streams: incremental })).toThrow(
      expect.objectContaining({ code: 'CONFIG_STATE_OWNER' }),
    )
    expect(() => new Pipeline({ name: 'p', source, destination, state: memoryStateStore() })).toThrow(
      expect.objectContaining({ code: 'CONFIG_MODE_UNSUPPORTED' }),
    )
  })

  test('D7: an abort ends the run, and the next one completes it', async () => {
    const stop = new AbortController()
    let slow = true
    const { destination, ids } = inbox()
    const source = defineSource({
      name: 'slow',
      streams: {
        events: stream({
          schema: Event,
          cursorField: 'at',
          ordered: true,
          async *records({ cursor = 0, signal }) {
            for (const event of range(0, 100)) {
              if (event.at < cursor) continue
              if (slow && event.id === 50) {
                setImmediate(() => stop.abort())
                await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
              }
              yield event
            }
          },
        }),
      },
    })
    const options = { name: 'p', source, destination, state: memoryStateStore(), streams: incremental }
    expect((await new Pipeline(options).run({ signal: stop.signal })).status).toBe('cancelled')
    slow = false
    expect((await new Pipeline(options).run()).status).toBe('succeeded')
    expect(ids()).toEqual(range(0, 100).map(({ id }) => id))
  })
})

describe('a deliver that does not listen', () => {
  test('D7: does not hold up the end of an aborted run; what it may have taken comes again', async () => {
    const stop = new AbortController()
    let hang = true
    const { destination, ids } = inbox(() => {
      if (!hang) return
      stop.abort()
      return new Promise<void>(() => {})
    })
    const state = memoryStateStore()
    const source = eventSource(range(0, 5))
    const options = { name: 'p', source, destination, state, streams: incremental, closeTimeout: 20 }
    await expect(new Pipeline(options).run({ signal: stop.signal })).rejects.toMatchObject({
      code: 'PIPELINE_CANCELLED',
      connector: 'inbox',
      phase: 'publish',
      hint: expect.stringContaining('closeTimeout'),
    })
    hang = false
    expect((await new Pipeline(options).run()).records).toBe(5)
    expect(ids()).toEqual([0, 1, 2, 3, 4])
  })
})

describe('processes', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'syncline-host-'))
  })
  afterEach(async () => {
    await rm(directory, { recursive: true })
  })

  const child = fileURLToPath(new URL('../fixtures/host.mjs', import.meta.url))
  const delivered = async () => {
    const text = await readFile(join(directory, 'delivered'), 'utf8').catch(() => '')
    return text.split('\n').filter(Boolean)
  }

  test('D4: killed in the middle of its deliveries, and before its state, a host loses nothing', async () => {
    for (const deliveries of [1, 13, 39, 40]) {
      const host = fork(child, [directory, String(deliveries)], { silent: true })
      await once(host, 'message')
      host.kill('SIGKILL')
      await once(host, 'exit')
      expect((await delivered()).slice(-50)).toHaveLength(50)
    }
    const last = fork(child, [directory], { silent: true })
    expect((await once(last, 'exit'))[0]).toBe(0)
    // What came again came with the id that it had, so that a receiver can tell.
    const distinct = [...new Set(await delivered())].map((line) => Number(line.split(' ')[0]))
    expect(distinct.sort((a, b) => a - b)).toEqual(Array.from({ length: 2000 }, (_, id) => id))
    expect(
      (
        await fileStateStore(join(directory, 'state')).get(
          { pipeline: 'host', scope: 'events' },
          {
            signal: new AbortController().signal,
            log: () => {},
            now: () => new Date(),
            run: 'test',
          },
        )
      ).state?.source,
    ).toMatchObject({ cursor: 499 })
  })
})
