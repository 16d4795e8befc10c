import assert from 'node:assert/strict'
import type { Json } from '../../model/json.js'
import { type Stream, sameStream, streamKey } from '../../model/stream.js'
import { readAll, type SliceRead, stateAfter } from './read-all.js'
import { scopesOf, streamsOf, withReading, withSource } from './source-bench.js'
import type { SourceConformance, SourceFixture } from './source-conformance.js'
import { jsonCopy, sorted, type TestRunner, testContext } from './suite.js'

interface Read {
  readonly records: readonly string[]
  readonly state: Json | undefined
}

async function readOn(fixture: SourceFixture, stream: Stream, state: Json | undefined): Promise<Read> {
  const scope = stream.scope ?? streamKey(stream)
  const scopes = scopesOf([stream], 'incremental', state === undefined ? {} : { [scope]: jsonCopy(state) })
  return withReading(fixture, scopes, async (reading) => {
    assert.deepEqual(
      reading.restarted.filter((ref) => sameStream(ref, stream)),
      [],
      'a state without a fault restarts its stream',
    )
    const reads: readonly SliceRead[] = await readAll(reading, testContext())
    const records = sorted(reads.flatMap((read) => read.records))
    return { records, state: reads.length === 0 ? state : stateAfter(reading, reads, scope, state) }
  })
}

export function incrementalTests({ describe, it }: TestRunner, suite: SourceConformance): void {
  const forStreams = (test: (fixture: SourceFixture, stream: Stream) => Promise<void>) => () =>
    withSource(suite, async (fixture) => {
      for (const stream of await streamsOf(fixture, 'incremental')) await test(fixture, stream)
    })

  describe('incremental', () => {
    it(
      'a second reading gives nothing new, and so does a third',
      forStreams(async (fixture, stream) => {
        const first = await readOn(fixture, stream, undefined)
        const second = await readOn(fixture, stream, first.state)
        assert.deepEqual(second.records, [], streamKey(stream))
        const third = await readOn(fixture, stream, second.state)
        assert.deepEqual(third.records, [], streamKey(stream))
      }),
    )

    it(
      'a later reading gives exactly the records that were added',
      forStreams(async (fixture, stream) => {
        if (fixture.addRecords === undefined) return
        const first = await readOn(fixture, stream, undefined)
        await fixture.addRecords(stream)
        const second = await readOn(fixture, stream, first.state)
        assert.ok(second.records.length > 0, `${streamKey(stream)}: what was added is not read`)
        await fixture.addRecords(stream)
        const third = await readOn(fixture, stream, second.state)
        assert.ok(third.records.length > 0, `${streamKey(stream)}: what was added later is not read`)
        if (stream.changeLog) return
        const whole = await readOn(fixture, stream, undefined)
        assert.deepEqual(sorted([...first.records, ...second.records, ...third.records]), whole.records)
      }),
    )
  })
}
