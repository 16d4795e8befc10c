import { identifier, literal } from './sql.js'
import type { RememberedRows } from './state.js'

const HASH_BYTES = 16

export const NO_ROWS: RememberedRows = { by: 'row', columns: [], hashes: '' }

/** Hashes as the server gives them, in hexadecimal, made ready to be saved. */
export function remembered(
  by: RememberedRows['by'],
  columns: readonly string[],
  hashes: readonly string[],
): RememberedRows {
  return { by, columns, hashes: Buffer.from([...hashes].sort().join(''), 'hex').toString('base64') }
}

export function hashCount({ hashes }: RememberedRows): number {
  return Buffer.byteLength(hashes, 'base64') / HASH_BYTES
}

/** SQL that hashes a row, as text. Rows that are alike in all columns count up, so that two of them have two hashes. */
export function hashExpression({ by, columns }: Pick<RememberedRows, 'by' | 'columns'>, table: string): string {
  const content = `ROW(${columns.map((name) => `${identifier(table)}.${identifier(name)}`).join(', ')})::pg_catalog.text`
  const text = by === 'key' ? content : `${content} || '/' || pg_catalog.row_number() OVER (PARTITION BY ${content})`
  // Not md5: servers in FIPS mode have none.
  return `pg_catalog.encode(pg_catalog.substr(pg_catalog.sha256(pg_catalog.convert_to(${text}, 'UTF8')), 1, ${HASH_BYTES}), 'hex')`
}

/** SQL that is true for rows that are not remembered. */
export function notRemembered(hash: string, rows: RememberedRows): string {
  const all = Buffer.from(rows.hashes, 'base64').toString('hex')
  const list = all.match(new RegExp(`.{${HASH_BYTES * 2}}`, 'g')) ?? []
  return `${hash} NOT IN (SELECT pg_catalog.unnest(${literal(`{${list.join(',')}}`)}::pg_catalog.text[]))`
}
