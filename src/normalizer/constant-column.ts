import type { Data } from 'apache-arrow'
import type { FieldType } from '../model/field-type.js'
import { FIT, valueColumn } from '../model/value-writer.js'

const FIRST_ROWS = 1024

/**
 * A column with the same value in every row, built once and shared by batches as slices of it. It is built anew when the value changes or more
 * rows are asked for.
 */
export class ConstantColumn {
  private value: string | number | bigint | null = null
  private column: Data | undefined

  constructor(private readonly type: FieldType) {}

  /** `value` in the form of records. */
  rows(value: string | number | bigint | null, length: number): Data {
    if (this.column === undefined || this.column.length < length || this.value !== value) {
      const before = this.column?.length ?? FIRST_ROWS
      this.column = repeated(this.type, value, length <= before ? before : Math.max(length, before * 2))
      this.value = value
    }
    return this.column.length === length ? this.column : this.column.slice(0, length)
  }
}

function repeated(type: FieldType, value: string | number | bigint | null, length: number): Data {
  const { column, write } = valueColumn(type)
  for (let row = 0; row < length; row++) {
    if (value === null || write(value) === FIT.unfit) column.pushNull()
  }
  return column.finish()
}

/** Columns of nulls, one per type, shared by all that need one. */
export class NullColumns {
  private readonly columns = new Map<string, ConstantColumn>()

  rows(type: FieldType, length: number): Data {
    const key = JSON.stringify(type)
    let column = this.columns.get(key)
    if (column === undefined) {
      column = new ConstantColumn(type)
      this.columns.set(key, column)
    }
    return column.rows(null, length)
  }
}
