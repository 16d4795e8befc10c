import { streamRef } from '../model/stream.js'
import type { EventHub } from './events.js'
import type { StreamTally } from './stream-run.js'

const INTERVAL_MS = 250

/** Emits `progress` while something moves, and once when stopped. Gives the function that stops it. */
export function reportProgress(tallies: readonly StreamTally[], events: EventHub, started: number): () => void {
  let last = -1
  const emit = () => {
    const streams = tallies.map(({ ref, written, writtenBytes, estimatedRecords }) => ({
      stream: streamRef(ref),
      records: written,
      bytes: writtenBytes,
      ...(estimatedRecords !== undefined && { estimatedRecords }),
    }))
    const records = streams.reduce((total, stream) => total + stream.records, 0)
    const bytes = streams.reduce((total, stream) => total + stream.bytes, 0)
    last = records
    events.emit('progress', { records, bytes, durationMs: Math.round(performance.now() - started), streams })
  }
  const timer = setInterval(() => {
    if (tallies.reduce((total, { written }) => total + written, 0) !== last) emit()
  }, INTERVAL_MS)
  timer.unref()
  return () => {
    clearInterval(timer)
    emit()
  }
}
