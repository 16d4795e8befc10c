import { type BatchChanges, OPERATION } from '../../model/change.js'
import { BenchTable, type DestinationBench, rowsOf, withDestination } from './destination-bench.js'
import type { DestinationConformance } from './destination-conformance.js'
import type { TestRunner } from './suite.js'

const row = (id: number, name: string | null) => ({ id: BigInt(id), name, changed: '2026-01-01T00:00:00Z' })

function changes(
  operations: readonly (keyof typeof OPERATION)[],
  from: number,
  unchanged?: BatchChanges['unchanged'],
): BatchChanges {
  return {
    operations: Uint8Array.from(operations, (name) => OPERATION[name]),
    positions: BigUint64Array.from(operations, (_, index) => BigInt(from + index)),
    ordinals: new Uint32Array(operations.length),
    ...(unchanged && { unchanged }),
  }
}

export function changeTests({ describe, it }: TestRunner, suite: DestinationConformance): void {
  const ifSupported = (test: (bench: DestinationBench, table: BenchTable) => Promise<void>) => () =>
    withDestination(suite, async (bench) => {
      if (!bench.supports('incremental', 'append_dedup')) return
      const options = { destinationSyncMode: 'append_dedup', primaryKey: ['id'], changeLog: true } as const
      await test(bench, new BenchTable('changed', options))
    })

  describe('changes', () => {
    it(
      'inserts, updates and deletes merge into the copy, by key and in the order of the log',
      ifSupported(async (bench, table) => {
        const run = await bench.open([table])
        await run.publish([await run.piece(table, [row(1, 'copy'), row(2, 'copy'), row(3, 'copy')])], {
          completed: [table],
        })
        const rows = [row(4, 'new'), row(1, 'updated'), row(2, null), row(5, 'short'), row(5, null)]
        const operations = changes(['insert', 'update', 'delete', 'insert', 'delete'], 10)
        await run.publish([await run.piece(table, rows, operations)])
        await bench.expectRows(table, [row(1, 'updated'), row(3, 'copy'), row(4, 'new')])
        await run.publish([await run.piece(table, [row(5, 'again')], changes(['insert'], 20))])
        await run.close()
        await bench.expectRows(table, [row(1, 'updated'), row(3, 'copy'), row(4, 'new'), row(5, 'again')])
      }),
    )

    it(
      'changes join an open generation and stay invisible with it',
      ifSupported(async (bench, table) => {
        const run = await bench.open([table])
        await run.publish([await run.piece(table, [row(1, 'copy'), row(2, 'copy')])])
        await run.publish([await run.piece(table, [row(1, null)], changes(['delete'], 10))])
        await bench.expectRows(table, [])
        await run.publish([], { completed: [table] })
        await run.close()
        await bench.expectRows(table, [row(2, 'copy')])
      }),
    )

    it(
      'values that the log did not carry stay as they are',
      ifSupported(async (bench, table) => {
        const run = await bench.open([table])
        await run.publish([await run.piece(table, [row(1, 'kept'), row(2, 'gone')])], { completed: [table] })
        const unchanged = new Map([['name', Uint8Array.of(1, 0)]])
        await run.publish([
          await run.piece(table, [row(1, null), row(2, null)], changes(['update', 'update'], 10, unchanged)),
        ])
        await run.close()
        await bench.expectRows(table, [row(1, 'kept'), row(2, null)])
      }),
    )

    it(
      'a truncate removes what was before it, and nothing after',
      ifSupported(async (bench, table) => {
        const run = await bench.open([table])
        await run.publish([await run.piece(table, [row(1, 'copy'), row(2, 'copy')])], { completed: [table] })
        const receipt = await run.pieceOf(
          [
            rowsOf(table.shape, [row(3, 'before')], changes(['insert'], 10)),
            { table: table.shape, truncate: { position: 11n, ordinal: 0 } },
            rowsOf(table.shape, [row(2, 'after')], changes(['insert'], 12)),
          ],
          table,
        )
        await run.publish([receipt])
        await run.close()
        await bench.expectRows(table, [row(2, 'after')])
      }),
    )
  })
}
