import fc from 'fast-check'
import pg from 'pg'
import { loadColumns, loadRelations } from '#src/connectors/postgres/discovery.js'
import { Session } from '#src/connectors/postgres/session.js'
import type { PostgresColumn } from '#src/connectors/postgres/types.js'
import { SESSION_SETTINGS, selectExpression } from '#src/connectors/postgres/types.js'
import type { TypeCase } from './postgres-values.js'

/** Types of somebody's own that the cases use. */
export const OWN_TYPES = `
CREATE EXTENSION IF NOT EXISTS hstore; CREATE EXTENSION IF NOT EXISTS citext;
CREATE TYPE mood AS ENUM ('happy', 'so so', 'it''s ☹');
CREATE DOMAIN positive_amount AS numeric(12,3) CHECK (VALUE >= 0);
CREATE DOMAIN nested_domain AS positive_amount;
CREATE DOMAIN mood_domain AS mood; CREATE DOMAIN date_domain AS date; CREATE DOMAIN list_domain AS int[];
CREATE TYPE address AS (street text, number int, "geo ""point""" numeric[], mood mood);
CREATE DOMAIN address_domain AS address;
CREATE TYPE unheard_of;
CREATE FUNCTION unheard_of_in(cstring) RETURNS unheard_of LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION unheard_of_out(unheard_of) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE unheard_of (INPUT = unheard_of_in, OUTPUT = unheard_of_out, LIKE = text)`

export const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`

/** A connection with the settings that a reading has, its errors heard. */
export async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString })
  client.on('error', () => {})
  await client.connect()
  for (const [name, value] of Object.entries(SESSION_SETTINGS)) {
    await client.query('SELECT set_config($1, $2, false)', [name, value])
  }
  return client
}

/** The columns of a table of schema `public`, as discovery finds them. */
export async function columnsOf(client: pg.Client, table: string): Promise<readonly PostgresColumn[]> {
  const { signal } = new AbortController()
  const session = new Session(client, async () => {})
  const entries = await loadRelations(session, { schemas: ['public'], names: [table] }, signal)
  const [relation] = await loadColumns(session, entries, signal)
  return relation!.columns
}

export function queryOf(columns: readonly PostgresColumn[], rest: string): string {
  return `SELECT ${columns.map((column) => selectExpression(column, quoted(column.name))).join(', ')} FROM ${rest}`
}

/** Values of one column, null every so often. */
export function valuesOf({ values, edges = [] }: TypeCase, rows: number, seed: number): readonly (string | null)[] {
  const sample = [...edges, ...fc.sample(values, { numRuns: rows - edges.length, seed })]
  return sample.map((value, row) => (row % 9 === 8 && row >= edges.length ? null : value))
}

/** Table `id int, c0, c1, …`, a column for each case. */
export async function fillTable(
  client: pg.Client,
  table: string,
  cases: readonly TypeCase[],
  values: readonly (readonly (string | null)[])[],
): Promise<void> {
  await client.query(
    `CREATE TABLE ${table} (id int, ${cases.map(({ type }, index) => `c${index} ${type}`).join(', ')})`,
  )
  await client.query(`INSERT INTO ${table} (id) SELECT generate_series(1, ${values[0]!.length})`)
  // One by one, so that a value that the server refuses names its column.
  for (const [index, { type, sql = (text: string) => `${text}::${type}` }] of cases.entries()) {
    await client
      .query(
        `UPDATE ${table} SET c${index} = ${sql('v.text')} FROM unnest($1::text[]) WITH ORDINALITY v(text, id) WHERE v.id = ${table}.id`,
        [values[index]],
      )
      .catch((error) => {
        throw new Error(`No ${type}: ${error.message}`)
      })
  }
}

/** What the server itself prints for each column, in the order of `id`. */
export async function printed(
  client: pg.Client,
  table: string,
  cases: readonly TypeCase[],
): Promise<readonly (readonly (string | null)[])[]> {
  const print = cases.map(({ print: own }, index) => {
    const column = `c${index}`
    return `CASE WHEN ${column} IS NULL THEN NULL ELSE format('%s', ${own === undefined ? column : own(column)}) END`
  })
  const { rows } = await client.query({
    text: `SELECT ${print.join(', ')} FROM ${table} ORDER BY id`,
    rowMode: 'array',
  })
  return rows
}
