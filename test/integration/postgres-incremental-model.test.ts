import fc from 'fast-check'
import { postgresSource } from 'syncline/postgres'
import { beforeAll, expect, test } from 'vitest'
import type { Json } from '#src/model/json.js'
import { queryPostgres } from '../fixtures/postgres.js'
import { json, openReading, planned, readSlice, scopeOf, testContext } from '../fixtures/postgres-reading.js'
import { sharedPostgres } from '../fixtures/postgres-shared.js'

let connectionString: string
let tables = 0

beforeAll(async () => {
  connectionString = await (await sharedPostgres()).createDatabase()
})

const round = fc.record({
  /** How far behind the highest value each new row is; beyond the lag it is moved up to it. */
  inserts: fc.array(fc.nat(12), { maxLength: 40 }),
  /** How far the highest value moves first. */
  ahead: fc.nat(9),
  updates: fc.nat(5),
  /** Which slices are proved before the reading ends, by index. */
  proved: fc.func(fc.boolean()),
  crash: fc.boolean(),
  /** Changes while the reading is open. */
  meanwhile: fc.nat(4),
})

test('D6: whatever is committed within the lag is delivered, and nothing is delivered twice', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(round, { minLength: 2, maxLength: 6 }),
      fc.nat(8),
      fc.boolean(),
      fc.boolean(),
      fc.constantFrom(0, 3, 10_000),
      async (rounds, lag, key, index, boundaryRows) => {
        const name = `m${++tables}`
        const sql = (text: string) => queryPostgres(connectionString, text)
        await sql(`CREATE TABLE ${name} (id int ${key ? 'PRIMARY KEY' : ''}, c int, v int, filler text DEFAULT repeat('x', 700));
          ${index ? `CREATE INDEX ON ${name} (c)` : ''}`)
        const source = postgresSource({
          connectionString,
          tables: [name],
          lag,
          boundaryRows,
          sliceBytes: 8192,
          connections: 2,
        })
        const delivered: string[] = []
        const versions = new Set<string>()
        let state: Json | undefined
        let highest = 100
        let id = 0

        const insert = async (behind: readonly number[]) => {
          const rows = behind.map((distance) => ({ id: ++id, c: highest - Math.min(distance, lag) }))
          if (rows.length === 0) return
          for (const row of rows) versions.add(`${row.id}/0`)
          await sql(`INSERT INTO ${name} (id, c, v) VALUES ${rows.map((row) => `(${row.id}, ${row.c}, 0)`).join(', ')}`)
        }
        const read = async (proved: (index: number) => boolean, meanwhile: () => Promise<void>) => {
          const reading = await openReading(source, [{ name, syncMode: 'incremental', cursorField: 'c', state }])
          try {
            const slices = await planned(reading)
            await meanwhile()
            for (const [i, slice] of slices.entries()) {
              if (!proved(i)) continue
              const { rows, proof } = await readSlice(reading, slice)
              delivered.push(...rows.map((row) => `${row['id']}/${row['v']}`))
              state = json(reading.advance!(state, proof, scopeOf(slice)))
            }
          } finally {
            await reading.close(testContext())
          }
        }

        for (const { inserts, ahead, updates, proved, crash, meanwhile } of rounds) {
          highest += ahead
          await insert(inserts)
          if (updates > 0) {
            highest++
            const changed = await queryPostgres<{ id: number; v: number }>(
              connectionString,
              `UPDATE ${name} SET v = v + 1, c = ${highest} WHERE id IN (SELECT id FROM ${name} ORDER BY random() LIMIT ${updates}) RETURNING id, v`,
            )
            for (const row of changed) {
              versions.delete(`${row.id}/${row.v - 1}`)
              versions.add(`${row.id}/${row.v}`)
            }
          }
          await read(crash ? proved : () => true, () => insert(Array.from({ length: meanwhile }, () => 0)))
        }
        // What was held back comes when the cursor has passed it by the lag.
        highest += 1 + 2 * lag
        await insert([0])
        await read(
          () => true,
          async () => {},
        )
        highest += 1 + 2 * lag
        await insert([0])
        await read(
          () => true,
          async () => {},
        )

        expect(delivered.filter((version, i) => delivered.indexOf(version) !== i)).toEqual([])
        const missing = [...versions].filter((version) => !delivered.includes(version))
        // With a limit of 0 rows, the boundary itself is always held back.
        expect(missing).toEqual(boundaryRows === 0 ? [`${id}/0`] : [])
      },
    ),
    { numRuns: Number(process.env['SYNCLINE_SEEDS'] ?? 12), examples: [] },
  )
})
