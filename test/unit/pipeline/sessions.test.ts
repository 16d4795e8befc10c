import { describe, expect, it } from 'vitest'
import { numbers, quickRetry, world } from './world.js'

describe('several sessions in one run', () => {
  it('a generation that is begun again and again is no progress: the run ends', async () => {
    let readings = 0
    const w = world({
      ordered: true,
      onCall(name, phase) {
        if (name === 'source.open' && phase === 'before') readings++
        // The snapshot never lives as long as the copy takes.
        if (name === 'reading.read.next' && phase === 'before' && w.seen('state:published').length >= 2 * readings) {
          w.tables.endEpochs()
        }
      },
    })
    w.table('a', 60)
    const stop = AbortSignal.timeout(4000)
    const run = w.pipeline({ cadence: { bytes: 1 }, concurrency: 1 }).run({ signal: stop })
    await expect(run).rejects.toMatchObject({ code: 'SOURCE_EPOCH_LOST' })
    expect(readings).toBe(quickRetry.attempts)
  })

  it('a stream that is complete is not read again because another one lost its epoch meanwhile', async () => {
    let failed: () => void = () => {}
    const failure = new Promise<void>((resolve) => {
      failed = resolve
    })
    let lose = true
    const w = world(
      {
        async onCall(name, phase, { slice }) {
          if (name !== 'reading.read.next' || phase !== 'before' || !String(slice).startsWith('b') || !lose) return
          await publishing
          lose = false
          w.tables.endEpochs()
          setTimeout(failed, 50)
        },
      },
      {
        async onCall(name, phase, { scope }) {
          if (name !== 'load.publish' || phase !== 'before' || scope !== 'a' || !lose) return
          published()
          await failure
        },
      },
    )
    let published: () => void = () => {}
    const publishing = new Promise<void>((resolve) => {
      published = resolve
    })
    w.table('a', 5)
    w.table('b', 5)
    await w.pipeline({ concurrency: 4 }).run()
    expect(w.ids('a')).toEqual(numbers(5))
    expect(w.ids('b')).toEqual(numbers(5))
    expect(w.seen('stream:started').map(({ stream }) => stream.name)).toEqual(['a', 'b', 'b'])
  })
})

describe('a sync mode that changes', () => {
  it('is said where the rows of before stay beside the new ones', async () => {
    const w = world()
    w.table('a', 3)
    const incremental = { a: { syncMode: 'incremental', cursorField: 'at' } } as const
    const warnings = () => w.seen('log').filter(({ level }) => level === 'warn')
    await w.pipeline().run()
    expect(warnings()).toEqual([])
    await w.pipeline({ streams: incremental }).run()
    await w.pipeline({ streams: incremental }).run()
    expect(w.ids('a')).toEqual([1, 1, 2, 2, 3, 3])
    expect(warnings()).toMatchObject([{ details: { stream: 'a', from: 'full_refresh', to: 'incremental' } }])
    // Replaces all of them.
    await w.pipeline().run()
    expect(w.ids('a')).toEqual([1, 2, 3])
    expect(warnings()).toHaveLength(1)
  })
})
