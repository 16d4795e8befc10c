import assert from 'node:assert/strict'
import { BenchTable, records, rowsOf, withDestination } from './destination-bench.js'
import type { DestinationConformance } from './destination-conformance.js'
import { jsonCopy, type TestRunner } from './suite.js'

export function recoveryTests({ describe, it }: TestRunner, suite: DestinationConformance): void {
  describe('recovery', () => {
    it('a run that died leaves nothing that is not published, D4 D10', () =>
      withDestination(suite, async (bench) => {
        const table = new BenchTable('died')
        const run = await bench.open([table])
        await run.publish([await run.piece(table, records(0, 3))], { source: 3 })
        await run.piece(table, records(3, 6))
        const writer = await run.writer(table)
        await writer.write(rowsOf(table.shape, records(6, 9)), run.context)
        // No seal, no discard, no close: the process is gone.
        const next = bench.restarted()
        const stored = await next.stored()
        assert.deepEqual([stored.version, stored.state?.source], [1, 3])
        const second = await next.open([table])
        await second.publish([await second.piece(table, records(3, 9))], { source: 9 })
        await second.close()
        await bench.expectRows(table, records(0, 9))
      }))

    it('recover changes nothing, however often it is called', () =>
      withDestination(suite, async (bench) => {
        if (!bench.storesState) return
        const table = new BenchTable('recovered')
        await bench.load(table, records(0, 3))
        const next = bench.restarted()
        const first = await next.stored()
        assert.deepEqual(await next.stored(), first)
        assert.equal(first.version, 1)
        await bench.expectRows(table, records(0, 3))
      }))

    it('a receipt lives as plain JSON between seal and publish', () =>
      withDestination(suite, async (bench) => {
        const table = new BenchTable('serialized')
        const run = await bench.open([table])
        const receipts = [await run.piece(table, records(0, 3)), await run.piece(table, records(3, 4))]
        await run.publish(jsonCopy(receipts).reverse())
        await run.close()
        await bench.expectRows(table, records(0, 4))
      }))

    it('many runs in a row, each by a new process', () =>
      withDestination(suite, async (bench) => {
        const table = new BenchTable('many_runs')
        for (let run = 0; run < 5; run++) await bench.restarted().load(table, records(run * 3, run * 3 + 3))
        await bench.expectRows(table, records(0, 15))
        assert.equal((await bench.restarted().stored()).version, 5)
      }))

    it('a generation that was completed, whose saving was lost, goes on with what it holds', () =>
      withDestination(suite, async (bench) => {
        if (bench.storesState || !bench.supports('full_refresh', 'overwrite')) return
        const table = new BenchTable('completed_unsaved', {
          syncMode: 'full_refresh',
          destinationSyncMode: 'overwrite',
        })
        const run = await bench.open([table])
        await run.publish([await run.piece(table, records(0, 3))], { source: 3 })
        const rest = await run.piece(table, records(3, 5))
        // The state store does not get to know of this one.
        await run.load.publish(run.commit([rest], { completed: [table], source: 5 }), run.context)
        await bench.expectRows(table, records(0, 5))
        const next = await bench.restarted().open([table])
        await next.publish([await next.piece(table, records(3, 5))], { source: 5, completed: [table] })
        await next.close()
        const rows = (await bench.fixture.read(table.shape)) as readonly { readonly id: unknown }[]
        assert.deepEqual([...new Set(rows.map(({ id }) => Number(id)))].sort(), [0, 1, 2, 3, 4])
      }))
  })
}
