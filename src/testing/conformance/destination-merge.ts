import { BenchTable, type BenchTableOptions, type DestinationBench, withDestination } from './destination-bench.js'
import type { DestinationConformance } from './destination-conformance.js'
import type { TestRunner } from './suite.js'

const row = (id: number, name: string | null, second: number) => ({
  id: BigInt(id),
  name,
  changed: `2026-01-01T00:00:${String(second).padStart(2, '0')}Z`,
})

export function mergeTests({ describe, it }: TestRunner, suite: DestinationConformance): void {
  const merged = (name: string, options: BenchTableOptions = {}) =>
    new BenchTable(name, {
      destinationSyncMode: 'append_dedup',
      primaryKey: ['id'],
      cursorField: 'changed',
      ...options,
    })
  const ifSupported = (test: (bench: DestinationBench) => Promise<void>) => () =>
    withDestination(suite, async (bench) => {
      if (bench.supports('incremental', 'append_dedup')) await test(bench)
    })

  describe('append_dedup', () => {
    it(
      'keeps one row per key, the newest by cursor, within a piece, a publish and over publishes',
      ifSupported(async (bench) => {
        const table = merged('newest')
        const run = await bench.open([table])
        const first = await run.piece(table, [row(1, 'a', 1), row(1, 'b', 3), row(1, 'c', 2), row(2, 'a', 1)])
        const second = await run.piece(table, [row(2, 'b', 2), row(3, 'a', 1)])
        await run.publish([first, second])
        await bench.expectRows(table, [row(1, 'b', 3), row(2, 'b', 2), row(3, 'a', 1)])
        await run.publish([await run.piece(table, [row(1, 'd', 2), row(2, null, 5), row(4, 'a', 1)])])
        await run.close()
        await bench.expectRows(table, [row(1, 'b', 3), row(2, null, 5), row(3, 'a', 1), row(4, 'a', 1)])
      }),
    )

    it(
      'of rows with the same cursor the later one wins',
      ifSupported(async (bench) => {
        const table = merged('ties')
        const run = await bench.open([table])
        await run.publish([await run.piece(table, [row(1, 'a', 1), row(1, 'b', 1)])])
        await run.publish([await run.piece(table, [row(1, 'c', 1)])])
        await run.close()
        await bench.expectRows(table, [row(1, 'c', 1)])
      }),
    )

    it(
      'without a cursor the last to arrive wins; keys may have several columns',
      ifSupported(async (bench) => {
        const table = new BenchTable('by_arrival', { destinationSyncMode: 'append_dedup', primaryKey: ['id', 'name'] })
        await bench.load(table, [row(1, 'a', 1), row(1, 'b', 9)])
        await bench.load(table, [row(1, 'a', 7), row(1, 'b', 2)])
        await bench.expectRows(table, [row(1, 'a', 7), row(1, 'b', 2)])
      }),
    )
  })
}
