import type { RecordBatch } from 'apache-arrow'
import type { DestinationCapabilities } from '../destination/capabilities.js'
import { arrowSchema } from '../model/arrow-type.js'
import { castColumn } from '../model/cast-column.js'
import type { ConfiguredStream } from '../model/configured-stream.js'
import type { FieldType } from '../model/field-type.js'
import type { Rejected } from '../model/message.js'
import { recordBatch } from '../model/record-batch.js'
import { streamKey } from '../model/stream.js'
import type { TableRows, TableShape } from '../model/table.js'
import { valueColumn } from '../model/value-writer.js'
import { legalName, namespaceName } from './naming.js'
import type { NormalizeContext } from './normalizer.js'
import { rowId } from './row-ids.js'
import { tableType } from './table-type.js'

const NAME = '_syncline_rejected'

interface RejectedColumn {
  readonly name: string
  readonly type: FieldType
  readonly value: (row: Rejected, context: NormalizeContext) => unknown
}

/** The table of records that could not be taken: append-only, shared by all streams of a namespace. */
export class RejectedTable {
  readonly shape: TableShape
  private readonly columns: readonly RejectedColumn[]

  constructor(
    stream: ConfiguredStream,
    private readonly capabilities: DestinationCapabilities,
    metadataPrefix: string,
  ) {
    const { identifiers, types } = capabilities
    this.columns = rejectedColumns(metadataPrefix)
    this.shape = {
      stream: { ...(stream.namespace === undefined ? {} : { namespace: stream.namespace }), name: stream.name },
      role: 'rejected',
      ...(stream.target.namespace === undefined
        ? {}
        : { namespace: namespaceName(stream.target.namespace, identifiers) }),
      name: legalName(NAME, identifiers),
      fields: this.columns.map(({ name, type }) => ({
        name: legalName(name, identifiers),
        type: tableType(type, types),
      })),
    }
  }

  rows(rejected: readonly Rejected[], context: NormalizeContext): TableRows {
    return { table: this.shape, columns: this.recordBatch(rejected, context) }
  }

  private recordBatch(rejected: readonly Rejected[], context: NormalizeContext): RecordBatch {
    const columns = this.columns.map(({ type, value }) => {
      const { column, write } = valueColumn(type)
      for (const row of rejected) {
        const field = value(row, context)
        if (field === undefined || write(field) !== 0) column.pushNull()
      }
      return castColumn(column.finish(), type, tableType(type, this.capabilities.types)).column
    })
    const schema = arrowSchema({ fields: this.shape.fields.map((field) => ({ ...field, nullable: true })) })
    return recordBatch(schema, columns, rejected.length)
  }
}

function rejectedColumns(prefix: string): readonly RejectedColumn[] {
  const text = { kind: 'string' } as const
  return [
    { name: `${prefix}raw_id`, type: text, value: ({ position }, context) => rowId(context, position) },
    {
      name: `${prefix}extracted_at`,
      type: { kind: 'timestamp', zone: true },
      value: (_, { extractedAt }) => extractedAt,
    },
    { name: `${prefix}generation_id`, type: { kind: 'int64' }, value: (_, { generation }) => generation },
    { name: 'stream', type: text, value: ({ stream }) => streamKey(stream) },
    { name: 'code', type: text, value: ({ code }) => code },
    { name: 'reason', type: text, value: ({ reason }) => reason },
    { name: 'position', type: { kind: 'int64' }, value: ({ position }) => position },
    // Text, as it may be what could be read of a broken record. A lone surrogate has no place in any text.
    { name: 'record', type: text, value: ({ record }) => record?.replace(/\p{Surrogate}/gu, '\ufffd') },
  ]
}
