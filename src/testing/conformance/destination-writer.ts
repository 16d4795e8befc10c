import assert from 'node:assert/strict'
import { BenchTable, records, rowsOf, withDestination } from './destination-bench.js'
import type { DestinationConformance } from './destination-conformance.js'
import { abortedContext, jsonCopy, type TestRunner } from './suite.js'

export function writerTests({ describe, it }: TestRunner, suite: DestinationConformance): void {
  describe('check and writers', () => {
    it('check succeeds twice, rejects when aborted, and leaves nothing behind', () =>
      withDestination(suite, async (bench) => {
        const table = new BenchTable('checked')
        const run = await bench.open([table])
        await bench.destination.check(run.context)
        await bench.destination.check(run.context)
        await assert.rejects(bench.destination.check(abortedContext()))
        await bench.expectRows(table, [])
        await run.close()
      }))

    it('an empty seal gives a receipt without tables, with its place in the attempt', () =>
      withDestination(suite, async (bench) => {
        const table = new BenchTable('empty_seal')
        const run = await bench.open([table])
        const writer = await run.writer(table)
        const first = await writer.seal(run.context)
        assert.deepEqual(first.tables, [])
        assert.equal(first.piece, 0)
        assert.equal(first.attempt, 1)
        await writer.write(rowsOf(table.shape, records(0, 3)), run.context)
        const second = await writer.seal(run.context)
        assert.equal(second.piece, 1)
        await writer.discard(run.context)
        await run.publish([first, second])
        await run.close()
        await bench.expectRows(table, records(0, 3))
      }))

    it('a receipt counts the rows that were written, table by table', () =>
      withDestination(suite, async (bench) => {
        const [a, b] = [new BenchTable('counted_a'), new BenchTable('counted_b')]
        const run = await bench.open([a, b])
        const receipt = await run.pieceOf(
          [rowsOf(a.shape, records(0, 3)), rowsOf(b.shape, records(0, 2)), rowsOf(a.shape, records(3, 7))],
          a,
          b,
        )
        const counts = receipt.tables.map(({ table, stream, records }) => [
          stream.name,
          table.name,
          table.role,
          records,
        ])
        assert.deepEqual(counts.sort(), [
          ['counted_a', 'counted_a', 'main', 7],
          ['counted_b', 'counted_b', 'main', 2],
        ])
        await run.publish([receipt])
        await run.close()
        await bench.expectRows(a, records(0, 7))
        await bench.expectRows(b, records(0, 2))
      }))

    it('how rows are cut into batches has no effect, and an empty batch none at all', () =>
      withDestination(suite, async (bench) => {
        const table = new BenchTable('batches')
        const run = await bench.open([table])
        const all = records(0, 50)
        const cuts = [0, 1, 1, 2, 20, 49, 50]
        const batches = cuts.slice(1).map((cut, index) => rowsOf(table.shape, all.slice(cuts[index], cut)))
        const receipt = await run.pieceOf(batches, table)
        assert.deepEqual(
          receipt.tables.map(({ records }) => records),
          [50],
        )
        await run.publish([receipt])
        await run.close()
        await bench.expectRows(table, all)
      }))

    it('nothing is visible before publish; discard withdraws what came after the last seal, D10', () =>
      withDestination(suite, async (bench) => {
        const table = new BenchTable('discarded')
        const run = await bench.open([table])
        const writer = await run.writer(table)
        await writer.write(rowsOf(table.shape, records(0, 3)), run.context)
        const sealed = await writer.seal(run.context)
        await writer.write(rowsOf(table.shape, records(100, 103)), run.context)
        await bench.expectRows(table, [], 'sealed rows are visible')
        await writer.discard(run.context)
        await run.publish([sealed])
        await bench.expectRows(table, records(0, 3))
        await run.close()
        await bench.expectRows(table, records(0, 3))
      }))

    it('a later attempt goes on; what an earlier one sealed stays valid', () =>
      withDestination(suite, async (bench) => {
        const table = new BenchTable('attempts')
        const run = await bench.open([table])
        const slice = { id: 'attempted', streams: [table.shape.stream], data: null }
        const first = await run.load.writer(slice, 1, run.context)
        await first.write(rowsOf(table.shape, records(0, 3)), run.context)
        const one = await first.seal(run.context)
        await first.write(rowsOf(table.shape, records(3, 5)), run.context)
        await first.discard(run.context)
        const second = await run.load.writer(slice, 2, run.context)
        await second.write(rowsOf(table.shape, records(3, 6)), run.context)
        const two = await second.seal(run.context)
        await second.discard(run.context)
        assert.deepEqual([two.slice, two.attempt, two.piece], ['attempted', 2, 0])
        await run.publish(jsonCopy([one, two]))
        await run.close()
        await bench.expectRows(table, records(0, 6))
      }))

    it('the next piece may be written while a publish runs, and is not part of it', () =>
      withDestination(suite, async (bench) => {
        const table = new BenchTable('overlapping')
        const run = await bench.open([table])
        const writer = await run.writer(table)
        await writer.write(rowsOf(table.shape, records(0, 3)), run.context)
        const first = await writer.seal(run.context)
        await Promise.all([run.publish([first]), writer.write(rowsOf(table.shape, records(3, 6)), run.context)])
        await bench.expectRows(table, records(0, 3))
        const second = await writer.seal(run.context)
        await writer.discard(run.context)
        await run.publish([second])
        await run.close()
        await bench.expectRows(table, records(0, 6))
      }))

    it('writers of different slices work concurrently', () =>
      withDestination(suite, async (bench) => {
        const table = new BenchTable('concurrent')
        const run = await bench.open([table])
        const receipts = await Promise.all(
          Array.from({ length: 5 }, (_, part) => run.piece(table, records(part * 10, part * 10 + 10))),
        )
        await run.publish(receipts)
        await run.close()
        await bench.expectRows(table, records(0, 50))
      }))
  })
}
