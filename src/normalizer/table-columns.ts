import type { Data } from 'apache-arrow'
import type { Batch } from '../model/batch.js'
import { castColumn } from '../model/cast-column.js'
import type { FieldType } from '../model/field-type.js'
import { sameFieldType } from '../model/field-type-checks.js'
import type { ProjectedColumn } from '../model/projection.js'
import type { RecordSchema } from '../model/schema.js'
import { CHANGE_REASON } from '../model/value-change.js'
import type { NullColumns } from './constant-column.js'
import type { GrownField } from './grown-schema.js'
import type { MetaChange } from './metadata.js'

/** How one column of a table comes from the batches of one schema. */
interface ColumnPlan {
  readonly field: string
  /** In the batch; -1 where batches of this schema lack it. */
  readonly index: number
  readonly from: FieldType
  readonly to: FieldType
  readonly cast: boolean
}

/** The columns of a table out of batches of one schema: passed on as they are where their types agree. */
export class TableColumns {
  private readonly plans: readonly ColumnPlan[]

  constructor(
    readonly schema: RecordSchema,
    private readonly fields: readonly GrownField[],
    private readonly nulls: NullColumns,
  ) {
    const indexes = new Map(schema.fields.map(({ name }, index) => [name, index]))
    this.plans = fields.map(({ field, type }) => {
      const index = indexes.get(field) ?? -1
      const from = index < 0 ? type : schema.fields[index]!.type
      return { field, index, from, to: type, cast: !sameFieldType(from, type) }
    })
  }

  /** The table's columns; `unfit` is told of values that have no place in the column's type. */
  of(batch: Batch, unfit: (row: number, change: MetaChange) => void): Data[] {
    const { children } = batch.columns.data
    return this.plans.map(({ field, index, from, to, cast }) => {
      if (index < 0) return this.nulls.rows(to, batch.length)
      const data = children[index]!
      if (!cast) return data
      const result = castColumn(data, from, to)
      for (const row of result.unfit) {
        unfit(row, { field, change: 'NULLED', reason: CHANGE_REASON.destinationUnfit })
      }
      return result.column
    })
  }

  /** The columns as data; `undefined` where a value has to be seen for one. */
  projected(): ProjectedColumn[] | undefined {
    if (this.plans.some(({ cast }) => cast)) return undefined
    return this.plans.map(({ field, index }, i) => {
      const { name, type } = this.fields[i]!
      return index < 0 ? { name, type, from: 'constant', value: null } : { name, type, from: 'field', field }
    })
  }
}
