import { isSynclineError, type SynclineError } from '../errors/syncline-error.js'
import type { ScopeRef } from '../model/state.js'
import { sameStream } from '../model/stream.js'
import type { SelectedStream } from './configure.js'
import type { StreamResult } from './result.js'
import type { StreamRun, StreamTally } from './stream-run.js'

export interface PlannedStream {
  readonly selected: SelectedStream
  readonly tally: StreamTally
}

/** The streams of one state scope as a run wants them, over all its sessions. */
export class ScopePlan {
  ended = false
  /** Generations whose pieces the destination lost: their streams begin anew. */
  readonly lostGenerations = new Set<string>()

  constructor(
    readonly ref: ScopeRef,
    readonly streams: readonly PlannedStream[],
    private readonly onStreamEnd: (tally: StreamTally) => void,
  ) {}

  /** Takes note of what an error says about open generations: that of its stream, or all of them. */
  noteLost(error: unknown, streams: readonly StreamRun[]): void {
    if (!isSynclineError(error) || error.code !== 'DESTINATION_GENERATION_LOST') return
    for (const { open, ref, generationId } of streams) {
      if (open && (error.stream === undefined || sameStream(error.stream, ref))) this.lostGenerations.add(generationId)
    }
  }

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
