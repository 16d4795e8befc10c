import type { Batch, Message, Source } from 'syncline'
import { memoryDestination, memorySource } from 'syncline/testing'
import { describe, expect, it } from 'vitest'
import { numbers, world } from './world.js'

/** Notes which batches come back, and what was done with them by then. */
function counting(source: Source, released: Batch[]): Source {
  return {
    ...source,
    async open(request, context) {
      const reading = await source.open(request, context)
      const read = reading.read.bind(reading)
      reading.read = async function* (...args): AsyncGenerator<Message> {
        for await (const message of read(...args)) {
          if (message.type === 'batch') {
            const release = message.release.bind(message)
            message.release = () => {
              released.push(message)
              release()
            }
          }
          yield message
        }
      }
      return reading
    },
  }
}

describe('the memory of batches', () => {
  for (const copiesRows of [true, false]) {
    it(`goes back to the source ${copiesRows ? 'once the destination has copied it' : 'never where the destination may keep it'}`, async () => {
      const w = world({ batchRows: 3 })
      w.table('a', 9)
      const released: Batch[] = []
      const result = await w
        .pipeline({
          source: counting(memorySource(w.tables, { batchRows: 3, slices: 1 }), released),
          destination: memoryDestination(w.store, { capabilities: { copiesRows } }),
        })
        .run()
      expect(result.records).toBe(9)
      expect(released.reduce((rows, { length }) => rows + length, 0)).toBe(copiesRows ? 9 : 0)
      expect(w.ids('a')).toEqual(numbers(9))
    })
  }
})
