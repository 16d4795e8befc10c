import type { Receipt } from '../destination/destination.js'
import { SynclineError } from '../errors/syncline-error.js'
import { streamKey } from '../model/stream.js'
import type { StreamRun } from './stream-run.js'

interface Counts {
  readonly stream: StreamRun
  read: number
  rejected: number
}

/** Counts what the pipeline gave to a writer since the last seal, to hold it against the receipt. */
export class PieceCount {
  bytes = 0
  readonly #counts = new Map<string, Counts>()
  #passed: StreamRun | undefined

  read(stream: StreamRun, records: number, bytes: number): void {
    this.#of(stream).read += records
    this.bytes += bytes
  }

  rejected(stream: StreamRun): void {
    this.#of(stream).rejected++
  }

  /** Bytes that passed undecoded; the source tells their records at the end. */
  passed(stream: StreamRun, bytes: number): void {
    this.#passed = stream
    this.bytes += bytes
  }

  passedRecords(records: number): void {
    if (this.#passed === undefined) return
    this.#of(this.#passed).read += records
    this.#passed.tally.written += records
  }

  /** Throws `DESTINATION_COUNT_MISMATCH` unless read = written + rejected for every stream. */
  compare(receipt: Receipt, destination: string): void {
    for (const [key, counts] of this.#counts) {
      let written = 0
      let rejected = 0
      for (const table of receipt.tables) {
        if (streamKey(table.stream) !== key) continue
        if (table.table.role === 'rejected') rejected += table.records
        else if (table.table.role === counts.stream.countedRole) written += table.records
      }
      if (written === counts.read && rejected === counts.rejected) continue
      throw new SynclineError(
        'DESTINATION_COUNT_MISMATCH',
        `${counts.read} records and ${counts.rejected} rejected ones of ${key} were given to the destination, which counted ${written} and ${rejected}.`,
        {
          phase: 'write',
          stream: counts.stream.ref,
          connector: destination,
          hint: 'This is a bug of a connector; nothing was published.',
        },
      )
    }
  }

  #of(stream: StreamRun): Counts {
    let counts = this.#counts.get(stream.key)
    if (counts === undefined) {
      counts = { stream, read: 0, rejected: 0 }
      this.#counts.set(stream.key, counts)
    }
    return counts
  }
}
