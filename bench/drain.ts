// The physical limit: the same binary COPY, on as many connections as the source uses, thrown away. Prints JSON.
import pg from 'pg'
import { to } from 'pg-copy-streams'

const [connectionString = '', table = '', connections = '1'] = process.argv.slice(2)
const parts = Number(connections)
const started = performance.now()
const probe = new pg.Client({ connectionString })
await probe.connect()
const { rows } = await probe.query(`SELECT pg_relation_size($1::regclass) / 8192 AS pages`, [table])
await probe.end()
const pages = Number(rows[0].pages) + 1
let bytes = 0
await Promise.all(
  Array.from({ length: parts }, async (_, part) => {
    const client = new pg.Client({ connectionString })
    await client.connect()
    const from = Math.floor((pages * part) / parts)
    const until = Math.floor((pages * (part + 1)) / parts)
    const where = parts === 1 ? '' : `WHERE ctid >= '(${from},0)' AND ctid < '(${until},0)'`
    const copy = client.query(to(`COPY (SELECT * FROM ${table} ${where}) TO STDOUT (FORMAT binary)`))
    await new Promise<void>((resolve, reject) => {
      copy.on('data', (chunk: Buffer) => {
        bytes += chunk.length
      })
      copy.on('end', resolve)
      copy.on('error', reject)
    })
    await client.end()
  }),
)
process.stdout.write(JSON.stringify({ milliseconds: performance.now() - started, bytes }))
