import { isRunError, isSynclineError, memoryStateStore, Pipeline, RunError, SynclineError } from 'syncline'
import { memoryDestination, memorySource, memoryStore } from 'syncline/testing'
import { describe, expect, it } from 'vitest'
import { failing, lost, numbers, quickRetry, world } from './world.js'

const incremental = { a: { syncMode: 'incremental', cursorField: 'at' } } as const

describe('a run', () => {
  it('moves every stream by default and reports metrics', async () => {
    const w = world()
    w.table('a', 20)
    w.table('b', 5)
    const result = await w.pipeline().run()
    expect(result).toMatchObject({ status: 'succeeded', pipeline: 'people', records: 25, rejected: 0 })
    expect(result.bytes).toBeGreaterThan(0)
    expect(result.streams.map(({ stream, status, records }) => [stream.name, status, records])).toEqual([
      ['a', 'succeeded', 20],
      ['b', 'succeeded', 5],
    ])
    expect(w.ids('a')).toEqual(numbers(20))
    expect(w.store.violations).toEqual([])
    expect(w.tables.violations).toEqual([])
    expect(w.tables.openReadings).toBe(0)
    expect(w.store.open).toEqual({ loads: 0, writers: 0 })
  })

  it('replaces on a second full refresh and goes on incrementally', async () => {
    const w = world()
    const a = w.table('a', 10)
    const b = w.table('b', 10)
    const pipeline = w.pipeline({ streams: { a: {}, b: { syncMode: 'incremental', cursorField: 'at' } } })
    await pipeline.run()
    a.delete(a.rows[0]!.id)
    b.insert({ id: 11, name: 'late', at: 10 }) // shares the cursor value of the last one
    const result = await pipeline.run()
    expect(w.ids('a')).toEqual(numbers(10).slice(1))
    expect(w.ids('b')).toEqual(numbers(11))
    expect(result.streams.map(({ records }) => records)).toEqual([9, 1])
  })

  it('makes an empty table an empty table, not an error', async () => {
    const w = world()
    const a = w.table('a', 3)
    await w.pipeline().run()
    a.truncate()
    expect(await w.pipeline().run()).toMatchObject({ status: 'succeeded', records: 0 })
    expect(w.rows('a')).toEqual([])
  })

  it('that is to be continuous says when no stream can be', async () => {
    const w = world()
    w.table('a', 3)
    expect(await w.pipeline().run({ mode: 'continuous' })).toMatchObject({ status: 'succeeded', records: 3 })
    expect(w.seen('log').map(({ level, message }) => [level, message.slice(0, 28)])).toEqual([
      ['warn', 'No stream has a change log: '],
    ])
  })

  it('refuses to run twice at a time', async () => {
    const w = world()
    w.table('a', 3)
    const pipeline = w.pipeline()
    const first = pipeline.run()
    await expect(pipeline.run()).rejects.toMatchObject({ code: 'PIPELINE_BUSY' })
    await first
  })

  it('needs exactly one owner of the state', () => {
    const w = world()
    expect(() => w.pipeline({ state: memoryStateStore() })).toThrow(
      expect.objectContaining({ code: 'CONFIG_STATE_OWNER' }),
    )
    const stateless = memoryDestination(memoryStore(), { storesState: false })
    expect(() => w.pipeline({ destination: stateless })).toThrow(
      expect.objectContaining({ code: 'CONFIG_STATE_OWNER' }),
    )
  })

  it('tells a second run of the same state early that it is locked', async () => {
    const state = memoryStateStore()
    let running: Promise<unknown> = Promise.resolve()
    let second: unknown
    const w = world(
      {
        async onCall(name, phase) {
          if (name !== 'reading.slices' || phase !== 'before' || second !== undefined) return
          second = 'pending'
          second = await new Pipeline({
            name: 'people',
            source: memorySource(w.tables),
            destination: memoryDestination(w.store, { storesState: false }),
            state,
          })
            .run()
            .catch((error: unknown) => error)
        },
      },
      { storesState: false },
    )
    w.table('a', 3)
    running = w.pipeline({ state }).run()
    await running
    expect(second).toMatchObject({ code: 'STATE_LOCKED' })
    expect(w.ids('a')).toEqual(numbers(3))
  })
})

describe('a failing stream', () => {
  const missing = new SynclineError('SOURCE_PERMISSION_DENIED', 'May not be read.', { hint: 'GRANT SELECT.' })
  const failA = (): ReturnType<typeof failing> => (name, phase, details) => {
    if (name === 'reading.read.next' && phase === 'before' && String(details['slice']).startsWith('a')) throw missing
  }

  it('does not stop the others; run() rejects with the result', async () => {
    const w = world({ onCall: failA() })
    w.table('a', 10)
    w.table('b', 10)
    const error: unknown = await w
      .pipeline()
      .run()
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(RunError)
    expect(isSynclineError(error)).toBe(true)
    expect(error).toMatchObject({ code: 'SOURCE_PERMISSION_DENIED', hint: 'GRANT SELECT.', stream: { name: 'a' } })
    expect((error as RunError).result).toMatchObject({ status: 'partial' })
    expect(w.ids('b')).toEqual(numbers(10))
    expect(w.rows('a')).toEqual([])
  })

  it('of several with the same code gives that code, of several with different ones a code of its own', async () => {
    const run = async (other: SynclineError) => {
      const w = world({
        onCall: (name, phase, details) => {
          if (name !== 'reading.read.next' || phase !== 'before') return
          throw String(details['slice']).startsWith('a') ? missing : other
        },
      })
      w.table('a', 10)
      w.table('b', 10)
      return w
        .pipeline()
        .run()
        .catch((thrown: unknown) => thrown)
    }
    const alike = await run(missing)
    expect(isRunError(alike)).toBe(true)
    expect(alike).toMatchObject({
      code: 'SOURCE_PERMISSION_DENIED',
      message: '2 of 2 streams failed. a, b: SOURCE_PERMISSION_DENIED May not be read.',
      hint: expect.stringMatching(/^GRANT SELECT\./),
    })
    const different = await run(new SynclineError('SOURCE_FIELD_MISSING', 'Is gone.'))
    expect(different).toMatchObject({ code: 'PIPELINE_STREAMS_FAILED', result: { status: 'failed' } })
    expect(isRunError(missing)).toBe(false)
  })

  it('is reported instead of thrown on request', async () => {
    const w = world({ onCall: failA() })
    w.table('a', 10)
    const result = await w.pipeline().run({ onStreamFailure: 'report' })
    expect(result).toMatchObject({
      status: 'failed',
      streams: [{ status: 'failed', error: { code: 'SOURCE_PERMISSION_DENIED' } }],
    })
  })

  it('D8: leaves the old data of a full refresh', async () => {
    let broken = false
    const w = world({ onCall: (...call) => (broken ? failA()(...call) : undefined) })
    const a = w.table('a', 10)
    await w.pipeline().run()
    a.insert({ id: 11, name: 'new', at: 11 })
    broken = true
    await w.pipeline().run({ onStreamFailure: 'report' })
    expect(w.ids('a')).toEqual(numbers(10))
    broken = false
    await w.pipeline().run()
    expect(w.ids('a')).toEqual(numbers(11))
  })

  it('keeps the message of an unknown error out of sight, but in the cause', async () => {
    const secret = new Error('password=hunter2')
    const w = world({
      onCall: (name, phase) => {
        if (name === 'reading.read.next' && phase === 'before') throw secret
      },
    })
    w.table('a', 1)
    const error = await w
      .pipeline()
      .run()
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'SOURCE_FAILED' })
    expect(JSON.stringify([error, w.events])).not.toContain('hunter2')
    expect(String((error as Error).cause)).toBeDefined()
  })
})

describe('retries', () => {
  it('read a slice on after an automatic error, each record once', async () => {
    const w = world({ onCall: failing('reading.read.next', lost, 2, 3) })
    w.table('a', 30)
    expect(await w.pipeline().run()).toMatchObject({ status: 'succeeded', records: 30 })
    expect(w.ids('a')).toEqual(numbers(30))
    expect(w.seen('retry:scheduled')).toHaveLength(2)
    expect(w.seen('retry:scheduled')[0]?.error).toMatchObject({ code: 'SOURCE_CONNECTION_LOST' })
  })

  it('give up after so many attempts without progress', async () => {
    const w = world({ onCall: failing('reading.read.next', lost, 1000) })
    w.table('a', 3)
    await expect(w.pipeline().run()).rejects.toMatchObject({ code: 'SOURCE_CONNECTION_LOST' })
    expect(w.seen('retry:scheduled').length).toBeGreaterThanOrEqual(quickRetry.attempts - 1)
  })

  it('repeat discover, recover, open and publish', async () => {
    for (const name of [
      'source.discover',
      'source.open',
      'destination.recover',
      'destination.open',
      'load.publish',
      'load.writer',
      'writer.seal',
    ] as const) {
      const error = new SynclineError('DESTINATION_CONNECTION_LOST', 'Lost.')
      const hook = failing(name, error)
      const w = world({ onCall: hook }, { onCall: hook })
      w.table('a', 10)
      expect(await w.pipeline().run(), name).toMatchObject({ status: 'succeeded', records: 10 })
      expect(w.ids('a'), name).toEqual(numbers(10))
      expect(w.store.violations, name).toEqual([])
    }
  })

  it('take a lost answer of a publish for no lost commit', async () => {
    let answers = 0
    const w = world(
      {},
      {
        onCall: (name, phase) => {
          if (name === 'load.publish' && phase === 'after' && answers++ === 0)
            throw new SynclineError('DESTINATION_TIMEOUT', 'No answer.')
        },
      },
    )
    w.table('a', 10)
    await w.pipeline({ streams: incremental }).run()
    expect(w.ids('a')).toEqual(numbers(10))
  })

  it('open a new reading when the epoch is gone', async () => {
    let ended = false
    const w = world({
      onCall: (name, phase) => {
        if (name !== 'reading.read.next' || phase !== 'after' || ended) return
        ended = true
        throw new SynclineError('SOURCE_EPOCH_LOST', 'The snapshot is gone.')
      },
    })
    w.table('a', 30)
    expect(await w.pipeline().run()).toMatchObject({ status: 'succeeded', records: 30 })
    expect(w.ids('a')).toEqual(numbers(30))
    expect(w.tables.openReadings).toBe(0)
  })
})

describe('counting', () => {
  it('fails the stream when the destination counts fewer rows than it was given', async () => {
    const w = world()
    w.table('a', 10)
    const honest = memoryDestination(w.store)
    const destination: typeof honest = {
      ...honest,
      async open(plan, context) {
        const load = await honest.open(plan, context)
        const writer = load.writer.bind(load)
        load.writer = async (...args) => {
          const inner = await writer(...args)
          const seal = inner.seal.bind(inner)
          inner.seal = async (settle) => {
            const receipt = await seal(settle)
            return { ...receipt, tables: receipt.tables.map((table) => ({ ...table, records: table.records - 1 })) }
          }
          return inner
        }
        return load
      },
    }
    await expect(w.pipeline({ destination }).run()).rejects.toMatchObject({ code: 'DESTINATION_COUNT_MISMATCH' })
    expect(w.rows('a')).toEqual([])
  })
})

describe('D7: an abort', () => {
  it('before the start resolves as cancelled and touches nothing', async () => {
    const w = world()
    w.table('a', 3)
    expect(await w.pipeline().run({ signal: AbortSignal.abort() })).toMatchObject({ status: 'cancelled', records: 0 })
    expect(w.rows('a')).toEqual([])
  })

  it('in the middle publishes what is sealed and withdraws the rest', async () => {
    const abort = new AbortController()
    let reads = 0
    const w = world({
      slices: 1,
      onCall: (name, phase) => {
        if (name === 'reading.read.next' && phase === 'after' && ++reads === 8) abort.abort()
      },
    })
    w.table('a', 60)
    const pipeline = w.pipeline({ streams: incremental, cadence: { bytes: 1 } })
    const result = await pipeline.run({ signal: abort.signal })
    expect(result.status).toBe('cancelled')
    expect(w.ids('a')).toEqual(numbers(result.records))
    expect(result.records).toBeGreaterThan(0)
    expect(result.records).toBeLessThan(60)
    expect(w.store.open).toEqual({ loads: 0, writers: 0 })
    expect(w.tables.openReadings).toBe(0)
    expect(await pipeline.run()).toMatchObject({ status: 'succeeded' })
    expect(w.ids('a')).toEqual(numbers(60))
  })
})
