import type { Data } from 'apache-arrow'
import type { TypeRules } from '../destination/capabilities.js'
import { BytesColumn } from '../model/bytes-column.js'
import { castColumn } from '../model/cast-column.js'
import type { FieldType } from '../model/field-type.js'
import { ConstantColumn } from './constant-column.js'
import type { NormalizeContext } from './normalizer.js'
import { rowIdColumn } from './row-ids.js'
import { tableType } from './table-type.js'

export const METADATA_COLUMNS = ['raw_id', 'extracted_at', 'meta', 'generation_id'] as const

/** What a row says beyond its record. */
export type MetadataColumn = (typeof METADATA_COLUMNS)[number]

const TYPES: { readonly [column in MetadataColumn]: FieldType } = {
  raw_id: { kind: 'string' },
  extracted_at: { kind: 'timestamp', zone: true },
  meta: { kind: 'json' },
  generation_id: { kind: 'int64' },
}

/** An entry of `_airbyte_meta`'s `changes`. */
export interface MetaChange {
  readonly field: string
  readonly change: string
  readonly reason: string
}

/** Changes made to values, by row of a batch. */
export type RowChanges = ReadonlyMap<number, readonly MetaChange[]>

/** Fills the metadata columns of one table, in the order of `columns`. */
export class Metadata {
  readonly types: readonly FieldType[]
  private readonly constants: readonly ConstantColumn[]

  constructor(
    private readonly columns: readonly MetadataColumn[],
    private readonly rules: TypeRules,
  ) {
    this.types = columns.map((column) => tableType(TYPES[column], rules))
    this.constants = columns.map((column) => new ConstantColumn(TYPES[column]))
  }

  rows(context: NormalizeContext, length: number, changes: RowChanges): Data[] {
    return this.columns.map((column, i) => this.column(column, this.constants[i]!, context, length, changes))
  }

  private column(
    column: MetadataColumn,
    constant: ConstantColumn,
    context: NormalizeContext,
    length: number,
    changes: RowChanges,
  ): Data {
    switch (column) {
      case 'raw_id':
        return rowIdColumn(context, length)
      case 'meta':
        return changes.size === 0 ? constant.rows(metaText(context, []), length) : metaColumn(context, length, changes)
      case 'extracted_at':
        return this.cast(column, constant.rows(context.extractedAt.toISOString(), length))
      case 'generation_id':
        return this.cast(column, constant.rows(context.generation, length))
    }
  }

  private cast(column: MetadataColumn, data: Data): Data {
    return castColumn(data, TYPES[column], tableType(TYPES[column], this.rules)).column
  }
}

function metaText({ run }: NormalizeContext, changes: readonly MetaChange[]): string {
  return JSON.stringify({ sync_id: run, changes })
}

function metaColumn(context: NormalizeContext, length: number, changes: RowChanges): Data {
  const column = new BytesColumn(undefined, length)
  const none = Buffer.from(metaText(context, []))
  for (let row = 0; row < length; row++) {
    const changed = changes.get(row)
    if (changed === undefined) column.pushBytes(none)
    else column.pushText(metaText(context, changed))
  }
  return column.finish()
}
