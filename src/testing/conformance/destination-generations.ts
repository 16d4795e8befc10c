import assert from 'node:assert/strict'
import type { DestinationSyncMode } from '../../model/sync-mode.js'
import {
  BenchTable,
  type DestinationBench,
  FIELDS,
  records,
  rowsOf,
  sideTable,
  withDestination,
} from './destination-bench.js'
import type { DestinationConformance } from './destination-conformance.js'
import type { TestRunner } from './suite.js'

const REJECTED_FIELDS = [
  { name: 'stream', type: { kind: 'string' } },
  { name: 'reason', type: { kind: 'string' } },
  { name: 'position', type: { kind: 'int64' } },
] as const

export function generationTests({ describe, it }: TestRunner, suite: DestinationConformance): void {
  const refreshed = (name: string, destinationSyncMode: DestinationSyncMode) =>
    new BenchTable(name, { syncMode: 'full_refresh', destinationSyncMode, primaryKey: ['id'] })
  const inMode = (mode: DestinationSyncMode, test: (bench: DestinationBench) => Promise<void>) => () =>
    withDestination(suite, async (bench) => {
      if (bench.supports('full_refresh', mode)) await test(bench)
    })

  describe('generations', () => {
    for (const mode of ['overwrite', 'append_dedup'] as const) {
      it(
        `${mode}: invisible until the publish that completes it, then replaces the older one, D8`,
        inMode(mode, async (bench) => {
          const table = refreshed('replaced', mode)
          await bench.load(table, records(0, 3))
          await bench.expectRows(table, records(0, 3))
          table.beginGeneration()
          const run = await bench.open([table])
          await run.publish([await run.piece(table, records(10, 13))], { source: 1 })
          await bench.expectRows(table, records(0, 3), 'an open generation is visible')
          await run.publish([await run.piece(table, records(13, 15))], { source: 2 })
          await bench.expectRows(table, records(0, 3), 'an open generation is visible')
          await run.publish([await run.piece(table, records(15, 16))], { source: 3, completed: [table] })
          await bench.expectRows(table, records(10, 16))
          await run.close()
          await bench.expectRows(table, records(10, 16))
        }),
      )
    }

    it(
      'overwrite: completed without receipts of its own publish',
      inMode('overwrite', async (bench) => {
        const table = refreshed('completed_alone', 'overwrite')
        const run = await bench.open([table])
        await run.publish([await run.piece(table, records(0, 3))])
        await run.publish([], { completed: [table] })
        await run.close()
        await bench.expectRows(table, records(0, 3))
      }),
    )

    it(
      'overwrite: an empty generation empties the table',
      inMode('overwrite', async (bench) => {
        const table = refreshed('emptied', 'overwrite')
        await bench.load(table, records(0, 3))
        await bench.expectRows(table, records(0, 3))
        table.beginGeneration()
        const run = await bench.open([table])
        await run.publish([], { completed: [table] })
        await run.close()
        await bench.expectRows(table, [])
      }),
    )

    it(
      'overwrite: a generation that is given up leaves the old data, D8',
      inMode('overwrite', async (bench) => {
        const table = refreshed('given_up', 'overwrite')
        await bench.load(table, records(0, 3))
        table.beginGeneration()
        const run = await bench.open([table])
        await run.publish([await run.piece(table, records(10, 13))])
        await run.close()
        await bench.expectRows(table, records(0, 3))
        table.beginGeneration()
        const next = await bench.restarted().open([table])
        await next.publish([await next.piece(table, records(20, 22))], { completed: [table] })
        await next.close()
        await bench.expectRows(table, records(20, 22))
      }),
    )

    for (const closes of [true, false]) {
      it(
        `overwrite: the next run finds what an open generation holds, after ${closes ? 'close' : 'a crash'}, D1 D4`,
        inMode('overwrite', async (bench) => {
          const table = refreshed('resumed', 'overwrite')
          const run = await bench.open([table])
          await run.publish([await run.piece(table, records(0, 3))], { source: 1 })
          await run.piece(table, records(50, 53))
          if (closes) await run.close()
          const next = await bench.restarted().open([table])
          await bench.expectRows(table, [])
          await next.publish([await next.piece(table, records(3, 5))], { source: 2, completed: [table] })
          await next.close()
          await bench.expectRows(table, records(0, 5))
        }),
      )
    }

    it(
      'append: a completed generation joins what is there',
      inMode('append', async (bench) => {
        const table = refreshed('joined', 'append')
        await bench.load(table, records(0, 3))
        table.beginGeneration()
        const run = await bench.open([table])
        await run.publish([await run.piece(table, records(0, 2))])
        if (bench.destination.capabilities.visibility !== 'appended') {
          await bench.expectRows(table, records(0, 3), 'an open generation is visible')
        }
        await run.publish([], { completed: [table] })
        await run.close()
        await bench.expectRows(table, [...records(0, 3), ...records(0, 2)])
      }),
    )

    it(
      'two streams of one scope complete in different commits',
      inMode('overwrite', async (bench) => {
        const [a, b] = [refreshed('done_first', 'overwrite'), refreshed('done_later', 'overwrite')]
        const run = await bench.open([a, b])
        const receipts = [await run.piece(a, records(0, 3)), await run.piece(b, records(0, 2))]
        await run.publish(receipts, { completed: [a] })
        await bench.expectRows(a, records(0, 3))
        await bench.expectRows(b, [])
        await run.publish([], { completed: [b] })
        await bench.expectRows(b, records(0, 2))
        await run.close()
        await bench.expectRows(a, records(0, 3))
      }),
    )

    it(
      'rejected records are kept when their stream is overwritten',
      inMode('overwrite', async (bench) => {
        const table = refreshed('rejecting', 'overwrite')
        const rejected = sideTable(table, 'rejected', '_syncline_rejected', REJECTED_FIELDS)
        const row = (position: number) => ({ stream: 'rejecting', reason: 'too long', position: BigInt(position) })
        for (const generation of [1, 2]) {
          if (generation > 1) table.beginGeneration()
          const run = await bench.open([table])
          const batches = [rowsOf(table.shape, records(0, generation)), rowsOf(rejected, [row(generation)])]
          const receipt = await run.pieceOf(batches, table)
          assert.deepEqual(receipt.tables.map(({ table: { role }, records }) => [role, records]).sort(), [
            ['main', generation],
            ['rejected', 1],
          ])
          await run.publish([receipt], { completed: [table], tables: [rejected] })
          await run.close()
        }
        await bench.expectRows(table, records(0, 2))
        await bench.expectRows(rejected, [row(1), row(2)])
      }),
    )

    it(
      'a new generation may have other columns',
      inMode('overwrite', async (bench) => {
        const table = refreshed('reshaped', 'overwrite')
        await bench.load(table, records(0, 3))
        table.beginGeneration()
        table.shape = { ...table.shape, fields: [...FIELDS, { name: 'extra', type: { kind: 'boolean' } }] }
        await bench.load(table, [{ ...records(0, 1)[0], extra: true }])
        await bench.expectRows(table, [{ ...records(0, 1)[0], extra: true }])
      }),
    )
  })
}
