import assert from 'node:assert/strict'
import { streamKey } from '../../model/stream.js'
import { withSource } from './source-bench.js'
import type { SourceConformance } from './source-conformance.js'
import { abortedContext, type TestRunner, testContext } from './suite.js'

export function discoverTests({ describe, it }: TestRunner, suite: SourceConformance): void {
  describe('check and discover', () => {
    it('check succeeds', () => withSource(suite, ({ source }) => source.check(testContext())))

    it('check and discover reject when the signal is aborted', () =>
      withSource(suite, async ({ source }) => {
        await assert.rejects(source.check(abortedContext()))
        await assert.rejects(source.discover(abortedContext()))
      }))

    it('discovers the same catalog twice, also concurrently', () =>
      withSource(suite, async ({ source }) => {
        const [first, second] = await Promise.all([source.discover(testContext()), source.discover(testContext())])
        const third = await source.discover(testContext())
        assert.deepEqual(first, second)
        assert.deepEqual(first, third)
      }))

    it('the catalog is plain JSON, its streams differ, and their keys and cursors are fields', () =>
      withSource(suite, async ({ source }) => {
        const { streams } = await source.discover(testContext())
        assert.deepEqual(JSON.parse(JSON.stringify(streams)), streams)
        assert.ok(streams.length > 0, 'the fixture has no stream')
        assert.equal(new Set(streams.map(streamKey)).size, streams.length, 'two streams have one name')
        for (const stream of streams) {
          const fields = stream.schema.fields.map(({ name }) => name)
          assert.equal(new Set(fields).size, fields.length, `${streamKey(stream)} names a field twice`)
          assert.ok(stream.syncModes.length > 0, `${streamKey(stream)} has no sync mode`)
          const named = [
            ...(stream.primaryKey ?? []),
            ...(stream.defaultCursorField ? [stream.defaultCursorField] : []),
          ]
          for (const name of named) assert.ok(fields.includes(name), `${streamKey(stream)} has no field ${name}`)
        }
      }))
  })
}
