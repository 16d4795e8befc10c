import type { Stream, StreamRef } from '../../model/stream.js'
import type { Source } from '../../source/source.js'
import { discoverTests } from './source-discover.js'
import { incrementalTests } from './source-incremental.js'
import { readingTests } from './source-reading.js'
import type { TestRunner } from './suite.js'

/** A source to be tested, with a world behind it that nothing else changes. */
export interface SourceFixture {
  readonly source: Source
  /** Adds at least one record to the stream; incremental streams that cannot be added to are not tested for new records. */
  readonly addRecords?: (stream: StreamRef) => Promise<void>
  /** Ends what slices rest on (snapshots), as a restart of the server would. Where left out, losing an epoch is not tested. */
  readonly endEpochs?: () => Promise<void>
  /** Called once, last. */
  readonly close?: () => Promise<void>
}

export interface SourceConformance {
  readonly name: string
  /** A fresh fixture, with the same streams and records every time. At least one stream has a few dozen records. */
  readonly create: () => Promise<SourceFixture>
  /**
   * The records that a stream must give when it is read from the beginning, as `batch.rows()` gives them. Left out: two readings must be equal.
   */
  readonly expected?: (stream: Stream) => readonly object[] | Promise<readonly object[]>
}

/** Every promise of `Source` and `Reading`, as tests of the given runner. */
export function sourceConformance(runner: TestRunner, suite: SourceConformance): void {
  runner.describe(`${suite.name}: source conformance`, () => {
    discoverTests(runner, suite)
    readingTests(runner, suite)
    incrementalTests(runner, suite)
  })
}
