import assert from 'node:assert/strict'
import { isSynclineError } from '../../errors/syncline-error.js'
import { BenchRun, BenchTable, records, withDestination } from './destination-bench.js'
import type { DestinationConformance } from './destination-conformance.js'
import { jsonCopy, type TestRunner, testContext } from './suite.js'

const isConflict = (error: unknown) => isSynclineError(error) && error.code === 'STATE_CONFLICT'
const isRefused = (error: unknown) =>
  isSynclineError(error) && (error.code === 'STATE_CONFLICT' || error.code === 'STATE_LOCKED')

export function publishTests({ describe, it }: TestRunner, suite: DestinationConformance): void {
  describe('publish', () => {
    it('begins at version 0 without a state, and keeps state, version and run, D1', () =>
      withDestination(suite, async (bench) => {
        if (!bench.storesState) return
        assert.deepEqual(await bench.stored(), { version: 0 })
        const table = new BenchTable('stated')
        const run = await bench.open([table])
        const { state } = await run.publish([await run.piece(table, records(0, 2))], {
          source: { at: 2, of: ['ä', null] },
        })
        await run.close()
        const stored = await bench.restarted().stored()
        assert.deepEqual(stored, { version: 1, run: run.context.run, state: jsonCopy(state) })
      }))

    it('makes exactly the rows of its receipts visible, D10', () =>
      withDestination(suite, async (bench) => {
        const table = new BenchTable('exact')
        const run = await bench.open([table])
        const first = await run.piece(table, records(0, 3))
        await run.piece(table, records(50, 53))
        const third = await run.piece(table, records(3, 6))
        await run.publish([first])
        await bench.expectRows(table, records(0, 3))
        await run.publish([third])
        await bench.expectRows(table, records(0, 6))
        await run.close()
        await bench.expectRows(table, records(0, 6), 'rows that were never published')
        const next = await bench.restarted().open([table])
        await next.publish([])
        await next.close()
        await bench.expectRows(table, records(0, 6), 'rows that were never published')
      }))

    it('without receipts saves the state alone', () =>
      withDestination(suite, async (bench) => {
        const table = new BenchTable('idle')
        const run = await bench.open([table])
        await run.publish([], { source: { position: 1 } })
        await run.publish([], { source: { position: 2 } })
        await run.close()
        const { state, version } = await bench.restarted().stored()
        assert.deepEqual([state?.source, version], [{ position: 2 }, 2])
        await bench.expectRows(table, [])
      }))

    it('repeated with the same version and run succeeds and changes nothing', () =>
      withDestination(suite, async (bench) => {
        const table = new BenchTable('repeated')
        const run = await bench.open([table])
        const receipts = [await run.piece(table, records(0, 3))]
        const commit = await run.publish(receipts, { source: 1 })
        await run.load.publish(jsonCopy(commit), run.context)
        await bench.expectRows(table, records(0, 3))
        await run.publish([await run.piece(table, records(3, 5))], { source: 2 })
        await run.close()
        await bench.expectRows(table, records(0, 5))
        assert.equal((await bench.restarted().stored()).version, 2)
      }))

    it('refuses a second run of the same scope, and leaves all as it was, D4', () =>
      withDestination(suite, async (bench) => {
        if (!bench.storesState) return
        const table = new BenchTable('fenced')
        const winner = await bench.open([table])
        const loser = await bench
          .restarted()
          .open([table])
          .catch((error) => {
            assert.ok(isRefused(error), `a second run fails with ${error}`)
            return undefined
          })
        const rows = await loser?.piece(table, records(50, 53))
        const won = await winner.piece(table, records(0, 3)).catch(() => undefined)
        if (won === undefined || loser === undefined) {
          // The newer run is the one that goes on, or the older one has the lock.
          await (won === undefined ? loser! : winner).publish(won === undefined ? [rows!] : [won], { source: 'winner' })
        } else {
          await winner.publish([won], { source: 'winner' }).then(
            async () => {
              await assert.rejects(loser.publish([rows!], { source: 'loser' }), isRefused)
              await assert.rejects(loser.publish([], { source: 'loser' }), isRefused)
              await bench.expectRows(table, records(0, 3))
            },
            async (error) => {
              assert.ok(isRefused(error), `the older run fails with ${error}`)
              await loser.publish([rows!], { source: 'winner' })
              await bench.expectRows(table, records(50, 53))
            },
          )
        }
        await loser?.close()
        await winner.close()
        const { state, version } = await bench.restarted().stored()
        assert.deepEqual([state?.source, version], ['winner', 1])
      }))

    it('refuses to open at a version that has passed', () =>
      withDestination(suite, async (bench) => {
        if (!bench.storesState) return
        const table = new BenchTable('stale')
        await bench.load(table, records(0, 3))
        const opened = BenchRun.openAt(bench.restarted(), [table], { version: 0 }, testContext({ run: 'stale' }))
        await assert.rejects(opened, isConflict)
        await bench.expectRows(table, records(0, 3))
      }))

    it('two scopes at once do not touch each other', () =>
      withDestination(suite, async (bench) => {
        const tables = ['scope_a', 'scope_b', 'scope_c'].map((name) => new BenchTable(name))
        await Promise.all(
          tables.map(async (table, index) => {
            const run = await bench.open([table], { scope: table.name })
            for (let step = 0; step < 3; step++) {
              const from = index * 100 + step * 5
              await run.publish([await run.piece(table, records(from, from + 5))], { source: step })
            }
            await run.close()
          }),
        )
        for (const [index, table] of tables.entries()) {
          await bench.expectRows(table, records(index * 100, index * 100 + 15))
          const { version, state } = await bench.restarted().stored(table.name)
          assert.deepEqual([version, state?.source], [3, 2])
        }
      }))

    it('is visible in the order of publishing', () =>
      withDestination(suite, async (bench) => {
        const table = new BenchTable('ordered')
        const run = await bench.open([table])
        const late = await run.piece(table, records(10, 12))
        const early = await run.piece(table, records(0, 2))
        await run.publish([early])
        await bench.expectRows(table, records(0, 2))
        await run.publish([late])
        await bench.expectRows(table, [...records(0, 2), ...records(10, 12)])
        await run.close()
      }))
  })
}
