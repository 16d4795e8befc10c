import { memoryDestination, memorySource, type OnCall } from 'syncline/testing'
import { describe, expect, it } from 'vitest'
import { world } from './world.js'

/** Aborts the run in the first such call, which then never ends and listens to nothing. */
function deafAt(name: Parameters<OnCall>[0], abort: AbortController): OnCall {
  return (called, phase) => {
    if (called !== name || phase !== 'before') return
    abort.abort()
    return new Promise(() => {})
  }
}

describe('D7: after an abort a connector that listens to no signal is left behind', () => {
  it.each([
    'source.discover',
    'source.open',
    'reading.slices.next',
    'reading.read.next',
    'reading.close',
    'destination.recover',
    'destination.open',
    'load.writer',
    'writer.write',
    'writer.seal',
    'load.publish',
    'load.close',
  ] as const)('%s', async (name) => {
    const w = world()
    w.table('a', 10)
    const abort = new AbortController()
    const onCall = deafAt(name, abort)
    const pipeline = w.pipeline({
      source: memorySource(w.tables, { onCall }),
      destination: memoryDestination(w.store, { onCall }),
      closeTimeout: 20,
    })
    const outcome = await pipeline.run({ signal: abort.signal }).then(
      ({ status }) => status,
      (error: { code: string }) => error.code,
    )
    expect(['cancelled', 'succeeded', 'PIPELINE_CANCELLED']).toContain(outcome)
  })
})
