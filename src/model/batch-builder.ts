import type { Schema as ArrowSchema } from 'apache-arrow'
import { arrowSchema } from './arrow-type.js'
import { Batch, type ValueChange } from './batch.js'
import type { ColumnWriter } from './column-writer.js'
import { recordBatch } from './record-batch.js'
import type { RecordSchema } from './schema.js'
import type { StreamRef } from './stream.js'
import { CHANGE_REASON } from './value-change.js'
import { FIT, type ValueWriter, valueColumn } from './value-writer.js'

interface FieldColumn {
  readonly name: string
  /** Every object inherits something of this name, which is no value of a record. */
  readonly inherited: boolean
  readonly column: ColumnWriter
  readonly write: ValueWriter
}

/**
 * Turns typed records into batches. A missing or undefined field is null. A value that does not fit its field (wrong type, out of range, too
 * many digits, a lone surrogate, no such day) becomes null with a {@link ValueChange}; digits beyond microseconds are cut, with one too.
 * Fields that the schema does not name are left aside.
 */
export class BatchBuilder {
  private readonly fields: readonly FieldColumn[]
  private readonly arrow: ArrowSchema
  private changes: ValueChange[] = []
  private rows = 0

  constructor(
    readonly stream: StreamRef,
    readonly schema: RecordSchema,
  ) {
    this.arrow = arrowSchema(schema)
    this.fields = schema.fields.map(({ name, type }) => ({
      name,
      inherited: name in Object.prototype,
      ...valueColumn(type),
    }))
  }

  /** Records so far. */
  get length(): number {
    return this.rows
  }

  /** About what they occupy. */
  get byteLength(): number {
    let bytes = 0
    for (const { column } of this.fields) bytes += column.byteLength
    return bytes
  }

  append(record: Readonly<Record<string, unknown>>): void {
    const { fields } = this
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i]!
      const value = field.inherited && !Object.hasOwn(record, field.name) ? null : record[field.name]
      if (value === null || value === undefined) {
        field.column.pushNull()
        continue
      }
      const fit = field.write(value)
      if (fit !== FIT.taken) this.unfit(field, fit === FIT.unfit)
    }
    this.rows++
  }

  /** The records so far as one batch. The builder is empty afterwards and can be used again. */
  finish(): Batch {
    const columns = recordBatch(
      this.arrow,
      this.fields.map(({ column }) => column.finish()),
      this.rows,
    )
    const batch = new Batch(this.stream, this.schema, columns, { valueChanges: this.changes })
    this.rows = 0
    this.changes = []
    return batch
  }

  private unfit({ name, column }: FieldColumn, nulled: boolean): void {
    if (nulled) column.pushNull()
    this.changes.push({
      row: this.rows,
      field: name,
      change: nulled ? 'NULLED' : 'TRUNCATED',
      reason: nulled ? CHANGE_REASON.sourceUnfit : CHANGE_REASON.sourceCut,
    })
  }
}
