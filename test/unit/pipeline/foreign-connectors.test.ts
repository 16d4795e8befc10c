import { type Normalizer, type Reading, type Source, SynclineError, typedNormalizer } from 'syncline'
import { memorySource } from 'syncline/testing'
import { describe, expect, it } from 'vitest'
import { failing, numbers, world } from './world.js'

/** A source whose readings are not quite what they should be. */
function odd(source: Source, change: (reading: Reading) => Partial<Reading>): Source {
  return {
    ...source,
    async open(request, context) {
      const reading = await source.open(request, context)
      const bound: Reading = {
        restarted: reading.restarted,
        slices: (given) => reading.slices(given),
        read: (slice, after, given) => reading.read(slice, after, given),
        advance: (state, proof, scope) => reading.advance!(state, proof, scope),
        close: (given) => reading.close(given),
      }
      return { ...bound, ...change(reading) }
    },
  }
}

describe('a source that somebody else wrote', () => {
  it('frees the destination when slices throws instead of iterating', async () => {
    const w = world()
    w.table('a', 3)
    const source = odd(memorySource(w.tables), () => ({
      slices() {
        throw new TypeError('no slices')
      },
    }))
    await expect(w.pipeline({ source }).run()).rejects.toMatchObject({ code: 'SOURCE_FAILED', phase: 'read' })
    expect(w.store.open).toEqual({ loads: 0, writers: 0 })
    expect(w.tables.openReadings).toBe(0)
  })

  it('D10: a slice of a stream that nobody asked for is no empty table', async () => {
    const w = world()
    w.table('a', 3)
    await w.pipeline().run()
    const source = odd(memorySource(w.tables), (reading) => ({
      async *slices(context) {
        for await (const item of reading.slices(context)) {
          yield 'planned' in item ? item : { ...item, streams: [{ namespace: 'public', name: 'a' }] }
        }
      },
    }))
    await expect(w.pipeline({ source }).run()).rejects.toMatchObject({ code: 'SOURCE_PROTOCOL_VIOLATION' })
    expect(w.ids('a')).toEqual(numbers(3))
  })
})

describe('a destination that somebody else wrote', () => {
  it('ends the run when it never finds its pieces, instead of asking for ever', async () => {
    const gone = new SynclineError('DESTINATION_GENERATION_LOST', 'Gone.')
    const w = world({}, { onCall: failing('destination.recover', gone, 100) })
    w.table('a', 3)
    await expect(w.pipeline().run()).rejects.toMatchObject({ code: 'DESTINATION_GENERATION_LOST' })
  })
})

describe('a normalizer that somebody else wrote', () => {
  it('fails the stream when it cannot tell its schema at the end', async () => {
    const typed = typedNormalizer()
    const normalizer: Normalizer = {
      ...typed,
      open(...args) {
        const inner = typed.open(...args)
        let calls = 0
        return {
          tables: () => inner.tables(),
          projection: () => inner.projection(),
          normalize: (input, context) => inner.normalize(input, context),
          schema() {
            if (calls++ > 0) throw new TypeError('no schema')
            return inner.schema()
          },
        }
      },
    }
    const w = world()
    w.table('a', 3)
    await expect(w.pipeline({ normalizer }).run()).rejects.toMatchObject({ code: 'DESTINATION_FAILED' })
    w.table('empty', 0)
    await expect(
      w.pipeline({ normalizer, streams: { empty: { syncMode: 'incremental', cursorField: 'at' } } }).run(),
    ).rejects.toThrow()
    expect(w.store.open).toEqual({ loads: 0, writers: 0 })
  })
})
