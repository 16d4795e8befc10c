import type { SynclineError } from '../errors/syncline-error.js'
import type { ScopeRef } from '../model/state.js'
import type { SelectedStream } from './configure.js'
import type { StreamResult } from './result.js'
import type { StreamTally } from './stream-run.js'

export interface PlannedStream {
  readonly selected: SelectedStream
  readonly tally: StreamTally
}

/** The streams of one state scope as a run wants them, over all its sessions. */
export class ScopePlan {
  ended = false

  constructor(
    readonly ref: ScopeRef,
    readonly streams: readonly PlannedStream[],
    private readonly onStreamEnd: (tally: StreamTally) => void,
  ) {}

  /** Every stream of it that has not ended by itself ends so. */
  end(status: StreamResult['status'], error?: SynclineError): void {
    if (this.ended) return
    this.ended = true
    for (const { tally } of this.streams) {
      tally.end(status, error)
      this.onStreamEnd(tally)
    }
  }
}
