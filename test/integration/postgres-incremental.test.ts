import { createHash } from 'node:crypto'
import { postgresSource } from 'syncline/postgres'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Json } from '#src/model/json.js'
import { queryPostgres } from '../fixtures/postgres.js'
import {
  type Choice,
  json,
  openReading,
  planned,
  readSlice,
  readStream,
  scopeOf,
  testContext,
} from '../fixtures/postgres-reading.js'
import { sharedPostgres } from '../fixtures/postgres-shared.js'

let connectionString: string
const sql = (text: string) => queryPostgres(connectionString, text)
const column = (rows: readonly Record<string, unknown>[], name = 'id') => rows.map((row) => row[name]).sort()

let counter = 0
/** A new table; its name. */
async function table(columns: string, values = ''): Promise<string> {
  const name = `t${++counter}`
  await sql(`CREATE TABLE ${name} (${columns}); ${values === '' ? '' : `INSERT INTO ${name} VALUES ${values}`}`)
  return name
}

/** Reads one stream again and again, keeping its state. */
function follow(name: string, options: object = {}, choice: Partial<Choice> = {}, saved?: Json) {
  let state = saved
  return async () => {
    const source = postgresSource({ connectionString, ...options })
    const read = await readStream(source, { name, syncMode: 'incremental', cursorField: 'c', ...choice, state })
    state = read.state
    return read
  }
}

/** The state as it was saved when rows with a key were remembered by it. */
function byKey(state: Json | undefined, keys: readonly string[]): Json {
  const { boundary, ...rest } = state as { readonly boundary: { readonly low: string; readonly high: string } }
  const hashes = keys.map((key) => createHash('sha256').update(key).digest().subarray(0, 16)).sort(Buffer.compare)
  const rows = { by: 'key', columns: ['id'], hashes: Buffer.concat(hashes).toString('base64') }
  return { ...rest, boundary: { low: boundary.low, high: boundary.high, rows } }
}

describe.each([14, 18] as const)('incremental reading of PostgreSQL %i', (version) => {
  beforeAll(async () => {
    connectionString = await (await sharedPostgres(version)).createDatabase()
    await sql(`CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); CREATE DOMAIN moment AS timestamptz(3)`)
  })

  test('what is new comes, once', async () => {
    const name = await table('id int PRIMARY KEY, c int', '(1, 10), (2, 20)')
    const next = follow(name)
    expect(column((await next()).rows)).toEqual([1, 2])
    expect((await next()).rows).toEqual([])
    await sql(`INSERT INTO ${name} VALUES (3, 30), (4, 25); UPDATE ${name} SET c = 31 WHERE id = 1`)
    expect(column((await next()).rows)).toEqual([1, 3, 4])
    expect((await next()).rows).toEqual([])
  })

  test.each(['id int PRIMARY KEY, c int', 'id int, c int'])(
    'D6: rows that share the boundary value come once (%s)',
    async (columns) => {
      const name = await table(columns, '(1, 10), (2, 20), (3, 20)')
      const next = follow(name)
      expect(column((await next()).rows)).toEqual([1, 2, 3])
      await sql(`INSERT INTO ${name} VALUES (4, 20), (5, 20)`)
      expect(column((await next()).rows)).toEqual([4, 5])
      await sql(`INSERT INTO ${name} VALUES (6, 20), (7, 21)`)
      expect(column((await next()).rows)).toEqual([6, 7])
      expect((await next()).rows).toEqual([])
    },
  )

  test('D6: without a key, one more of the same row is one more row', async () => {
    const name = await table('id int, c int', '(1, 10), (1, 10)')
    const next = follow(name)
    expect((await next()).rows).toHaveLength(2)
    await sql(`INSERT INTO ${name} VALUES (1, 10)`)
    expect((await next()).rows).toHaveLength(1)
    expect((await next()).rows).toHaveLength(0)
  })

  test('D6: a row at the boundary that is changed comes again, though its cursor stays and it has a key', async () => {
    const name = await table('id int PRIMARY KEY, c date, v text', `(1, '2024-05-01', 'a'), (2, '2024-05-01', 'a')`)
    const next = follow(name)
    expect(column((await next()).rows)).toEqual([1, 2])
    await sql(`UPDATE ${name} SET v = 'b' WHERE id = 1; INSERT INTO ${name} VALUES (3, '2024-05-02', 'a')`)
    expect((await next()).rows).toMatchObject([
      { id: 1, v: 'b' },
      { id: 3, v: 'a' },
    ])
    expect((await next()).rows).toEqual([])
  })

  test('D6: rows committed late within the lag come, changed ones come again, others do not', async () => {
    const name = await table(
      'id int PRIMARY KEY, c timestamptz, v text',
      `(1, '2024-01-01 00:00:00Z', 'a'), (2, '2024-01-01 00:01:40Z', 'a')`,
    )
    const next = follow(name, { lag: 60 })
    expect(column((await next()).rows)).toEqual([1, 2])
    await sql(`INSERT INTO ${name} VALUES (3, '2024-01-01 00:01:00Z', 'late'), (4, '2024-01-01 00:00:30Z', 'too late');
      UPDATE ${name} SET v = 'b' WHERE id = 2`)
    expect(column((await next()).rows)).toEqual([2, 3])
    await sql(`INSERT INTO ${name} VALUES (5, '2024-01-01 00:02:00Z', 'a')`)
    expect(column((await next()).rows)).toEqual([5])
    await sql(
      `INSERT INTO ${name} VALUES (6, '2024-01-01 00:01:00Z', 'exactly so late'), (7, '2024-01-01 00:01:50Z', 'late')`,
    )
    expect(column((await next()).rows)).toEqual([6, 7])
    expect((await next()).rows).toEqual([])
  })

  test('D6: a lag that grows does not bring back what was read', async () => {
    const name = await table('id int PRIMARY KEY, c int', '(1, 10), (2, 90), (3, 100)')
    let state: Json | undefined
    const read = async (lag: number) => {
      const result = await readStream(postgresSource({ connectionString, lag }), {
        name,
        syncMode: 'incremental',
        cursorField: 'c',
        state,
      })
      state = result.state
      return column(result.rows)
    }
    expect(await read(0)).toEqual([1, 2, 3])
    expect(await read(50)).toEqual([])
    await sql(`INSERT INTO ${name} VALUES (4, 110), (5, 100)`)
    expect(await read(50)).toEqual([4, 5])
    await sql(`INSERT INTO ${name} VALUES (6, 105), (7, 99)`)
    expect(await read(5)).toEqual([6])
  })

  test('D6: more ties than are remembered are held back until the cursor has passed them', async () => {
    const name = await table('id int PRIMARY KEY, c int', '(1, 10), (2, 20), (3, 20), (4, 20)')
    const next = follow(name, { boundaryRows: 2 })
    const first = await next()
    expect(column(first.rows)).toEqual([1])
    expect(first.lines.map(({ level }) => level)).toContain('warn')
    await sql(`INSERT INTO ${name} VALUES (5, 20)`)
    expect((await next()).rows).toEqual([])
    await sql(`INSERT INTO ${name} VALUES (6, 30)`)
    const passed = await next()
    expect(column(passed.rows)).toEqual([2, 3, 4, 5, 6])
    expect(passed.lines).toEqual([])
    await sql(`INSERT INTO ${name} VALUES (7, 30), (8, 30)`)
    expect((await next()).rows).toEqual([])
    await sql(`INSERT INTO ${name} VALUES (9, 31)`)
    expect(column((await next()).rows)).toEqual([7, 8, 9])
  })

  test('D6: a lag window with more rows than are remembered is held back', async () => {
    const name = await table('id int PRIMARY KEY, c int')
    await sql(`INSERT INTO ${name} SELECT i, i FROM generate_series(1, 100) i`)
    const next = follow(name, { boundaryRows: 5, lag: 10 })
    expect((await next()).rows).toHaveLength(89)
    await sql(`INSERT INTO ${name} VALUES (1000, 95)`)
    expect((await next()).rows).toHaveLength(0)
    await sql(`INSERT INTO ${name} VALUES (120, 120)`)
    expect(column((await next()).rows)).toHaveLength(13)
    expect((await next()).rows).toHaveLength(0)
  })

  test('null, NaN and infinite cursors are never a bound; they are counted and reported', async () => {
    const numeric = await table(
      'id int PRIMARY KEY, c numeric',
      `(1, null), (2, 'NaN'), (3, 'Infinity'), (4, 5), (5, '-Infinity')`,
    )
    const next = follow(numeric)
    const first = await next()
    expect(column(first.rows)).toEqual([4, 5])
    expect(first.lines).toEqual([
      expect.objectContaining({ level: 'warn', details: expect.objectContaining({ records: 3, cursorField: 'c' }) }),
    ])
    await sql(`INSERT INTO ${numeric} VALUES (6, 6)`)
    expect(column((await next()).rows)).toEqual([6])
    const time = await table(
      'id int PRIMARY KEY, c timestamptz',
      `(1, 'infinity'), (2, '2020-01-01'), (3, '-infinity')`,
    )
    expect(column((await follow(time)()).rows)).toEqual([2, 3])
    const nulls = await table('id int PRIMARY KEY, c int', '(1, null)')
    const nextNull = follow(nulls)
    expect((await nextNull()).rows).toEqual([])
    await sql(`INSERT INTO ${nulls} VALUES (2, 1)`)
    expect(column((await nextNull()).rows)).toEqual([2])
  })

  test('an empty table, and one that becomes empty', async () => {
    const name = await table('id int PRIMARY KEY, c int')
    const next = follow(name)
    expect((await next()).rows).toEqual([])
    await sql(`INSERT INTO ${name} VALUES (1, 5)`)
    expect(column((await next()).rows)).toEqual([1])
    await sql(`DELETE FROM ${name}`)
    expect((await next()).rows).toEqual([])
    await sql(`INSERT INTO ${name} VALUES (2, 4), (3, 5), (4, 6)`)
    expect(column((await next()).rows)).toEqual([3, 4])
  })

  test.each([
    ['microseconds', 'timestamptz', '2024-02-03 04:05:06.123456+00', '2024-02-03 04:05:06.123457+00'],
    ['timestamps without zone', 'timestamp', '2024-02-03 04:05:06.123456', '2024-02-03 04:05:06.123457'],
    ['years BC', 'date', '0044-03-15 BC', '0043-03-15 BC'],
    [
      'long numerics',
      'numeric',
      '12345678901234567890.12345678901234567890',
      '12345678901234567890.12345678901234567891',
    ],
    ['bigints', 'bigint', '9223372036854775806', '9223372036854775807'],
    ['doubles', 'double precision', '0.1', '0.10000000000000002'],
    ['text', 'text', "a'\\b", "a'\\c"],
    ['padded text', 'char(5)', 'ab', 'ac'],
    ['collated text', 'text COLLATE "und-x-icu"', 'Ä', 'b'],
    ['uuids', 'uuid', '00000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0000-00000000000b'],
    ['enums', 'mood', 'sad', 'happy'],
    ['domains', 'moment', '2024-02-03 04:05:06.123+00', '2024-02-03 04:05:06.124+00'],
    ['bytea', 'bytea', '\\x00ff', '\\x0100'],
    ['time of day', 'time', '23:59:59.999998', '23:59:59.999999'],
  ])('the cursor keeps its full precision: %s', async (_, type, low, high) => {
    const quoted = (value: string) => `'${value.replaceAll("'", "''")}'`
    const name = await table(`id int PRIMARY KEY, c ${type}`, `(1, ${quoted(low)})`)
    const next = follow(name)
    expect(column((await next()).rows)).toEqual([1])
    expect((await next()).rows).toEqual([])
    await sql(`INSERT INTO ${name} VALUES (2, ${quoted(high)}), (3, ${quoted(low)})`)
    expect(column((await next()).rows)).toEqual([2, 3])
    expect((await next()).rows).toEqual([])
  })

  test('the saved text does not depend on how the database prints', async () => {
    const name = await table('id int PRIMARY KEY, c timestamptz', `(1, '2024-07-01 12:00:00.000001Z')`)
    const next = follow(name)
    await next()
    const database = new URL(connectionString).pathname.slice(1)
    await sql(
      `ALTER DATABASE ${database} SET TimeZone = 'Asia/Kolkata'; ALTER DATABASE ${database} SET DateStyle = 'SQL, DMY'`,
    )
    try {
      expect((await next()).rows).toEqual([])
      await sql(
        `INSERT INTO ${name} VALUES (2, '2024-07-01T12:00:00.000001Z'), (3, '2024-07-01T12:00:00.000002Z'), (4, '2024-07-01T12:00:00Z')`,
      )
      expect(column((await next()).rows)).toEqual([2, 3])
    } finally {
      await sql(`ALTER DATABASE ${database} RESET ALL`)
    }
  })

  test('large ranges are cut at values of the cursor; slices in any order give the same state', async () => {
    const name = await table('id int PRIMARY KEY, c int, filler text')
    await sql(`INSERT INTO ${name} SELECT i, i / 3, repeat('x', 300) FROM generate_series(1, 9000) i;
      CREATE INDEX ON ${name} (c)`)
    const source = postgresSource({ connectionString, sliceBytes: '256KB', lag: 20 })
    const choice: Choice = { name, syncMode: 'incremental', cursorField: 'c' }
    const reading = await openReading(source, [choice])
    const slices = await planned(reading)
    expect(slices.length).toBeGreaterThan(5)
    const reads: Awaited<ReturnType<typeof readSlice>>[] = []
    for (const slice of slices) reads.push(await readSlice(reading, slice))
    await reading.close(testContext())
    expect(new Set(reads.flatMap(({ rows }) => rows.map(({ id }) => id))).size).toBe(9000)
    expect(reads.flatMap(({ rows }) => rows)).toHaveLength(9000)
    const composed = (order: typeof reads) =>
      order.reduce<Json | undefined>(
        (state, { proof }) => json(reading.advance!(state, proof, scopeOf(slices[0]!))),
        undefined,
      )
    expect(composed([...reads].reverse())).toEqual(composed(reads))
    const after = await readStream(source, { ...choice, state: composed(reads) })
    expect(after.rows).toEqual([])
  })

  test('D4: what was not proved is read in the next reading, whichever slices were', async () => {
    const name = await table('id int PRIMARY KEY, c int, filler text')
    await sql(
      `INSERT INTO ${name} SELECT i, i, repeat('x', 300) FROM generate_series(1, 4000) i; CREATE INDEX ON ${name} (c)`,
    )
    const choice: Choice = { name, syncMode: 'incremental', cursorField: 'c' }
    const source = postgresSource({ connectionString, sliceBytes: '128KB' })
    for (const proved of [
      (i: number) => i % 2 === 0,
      (i: number) => i % 2 === 1,
      (i: number, n: number) => i === n - 1,
      (i: number, n: number) => i < n - 1,
    ]) {
      const seen: unknown[] = []
      let state: Json | undefined
      for (let round = 0; round < 2; round++) {
        const reading = await openReading(source, [{ ...choice, state }])
        const slices = await planned(reading)
        for (const [i, slice] of slices.entries()) {
          if (!proved(i, slices.length)) continue
          const { rows, proof } = await readSlice(reading, slice)
          seen.push(...rows.map(({ id }) => id))
          state = json(reading.advance!(state, proof, scopeOf(slice)))
        }
        await reading.close(testContext())
      }
      seen.push(...(await readStream(source, { ...choice, state })).rows.map(({ id }) => id))
      expect(seen).toHaveLength(4000)
      expect(new Set(seen).size).toBe(4000)
    }
  })

  test('D6: the bound is taken inside the snapshot', async () => {
    const name = await table('id int PRIMARY KEY, c int', '(1, 1)')
    const choice: Choice = { name, syncMode: 'incremental', cursorField: 'c' }
    const source = postgresSource({ connectionString })
    const reading = await openReading(source, [choice])
    await sql(`INSERT INTO ${name} VALUES (2, 2)`)
    const slices = await planned(reading)
    await sql(`INSERT INTO ${name} VALUES (3, 1), (4, 0)`)
    const read = await readSlice(reading, slices[0]!)
    expect(column(read.rows)).toEqual([1])
    const state = json(reading.advance!(undefined, read.proof, scopeOf(slices[0]!)))
    await reading.close(testContext())
    expect(column((await readStream(source, { ...choice, state })).rows)).toEqual([2, 3])
  })

  test('a column more does not bring back the boundary; one less does, with a warning', async () => {
    const name = await table('id int, c int, v text', `(1, 10, 'a')`)
    const next = follow(name)
    await next()
    await sql(`ALTER TABLE ${name} ADD COLUMN more int DEFAULT 7`)
    expect((await next()).rows).toEqual([])
    await sql(`ALTER TABLE ${name} DROP COLUMN v`)
    const again = await next()
    expect(column(again.rows)).toEqual([1])
    expect(again.lines.map(({ level }) => level)).toEqual(['warn'])
    expect((await next()).rows).toEqual([])
  })

  test('rows that an older state remembers by their key do not come back', async () => {
    const name = await table('id int PRIMARY KEY, c int', '(1, 10), (2, 10)')
    const state = byKey((await follow(name)()).state, ['(1)'])
    const read = await follow(name, {}, {}, state)()
    expect(column(read.rows)).toEqual([2])
    expect(read.lines).toEqual([])
  })

  test('a key that is dropped tells rows apart no longer', async () => {
    const name = await table('id int PRIMARY KEY, c int', '(1, 10)')
    const next = follow(name, {}, {}, byKey((await follow(name)()).state, ['(1)']))
    await sql(`ALTER TABLE ${name} DROP CONSTRAINT ${name}_pkey; INSERT INTO ${name} VALUES (1, 10)`)
    const again = await next()
    expect(again.rows).toHaveLength(2)
    expect(again.lines.map(({ level }) => level)).toEqual(['warn'])
    expect((await next()).rows).toEqual([])
  })

  test('a state far ahead of the table gives nothing, and stays', async () => {
    const name = await table('id int PRIMARY KEY, c timestamptz', `(1, '2020-01-01')`)
    const next = follow(name)
    await next()
    const { state } = await next()
    const ahead = JSON.parse(JSON.stringify(state).replaceAll('2020-01-01', '9999-01-01')) as Json
    const choice: Choice = { name, syncMode: 'incremental', cursorField: 'c', state: ahead }
    const read = await readStream(postgresSource({ connectionString }), choice)
    expect(read.rows).toEqual([])
    expect(read.state).toMatchObject({ boundary: { low: '9999-01-01 00:00:00+00', high: '9999-01-01 00:00:00+00' } })
  })

  test('views and partitioned tables', async () => {
    const name = await table('id int, c int', '(1, 1), (2, 2)')
    await sql(`CREATE VIEW ${name}_view AS SELECT * FROM ${name};
      CREATE TABLE ${name}_parts (id int, c int) PARTITION BY RANGE (c);
      CREATE TABLE ${name}_low PARTITION OF ${name}_parts FOR VALUES FROM (0) TO (10);
      CREATE TABLE ${name}_high PARTITION OF ${name}_parts FOR VALUES FROM (10) TO (99);
      INSERT INTO ${name}_parts SELECT i, i FROM generate_series(1, 20) i`)
    const view = follow(`${name}_view`)
    expect(column((await view()).rows)).toEqual([1, 2])
    expect((await view()).rows).toEqual([])
    const parts = follow(`${name}_parts`)
    expect((await parts()).rows).toHaveLength(20)
    await sql(`INSERT INTO ${name}_parts VALUES (21, 20), (22, 50)`)
    expect(column((await parts()).rows)).toEqual([21, 22])
  })

  test.each(['json', 'jsonb', 'xml', 'point', 'int[]', 'boolean'])('%s is no type for a cursor', async (type) => {
    const name = await table(`id int, c ${type}`)
    await expect(follow(name)()).rejects.toMatchObject({ code: 'CONFIG_CURSOR_INVALID', stream: { name } })
  })

  test('what the saved state does not fit is refused', async () => {
    const name = await table('id int, c int, d int', '(1, 1, 1)')
    const choice: Choice = { name, syncMode: 'incremental', cursorField: 'c' }
    const source = postgresSource({ connectionString })
    const { state } = await readStream(source, choice)
    const refused = (other: Partial<Choice>) => expect(readStream(source, { ...choice, state, ...other })).rejects
    await refused({ cursorField: 'd' }).toMatchObject({
      code: 'SOURCE_STATE_INVALID',
      hint: expect.stringContaining('reset'),
    })
    await refused({ syncMode: 'full_refresh' }).toMatchObject({ code: 'SOURCE_STATE_INVALID' })
    await refused({ state: { version: 99 } }).toMatchObject({ code: 'SOURCE_STATE_INVALID' })
    await refused({ cursorField: 'gone' }).toMatchObject({ code: 'SOURCE_CURSOR_MISSING' })
    await sql(`ALTER TABLE ${name} ALTER COLUMN c TYPE bigint`)
    expect((await readStream(source, { ...choice, state })).rows).toEqual([])
    await sql(`ALTER TABLE ${name} ALTER COLUMN c TYPE text`)
    await refused({}).toMatchObject({ code: 'SOURCE_STATE_INVALID' })
  })

  test('a lag that the type does not know is refused', async () => {
    const name = await table('id int, c text', `(1, 'a')`)
    await expect(follow(name, { lag: { [name]: 5 } })()).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    const other = await table('id int, c int', '(1, 1)')
    expect((await follow(name, { lag: { [other]: 5 } })()).rows).toHaveLength(1)
    await expect(follow(name, { lag: { [`${name}x`]: 5 } })()).rejects.toMatchObject({ code: 'CONFIG_STREAM_UNKNOWN' })
  })
})
