import { describe, expect, it } from 'vitest'
import { numbers, PEOPLE, world } from './world.js'

describe('values that cannot be represented', () => {
  function withBadName(policy: 'null' | 'reject' | 'fail') {
    const w = world()
    const a = w.table('a', 5)
    a.insert({ id: 6, name: null, at: 6 }, { nulled: { name: 'SOURCE_SERIALIZATION_ERROR' } })
    a.insert({ id: 7, name: 'fine', at: 7 })
    return { w, pipeline: w.pipeline({ valuePolicy: policy }) }
  }

  it('become null with an entry in _airbyte_meta', async () => {
    const { w, pipeline } = withBadName('null')
    expect(await pipeline.run()).toMatchObject({ records: 7, rejected: 0 })
    const row = w.rows('a').find(({ id }) => id === 6)
    expect(row?.['name']).toBeNull()
    expect(JSON.parse(String(row?.['_airbyte_meta']))).toMatchObject({
      changes: [{ field: 'name', change: 'NULLED', reason: 'SOURCE_SERIALIZATION_ERROR' }],
    })
  })

  it('send their record to _syncline_rejected', async () => {
    const { w, pipeline } = withBadName('reject')
    expect(await pipeline.run()).toMatchObject({ records: 6, rejected: 1 })
    expect(w.ids('a')).toEqual([1, 2, 3, 4, 5, 7])
    const [rejected] = w.rows('_syncline_rejected')
    expect(rejected).toMatchObject({ stream: 'a', reason: 'name: SOURCE_SERIALIZATION_ERROR' })
    expect(JSON.parse(String(rejected?.['record']))).toMatchObject({ id: 6 })
    expect(w.seen('record:rejected')).toEqual([
      { stream: { name: 'a' }, code: 'SOURCE_VALUE_INVALID', reason: 'name: SOURCE_SERIALIZATION_ERROR', records: 1 },
    ])
  })

  it('fail the stream', async () => {
    const { w, pipeline } = withBadName('fail')
    await expect(pipeline.run()).rejects.toMatchObject({ code: 'SOURCE_VALUE_INVALID' })
    expect(w.rows('a')).toEqual([])
  })

  it('give the same row ids whether or not a row before was rejected', async () => {
    const kept = withBadName('null')
    const rejecting = withBadName('reject')
    await kept.pipeline.run()
    await rejecting.pipeline.run()
    // Ids derive from a generation's own id; the last group counts positions in the slice.
    const position = (w: typeof kept.w) =>
      String(w.rows('a').find(({ id }) => id === 7)?.['_airbyte_raw_id']).split('-')[4]
    expect(position(rejecting.w)).toBe(position(kept.w))
  })
})

describe('rejected records of the source', () => {
  it('are stored, counted and no failure', async () => {
    const w = world()
    const a = w.table('a', 5)
    a.insert({ id: 6, name: 'bad', at: 6 }, { rejected: { code: 'SOURCE_RECORD_INVALID', reason: 'Not a person.' } })
    expect(await w.pipeline().run()).toMatchObject({ status: 'succeeded', records: 5, rejected: 1 })
    expect(w.rows('_syncline_rejected')).toHaveLength(1)
  })
})

describe('a changed schema', () => {
  const wider = { fields: [...PEOPLE.fields, { name: 'email', type: { kind: 'string' }, nullable: true }] } as const
  function changed(policy: 'evolve' | 'freeze' | 'ignore') {
    const w = world()
    w.table('a', 3)
    const streams = { a: { syncMode: 'incremental', cursorField: 'at' } } as const
    return {
      w,
      async run() {
        await w.pipeline({ streams, schemaPolicy: policy }).run()
        const before = w.tables.tables.splice(0)[0]!
        const after = w.tables.table({ ...before.definition, schema: wider })
        after.rows = before.rows
        after.insert({ id: 4, name: 'new', at: 4, email: 'x@example.com' })
        return w.pipeline({ streams, schemaPolicy: policy }).run()
      },
    }
  }

  it('evolves: the new field becomes a column, null before', async () => {
    const { w, run } = changed('evolve')
    await run()
    expect(w.rows('a').map(({ email }) => email)).toEqual([null, null, null, 'x@example.com'])
    expect(w.seen('schema:changed')).toEqual([
      { stream: { name: 'a' }, changes: [{ field: 'email', change: 'added', to: { kind: 'string' } }] },
    ])
  })

  it('is refused when frozen', async () => {
    const { w, run } = changed('freeze')
    await expect(run()).rejects.toMatchObject({ code: 'NORMALIZE_SCHEMA_FROZEN' })
    expect(w.ids('a')).toEqual(numbers(3))
  })

  it('is ignored: the new field is not read', async () => {
    const { w, run } = changed('ignore')
    await run()
    expect(w.ids('a')).toEqual(numbers(4))
    expect(Object.keys(w.rows('a')[0]!)).not.toContain('email')
  })

  it('fails with a hint when the cursor field is gone', async () => {
    const w = world()
    w.table('a', 3)
    const streams = { a: { syncMode: 'incremental', cursorField: 'at' } } as const
    await w.pipeline({ streams }).run()
    const before = w.tables.tables.splice(0)[0]!
    w.tables.table({ ...before.definition, schema: { fields: PEOPLE.fields.filter(({ name }) => name !== 'at') } })
    await expect(w.pipeline({ streams }).run()).rejects.toMatchObject({
      code: 'SOURCE_CURSOR_MISSING',
      hint: expect.any(String),
    })
  })
})

describe('selected fields', () => {
  it('are read, key and cursor with them', async () => {
    const w = world()
    w.table('a', 3)
    await w.pipeline({ streams: { a: { fields: ['name'] } } }).run()
    expect(Object.keys(w.rows('a')[0]!).filter((name) => !name.startsWith('_'))).toEqual(['id', 'name'])
  })
})

describe('a native format', () => {
  it('passes through undecoded with the same rows', async () => {
    const w = world({ native: true }, { native: true })
    w.table('a', 20)
    expect(await w.pipeline().run()).toMatchObject({ status: 'succeeded', records: 20 })
    expect(w.ids('a')).toEqual(numbers(20))
    expect(w.seen('progress').at(-1)?.records).toBe(20)
  })
})

describe('listeners', () => {
  it('that throw are reported and do not disturb the run', async () => {
    const w = world()
    w.table('a', 3)
    const pipeline = w.pipeline()
    pipeline.on('state:published', () => {
      throw new Error('mine')
    })
    expect(await pipeline.run()).toMatchObject({ status: 'succeeded' })
    expect(w.seen('log').some(({ message }) => message.includes("'state:published' threw"))).toBe(true)
  })

  it('get JSON-safe payloads', async () => {
    const w = world()
    w.table('a', 3)
    await w.pipeline().run()
    for (const { event, payload } of w.events) {
      if (event !== 'stream:finished') expect(JSON.parse(JSON.stringify(payload)), event).toEqual(payload)
    }
    expect(w.events[0]?.event).toBe('run:started')
    expect(w.events.at(-1)?.event).toBe('run:finished')
  })
})
