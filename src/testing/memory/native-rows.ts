import type { Json } from '../../model/json.js'
import type { Projection } from '../../model/projection.js'
import type { TableShape } from '../../model/table.js'
import { fromJson, toJson } from './json-values.js'

/** JSON lines, one object per row, keys in the order of the projection. A column of the table that a row lacks is the row's id. */
export const MEMORY_ROWS = 'memory/rows'

export function encodeNativeRow(projection: Projection, values: Readonly<Record<string, unknown>>): string {
  const row: Record<string, Json> = {}
  for (const column of projection.columns) {
    if (column.from === 'field') row[column.name] = toJson(values[column.field])
    else if (column.from === 'constant') row[column.name] = column.value
  }
  return `${JSON.stringify(row)}\n`
}

/** Rows of a part of the byte stream; what is left of a row that the part cuts goes into the next call. */
export class NativeRowDecoder {
  #rest = Buffer.alloc(0)
  #position = 0

  constructor(private readonly idPrefix: string) {}

  get incomplete(): boolean {
    return this.#rest.length > 0
  }

  decode(bytes: Uint8Array, table: TableShape): Record<string, unknown>[] {
    const all = Buffer.concat([this.#rest, bytes])
    const end = all.lastIndexOf(0x0a) + 1
    this.#rest = all.subarray(end)
    const lines = all.subarray(0, end).toString().split('\n').slice(0, -1)
    return lines.map((line) => {
      const json = JSON.parse(line) as Record<string, Json>
      const id = `${this.idPrefix}:${this.#position++}`
      return Object.fromEntries(
        table.fields.map(({ name, type }) => [name, name in json ? fromJson(type, json[name]!) : id]),
      )
    })
  }
}
