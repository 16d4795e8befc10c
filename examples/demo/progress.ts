import type { Pipeline } from 'syncline'
import { count, seconds, size } from './text.js'

const WIDTH = 30

/** A live bar on a terminal, a line now and then elsewhere. Returns what ends it. */
export function showProgress(pipeline: Pipeline, expected: number): () => void {
  const live = process.stdout.isTTY
  let shown = -1
  pipeline.on('progress', ({ records, bytes, durationMs }) => {
    const part = Math.min(1, records / Math.max(1, expected))
    const text = `${count(records)} records  ${size(bytes)}  ${seconds(durationMs)}`
    if (live) {
      const filled = Math.round(part * WIDTH)
      process.stdout.write(`\r  [${'█'.repeat(filled)}${'·'.repeat(WIDTH - filled)}] ${text}   `)
    } else if (Math.floor(part * 4) > shown) {
      shown = Math.floor(part * 4)
      console.log(`  ${Math.round(part * 100)} %  ${text}`)
    }
  })
  return () => {
    if (live) process.stdout.write('\n')
  }
}
