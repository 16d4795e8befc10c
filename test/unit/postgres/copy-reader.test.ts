import { EventEmitter } from 'node:events'
import type { ClientBase } from 'pg'
import { describe, expect, it } from 'vitest'
import { copyBatches } from '#src/connectors/postgres/copy-reader.js'
import { fieldOf, type PostgresColumn } from '#src/connectors/postgres/types.js'
import { copyMessages, int32, row } from './binary-copy.js'

const text: PostgresColumn = {
  name: 'a',
  typeOid: 25,
  typeModifier: -1,
  notNull: false,
  type: {
    oid: 25,
    schema: 'pg_catalog',
    name: 'text',
    kind: 'b',
    category: 'S',
    elementOid: 0,
    baseTypeOid: 0,
    baseTypeModifier: -1,
    display: 'text',
  },
}

interface Query {
  submit(connection: unknown): unknown
  handleCommandComplete(message: { text: string }): void
  handleReadyForQuery(): void
}

/** A driver and a server in one: answers with these bytes, cut so often, then says how many rows there were. */
function clientThatSends(bytes: Buffer, tag: string, cutAt: number): ClientBase {
  const stream = Object.assign(new EventEmitter(), { pause() {}, resume() {} })
  let query: Query
  let rest = ''
  // The driver's own listener: it is to see the end only.
  stream.on('data', (chunk: Buffer) => {
    rest += chunk.toString('latin1')
    if (rest !== 'c\0\0\0\x04Z') return
    query.handleCommandComplete({ text: tag })
    query.handleReadyForQuery()
  })
  const answer = Buffer.concat([bytes, Buffer.from('c'), int32(4), Buffer.from('Z')])
  const connection = {
    stream,
    query() {
      setImmediate(() => {
        for (let at = 0; at < answer.length; at += cutAt) stream.emit('data', answer.subarray(at, at + cutAt))
      })
    },
  }
  return {
    query(asked: Query) {
      query = asked
      query.submit(connection)
    },
  } as unknown as ClientBase
}

async function read(client: ClientBase): Promise<{ values: unknown[]; rows: number }> {
  const schema = { fields: [fieldOf(text)] }
  const { signal } = new AbortController()
  const batches = copyBatches(client, 'SELECT a FROM t', { name: 't' }, schema, [text], { signal, batchRows: 2 })
  const values: unknown[] = []
  for (;;) {
    const next = await batches.next()
    if (next.done) return { values, rows: next.value.rows }
    values.push(...[...next.value.rows()].map((record) => record['a']))
  }
}

const THREE = copyMessages(['a', 'b', 'c'].map((value) => row([Buffer.from(value)])))

describe('counting rows', () => {
  it.each([1, 3, 10, 1000])('agrees with the server, chunks of %i bytes', async (cutAt) => {
    expect(await read(clientThatSends(THREE, 'COPY 3', cutAt))).toEqual({ values: ['a', 'b', 'c'], rows: 3 })
  })

  it.each(['COPY 2', 'COPY 4', 'COPY', 'SELECT 3'])('fails when the server says %s', async (tag) => {
    await expect(read(clientThatSends(THREE, tag, 1000))).rejects.toMatchObject({ code: 'SOURCE_PROTOCOL_VIOLATION' })
  })

  it('fails when the copy ends without its trailer', async () => {
    await expect(read(clientThatSends(THREE.subarray(0, -7), 'COPY 3', 1000))).rejects.toMatchObject({
      code: 'SOURCE_PROTOCOL_VIOLATION',
    })
  })
})
