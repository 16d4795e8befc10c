// A destination of your own in a dozen lines: records to a webhook, at least once, with the state in files.
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineDestination, defineSource, fileStateStore, Pipeline, SynclineError, stream } from 'syncline'
import { z } from 'zod'

const webhook = (url: string) =>
  defineDestination({
    name: 'webhook',
    modes: ['append'],
    batchRecords: 2,
    async deliver({ stream, records, signal }) {
      const response = await fetch(url, { method: 'POST', signal, body: JSON.stringify({ stream, records }) })
      // The code decides whether it is tried again.
      if (response.status === 429) throw new SynclineError('DESTINATION_OVERLOADED', 'The webhook asks for patience.')
      if (!response.ok) throw new SynclineError('DESTINATION_FAILED', `The webhook answered ${response.status}.`)
    },
  })

const Colour = z.object({ id: z.int(), name: z.string() })
const source = defineSource({
  name: 'colours',
  streams: {
    colours: stream({
      schema: Colour,
      records: [
        { id: 1, name: 'red' },
        { id: 2, name: 'green' },
        { id: 3, name: 'blue' },
      ],
    }),
  },
})

// What stands in for the receiver.
const server = createServer(async (request, response) => {
  let body = ''
  for await (const chunk of request) body += chunk
  const { stream, records } = JSON.parse(body) as { stream: { name: string }; records: z.infer<typeof Colour>[] }
  console.log(`${stream.name}: ${records.map(({ name }) => name).join(', ')}`)
  response.end()
}).listen(0, '127.0.0.1')
await once(server, 'listening')

const directory = await mkdtemp(join(tmpdir(), 'syncline-own-destination-'))
try {
  const pipeline = new Pipeline({
    name: 'colours-to-webhook',
    source,
    destination: webhook(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    state: fileStateStore(directory),
    streams: { colours: { destinationSyncMode: 'append' } },
  })
  const { records, status } = await pipeline.run()
  console.log(`${status}: ${records} records`)
} finally {
  server.close()
  await rm(directory, { recursive: true })
}
