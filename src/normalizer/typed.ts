import type { Schema as ArrowSchema } from 'apache-arrow'
import { z } from 'zod'
import type { DestinationCapabilities } from '../destination/capabilities.js'
import { invalidOptions } from '../errors/invalid-options.js'
import { arrowSchema } from '../model/arrow-type.js'
import type { Batch } from '../model/batch.js'
import type { BatchChanges } from '../model/change.js'
import type { ConfiguredStream } from '../model/configured-stream.js'
import type { Json } from '../model/json.js'
import type { Truncate } from '../model/message.js'
import type { ProjectedColumn, Projection } from '../model/projection.js'
import { recordBatch } from '../model/record-batch.js'
import type { RecordSchema } from '../model/schema.js'
import { streamRef } from '../model/stream.js'
import type { TableBatch, TableRows, TableShape } from '../model/table.js'
import { CHANGE_REASON } from '../model/value-change.js'
import { NullColumns } from './constant-column.js'
import { GrownSchema, joinGrownSchemas } from './grown-schema.js'
import { METADATA_COLUMNS, type MetaChange, Metadata, type MetadataColumn } from './metadata.js'
import { legalName, namespaceName, tableName } from './naming.js'
import type { NormalizeContext, Normalizer, RejectedRows, StreamNormalizer } from './normalizer.js'
import { RejectedTable } from './rejected-table.js'
import { TableColumns } from './table-columns.js'

export interface TypedNormalizerOptions {
  /** What the names of the metadata columns begin with. Default: `_airbyte_`. */
  readonly metadataPrefix?: string
  /**
   * The metadata columns, in this order, before the record's own. Default: `raw_id`, `extracted_at`, `meta`, `generation_id`. Without
   * `meta` nothing at the destination tells why a value is null.
   */
  readonly metadata?: readonly MetadataColumn[]
}

const OPTIONS = z.strictObject({
  metadataPrefix: z.string().optional(),
  metadata: z
    .array(z.enum(METADATA_COLUMNS))
    .refine((columns) => new Set(columns).size === columns.length, 'Names a column twice')
    .optional(),
})

/**
 * One table per stream with the record's fields as columns; nested values stay JSON text. Names are made legal for the destination, types
 * that it cannot hold become text. Four metadata columns (`_airbyte_raw_id`, `_airbyte_extracted_at`, `_airbyte_meta`,
 * `_airbyte_generation_id`) stand before them; a field of such a name gets a suffix. Records that could not be taken go to
 * `_syncline_rejected`.
 */
export function typedNormalizer(options: TypedNormalizerOptions = {}): Normalizer {
  const parsed = OPTIONS.safeParse(options)
  if (!parsed.success) throw invalidOptions('typedNormalizer', parsed.error, OPTIONS)
  const { metadataPrefix = '_airbyte_', metadata = METADATA_COLUMNS } = parsed.data
  return {
    name: 'typed',
    open: (stream, capabilities, saved) =>
      new TypedStreamNormalizer(stream, capabilities, metadataPrefix, metadata, saved),
    join: joinGrownSchemas,
  }
}

const NO_CHANGES: ReadonlyMap<number, MetaChange[]> = new Map()

class TypedStreamNormalizer implements StreamNormalizer {
  private readonly grown: GrownSchema
  private readonly metadata: Metadata
  private readonly metadataNames: readonly string[]
  private readonly rejected: RejectedTable
  private readonly nulls = new NullColumns()
  private readonly comments: ReadonlyMap<string, string>
  private main: TableShape
  private arrow: ArrowSchema
  private latest: TableColumns

  constructor(
    private readonly stream: ConfiguredStream,
    private readonly capabilities: DestinationCapabilities,
    metadataPrefix: string,
    private readonly metadataColumns: readonly MetadataColumn[],
    saved: Json | undefined,
  ) {
    const { identifiers, types } = capabilities
    this.metadataNames = metadataColumns.map((column) => legalName(`${metadataPrefix}${column}`, identifiers))
    this.metadata = new Metadata(metadataColumns, types)
    this.rejected = new RejectedTable(stream, capabilities, metadataPrefix)
    this.comments = new Map(
      stream.schema.fields.flatMap(({ name, comment }) => (comment === undefined ? [] : [[name, comment] as const])),
    )
    this.grown = new GrownSchema(capabilities, this.metadataNames, saved)
    this.grown.grow(stream.schema)
    this.main = this.mainShape()
    this.arrow = shapeSchema(this.main)
    this.latest = new TableColumns(stream.schema, this.grown.fields, this.nulls)
  }

  tables(): readonly TableShape[] {
    return [this.main, this.rejected.shape]
  }

  schema(): Json {
    return this.grown.toJson()
  }

  projection(): Projection | undefined {
    // What comes from the run itself is not known here.
    if (this.metadataColumns.some((column) => column !== 'raw_id')) return undefined
    const ids = this.main.fields
      .slice(0, this.metadataColumns.length)
      .map(({ name, type }): ProjectedColumn => ({ name, type, from: 'row_id' }))
    const fields = this.latest.projected()
    return fields && { columns: [...ids, ...fields] }
  }

  normalize(input: Batch | Truncate | RejectedRows, context: NormalizeContext): TableBatch[] {
    switch (input.type) {
      case 'batch':
        return [this.rows(input, context)]
      case 'truncate':
        return [{ table: this.main, truncate: input.order }]
      case 'rejected_rows':
        return input.rows.length === 0 ? [] : [this.rejected.rows(input.rows, context)]
    }
  }

  private rows(batch: Batch, context: NormalizeContext): TableRows {
    const columns = this.columnsFor(batch.schema)
    let changes = this.valueChanges(batch)
    const data = columns.of(batch, (row, change) => {
      if (changes === NO_CHANGES) changes = new Map()
      addChange(changes as Map<number, MetaChange[]>, row, change)
    })
    const metadata = this.metadata.rows(context, batch.length, changes)
    return {
      table: this.main,
      columns: recordBatch(this.arrow, [...metadata, ...data], batch.length),
      ...(batch.changes === undefined ? {} : { changes: this.tableChanges(batch.changes) }),
    }
  }

  private columnsFor(schema: RecordSchema): TableColumns {
    if (schema === this.latest.schema) return this.latest
    if (this.grown.grow(schema)) {
      this.main = this.mainShape()
      this.arrow = shapeSchema(this.main)
    }
    this.latest = new TableColumns(schema, this.grown.fields, this.nulls)
    return this.latest
  }

  private valueChanges(batch: Batch): ReadonlyMap<number, MetaChange[]> {
    const unchanged = this.stream.destinationSyncMode === 'append' ? batch.changes?.unchanged : undefined
    if (batch.valueChanges.length === 0 && unchanged === undefined) return NO_CHANGES
    const changes = new Map<number, MetaChange[]>()
    for (const { row, field, change, reason } of batch.valueChanges) addChange(changes, row, { field, change, reason })
    // Nothing merges an appended row with the one before, so that its null has to be told from one in the source.
    for (const [field, mask] of unchanged ?? []) {
      mask.forEach((set, row) => {
        if (set === 1) addChange(changes, row, { field, change: 'NULLED', reason: CHANGE_REASON.unchanged })
      })
    }
    return changes
  }

  private tableChanges(changes: BatchChanges): BatchChanges {
    if (changes.unchanged === undefined) return changes
    const renamed = [...changes.unchanged].map(([field, mask]) => [this.grown.get(field)?.name ?? field, mask] as const)
    return { ...changes, unchanged: new Map(renamed) }
  }

  private mainShape(): TableShape {
    const { stream, grown } = this
    const { identifiers } = this.capabilities
    const key = stream.primaryKey?.flatMap((field) => grown.get(field)?.name ?? [])
    const cursor = stream.cursorField ?? stream.defaultCursorField
    const cursorName = cursor === undefined ? undefined : grown.get(cursor)?.name
    return {
      stream: streamRef(stream),
      role: 'main',
      ...(stream.target.namespace === undefined
        ? {}
        : { namespace: namespaceName(stream.target.namespace, identifiers) }),
      name: tableName(stream.target.name, identifiers),
      fields: [
        ...this.metadataNames.map((name, i) => ({ name, type: this.metadata.types[i]! })),
        ...grown.fields.map(({ field, name, type }) => {
          const comment = this.comments.get(field)
          return { name, type, ...(comment === undefined ? {} : { comment }) }
        }),
      ],
      ...(key !== undefined && key.length > 0 && key.length === stream.primaryKey?.length ? { primaryKey: key } : {}),
      ...(cursorName === undefined ? {} : { cursorField: cursorName }),
    }
  }
}

function addChange(changes: Map<number, MetaChange[]>, row: number, change: MetaChange): void {
  const before = changes.get(row)
  if (before === undefined) changes.set(row, [change])
  else before.push(change)
}

function shapeSchema({ fields }: TableShape): ArrowSchema {
  return arrowSchema({ fields: fields.map((field) => ({ ...field, nullable: true })) })
}
