import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { copyBatches } from '#src/connectors/postgres/copy-reader.js'
import { fieldOf } from '#src/connectors/postgres/types.js'
import type { Batch } from '#src/model/batch.js'
import { sharedPostgres } from '../fixtures/postgres-shared.js'
import { agrees } from './agreement.js'
import { columnsOf, connect, fillTable, OWN_TYPES, printed, queryOf, valuesOf } from './postgres-database.js'
import { TYPE_CASES, UNFIT } from './postgres-values.js'

const SEED = Number(process.env['SYNCLINE_SEED'] ?? Date.now() % 2 ** 31)
const ROWS = 400

describe.each([14, 18] as const)(`PostgreSQL %i to batches (SYNCLINE_SEED=${SEED})`, (version) => {
  let client: pg.Client

  beforeAll(async () => {
    const postgres = await sharedPostgres(version)
    client = await connect(await postgres.createDatabase())
    await client.query(OWN_TYPES)
  })
  afterAll(() => client?.end())

  async function read(table: string, batchRows: number): Promise<Batch[]> {
    const columns = await columnsOf(client, table)
    const schema = { fields: columns.map(fieldOf) }
    const { signal } = new AbortController()
    const query = queryOf(columns, `${table} ORDER BY id`)
    const batches: Batch[] = []
    const reading = copyBatches(client, query, { name: table }, schema, columns, { batchRows, signal })
    for await (const batch of reading) batches.push(batch)
    return batches
  }

  it('holds what PostgreSQL prints, for every type', async () => {
    const cases = TYPE_CASES.filter(({ since = 0 }) => since <= version)
    const values = cases.map((each, index) => valuesOf(each, ROWS, SEED + index))
    await fillTable(client, 'all_types', cases, values)
    const truth = await printed(client, 'all_types', cases)

    const batches = await read('all_types', 170)
    expect(batches.map((batch) => batch.length)).toEqual([170, 170, 60])
    const records = batches.flatMap((batch) => [...batch.rows()])
    const reasons = reasonsOf(batches)
    const wrong: unknown[] = []
    for (const [row, record] of records.entries()) {
      for (const [index, each] of cases.entries()) {
        const text = truth[row]![index]!
        const got = record[`c${index}`]
        const reason = reasons.get(`${row} c${index}`)
        if (!agrees(each, text, got, reason)) wrong.push({ type: each.type, printed: text, got, reason })
      }
    }
    expect(wrong.slice(0, 20)).toEqual([])
    // Every reason belongs to a value that was compared above.
    expect(reasons.size).toBe(
      truth.flat().filter((text, at) => text !== null && cases[at % cases.length]!.expected(text) === UNFIT).length,
    )
    expect(reasons.size).toBeGreaterThan(10)
  })
})

/** By row of all batches and field. */
function reasonsOf(batches: readonly Batch[]): ReadonlyMap<string, string> {
  let before = 0
  const reasons = new Map<string, string>()
  for (const batch of batches) {
    for (const { row, field, reason } of batch.valueChanges) reasons.set(`${before + row} ${field}`, reason)
    before += batch.length
  }
  return reasons
}
