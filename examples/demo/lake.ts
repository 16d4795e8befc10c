import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { size } from './text.js'

/** The directory as a tree, with the sizes of its files. */
export async function tree(directory: string, indent = '  '): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true })
  const lines: string[] = []
  for (const entry of entries.sort((a, b) => a.name.localeCompare(b.name))) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) lines.push(`${indent}${entry.name}/`, ...(await tree(path, `${indent}  `)))
    else lines.push(`${indent}${entry.name}  ${size((await stat(path)).size)}`)
  }
  return lines
}

/** Asks DuckDB about the Parquet files: rows as texts. `lake(table)` in the query stands for the files of a table. */
export async function query(directory: string, sql: string): Promise<string[][]> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    const files = (table: string) =>
      `read_parquet('${join(directory, 'public', table, '*.parquet')}', union_by_name => true)`
    const reader = await connection.runAndReadAll(sql.replace(/lake\((\w+)\)/g, (_, table: string) => files(table)))
    return reader.getRows().map((row) => row.map(String))
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}
