import { abortAt, failAt, forSeeds, hooks, killAt, noFault, seededRandom } from 'syncline/testing'
import { describe, expect, test } from 'vitest'

const outcome = async (promise: void | Promise<void>) => {
  const pending = Symbol('pending')
  const later = new Promise((resolve) => setImmediate(() => resolve(pending)))
  const first = await Promise.race([Promise.resolve(promise).then(() => 'settled'), later]).catch(() => 'failed')
  return first === pending ? 'pending' : first
}

describe('faults', () => {
  test('nothing happens, but moments are counted', async () => {
    const fault = noFault()
    await fault.onCall('source.open', 'before', {})
    await fault.onCall('source.open', 'after', {})
    expect(fault.moments()).toBe(2)
  })

  test('a killed process never comes back', async () => {
    const fault = killAt(2)
    expect(await outcome(fault.onCall('source.open', 'before', {}))).toBe('settled')
    expect(await outcome(fault.onCall('source.open', 'after', {}))).toBe('pending')
    expect(await outcome(fault.onCall('reading.close', 'before', {}))).toBe('pending')
    expect(await fault.struck).toMatch(/^after source\.open/)
  })

  test('a call fails once; what frees fails only after it did, what opens only before', async () => {
    const close = failAt(1, () => new Error('test'))
    expect(await outcome(close.onCall('load.close', 'before', {}))).toBe('settled')
    expect(await outcome(close.onCall('load.close', 'after', {}))).toBe('failed')
    expect(await outcome(close.onCall('load.close', 'after', {}))).toBe('settled')
    const open = failAt(1, () => new Error('test'))
    expect(await outcome(open.onCall('load.writer', 'after', {}))).toBe('settled')
    expect(await outcome(open.onCall('writer.write', 'before', {}))).toBe('failed')
  })

  test('an abort at a moment', async () => {
    const controller = new AbortController()
    const fault = abortAt(1, controller)
    await hooks(() => {}, fault.onCall)('writer.write', 'before', {})
    expect(controller.signal.aborted).toBe(true)
  })

  test('a seed repeats its numbers, and what fails says it', async () => {
    const [a, b] = [seededRandom(7), seededRandom(7)]
    const numbers = Array.from({ length: 100 }, () => a.int(1, 6))
    expect(numbers).toEqual(Array.from({ length: 100 }, () => b.int(1, 6)))
    expect(new Set(numbers)).toEqual(new Set([1, 2, 3, 4, 5, 6]))
    const fails = forSeeds([1, 2], async ({ seed }) => {
      if (seed === 2) throw new Error('odd')
    })
    await expect(fails).rejects.toThrow('seed 2: odd')
  })
})
