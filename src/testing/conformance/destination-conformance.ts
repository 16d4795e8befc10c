import type { Destination } from '../../destination/destination.js'
import type { TableShape } from '../../model/table.js'
import { changeTests } from './destination-changes.js'
import { generationTests } from './destination-generations.js'
import { mergeTests } from './destination-merge.js'
import { publishTests } from './destination-publish.js'
import { recoveryTests } from './destination-recovery.js'
import { tableTests } from './destination-tables.js'
import { writerTests } from './destination-writer.js'
import type { TestRunner } from './suite.js'

/** A destination to be tested, on an empty place of its own. */
export interface DestinationFixture {
  /** A new destination on this place, as a new process would make it. */
  readonly destination: () => Destination
  /** What a reader of this place sees of a table now, in any order. A table that is not there has no rows. */
  readonly read: (table: TableShape) => Promise<readonly object[]>
  /** Called once, last. */
  readonly close?: () => Promise<void>
}

export interface DestinationConformance {
  readonly name: string
  readonly create: () => Promise<DestinationFixture>
}

/** Every promise of `Destination`, `Load` and `Writer` that its capabilities declare, as tests of the given runner. */
export function destinationConformance(runner: TestRunner, suite: DestinationConformance): void {
  runner.describe(`${suite.name}: destination conformance`, () => {
    writerTests(runner, suite)
    publishTests(runner, suite)
    generationTests(runner, suite)
    recoveryTests(runner, suite)
    mergeTests(runner, suite)
    changeTests(runner, suite)
    tableTests(runner, suite)
  })
}
