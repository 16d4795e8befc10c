// One full refresh of a table into a local Parquet lake, in a process of its own. Prints JSON.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Pipeline } from 'syncline'
import { filesystemDestination } from 'syncline/filesystem'
import { postgresSource } from 'syncline/postgres'

const [connectionString = '', directory = '', table = ''] = process.argv.slice(2)
const delay = monitorEventLoopDelay({ resolution: 1 })
const pipeline = new Pipeline({
  name: 'bench',
  source: postgresSource({ connectionString, schemas: ['public'], tables: [table] }),
  destination: filesystemDestination({ directory, format: { type: 'parquet', compression: 'snappy' } }),
})
delay.enable()
const started = performance.now()
const result = await pipeline.run()
const milliseconds = performance.now() - started
delay.disable()
process.stdout.write(
  JSON.stringify({
    milliseconds,
    records: result.records,
    bytes: result.bytes,
    peakMb: Math.round(process.resourceUsage().maxRSS / 1024),
    delayP99Ms: Number((delay.percentile(99) / 1e6).toFixed(1)),
  }),
)
