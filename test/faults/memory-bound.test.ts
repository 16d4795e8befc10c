import { type Destination, Pipeline, type RecordSchema, type TableBatch } from 'syncline'
import { MemoryTables, memoryDestination, memorySource, memoryStore } from 'syncline/testing'
import { describe, expect, test } from 'vitest'
import { createByteBudget } from '#src/pipeline/budget.js'

const SCHEMA: RecordSchema = {
  fields: [
    { name: 'id', type: { kind: 'int64' }, nullable: false },
    { name: 'text', type: { kind: 'string' }, nullable: true },
  ],
}
const BUDGET = 8 << 20
const sizeOf = (batch: TableBatch) => ('columns' in batch ? batch.columns.data.byteLength : 0)

/** A destination that holds what it gets until it is sealed, as one with row groups does; with leases for it, or without (D5). */
function holding(destination: Destination, leases: boolean, held: { now: number; peak: number }): Destination {
  return {
    ...destination,
    async open(plan, context) {
      // The inner one stands for the outside world.
      const load = await destination.open({ ...plan, budget: createByteBudget(1 << 30) }, context)
      return {
        async writer(slice, attempt, work) {
          const writer = await load.writer(slice, attempt, work)
          let batches: TableBatch[] = []
          let bytes = 0
          const flush = async () => {
            const full = batches
            const freed = bytes
            batches = []
            bytes = 0
            for (const batch of full) await writer.write(batch, work)
            held.now -= freed
            await lease.resize(bytes, new AbortController().signal)
          }
          // Calls of one writer come one after the other; so does what the budget asks for.
          let busy: Promise<void> = Promise.resolve()
          const alone = (task: () => Promise<void>) => {
            busy = busy.then(task)
            return busy
          }
          const lease = plan.budget.lease(() => alone(flush))
          return {
            async write(batch, signal) {
              const size = sizeOf(batch)
              if (leases) await lease.resize(bytes + size, signal.signal)
              await alone(async () => {
                batches.push(batch)
                bytes += size
                held.now += size
                held.peak = Math.max(held.peak, held.now)
              })
            },
            async seal(settle) {
              await alone(flush)
              return writer.seal(settle)
            },
            async discard(settle) {
              held.now -= bytes
              lease.release()
              await writer.discard(settle)
            },
          }
        },
        publish: (commit, settle) => load.publish(commit, settle),
        close: (settle) => load.close(settle),
      }
    },
  }
}

async function peakWith(leases: boolean): Promise<number> {
  const tables = new MemoryTables()
  const text = 'x'.repeat(10_000)
  for (let index = 0; index < 4; index++) {
    const table = tables.table({ name: `table${index}`, schema: SCHEMA })
    for (let id = 0; id < 1000; id++) table.insert({ id: BigInt(id), text })
  }
  const held = { now: 0, peak: 0 }
  const store = memoryStore()
  const pipeline = new Pipeline({
    name: 'bounded',
    source: memorySource(tables, { slices: 1, batchRows: 20, checkpointRows: 10_000 }),
    destination: holding(memoryDestination(store), leases, held),
    budgetBytes: BUDGET,
    concurrency: 4,
    cadence: { bytes: '1GB', milliseconds: 1_000_000 },
  })
  const { records } = await pipeline.run()
  expect(records).toBe(4000)
  expect(store.violations).toEqual([])
  return held.peak
}

describe('memory', () => {
  test('D5: what all writers hold stays under the one budget of the run', async () => {
    expect(await peakWith(true)).toBeLessThanOrEqual(BUDGET)
  })

  test('D5 holds memory without the budget: the broken twin is caught', async () => {
    expect(await peakWith(false)).toBeGreaterThan(BUDGET)
  })
})
