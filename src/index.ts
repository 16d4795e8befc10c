export type {
  Cadence,
  DestinationCapabilities,
  IdentifierRules,
  TypeRules,
} from './destination/capabilities.js'
export { defineDestination } from './destination/define-destination.js'
export type { DeliveredRecord } from './destination/delivered-records.js'
export type { DefineDestinationOptions, Delivery } from './destination/delivery.js'
export type {
  Commit,
  Destination,
  Load,
  LoadPlan,
  LoadStream,
  Receipt,
  ReceiptTable,
  Writer,
} from './destination/destination.js'
export { ERROR_CODES, type ErrorCode, type RetryPolicy, retryPolicy } from './errors/codes.js'
export { type ErrorPhase, isSynclineError, SynclineError, type SynclineErrorOptions } from './errors/syncline-error.js'
export { fieldTypeOfArrow, recordSchemaOfArrow } from './model/arrow-field-type.js'
export { arrowField, arrowSchema, arrowType } from './model/arrow-type.js'
export { Batch, type BatchOptions, type ValueChange } from './model/batch.js'
export { BatchBuilder } from './model/batch-builder.js'
export type { BudgetLease, ByteBudget } from './model/budget.js'
export { type CastColumn, castColumn } from './model/cast-column.js'
export { type BatchChanges, OPERATION, type OrderKey } from './model/change.js'
export type { ConfiguredCatalog, ConfiguredStream } from './model/configured-stream.js'
export type { Context, Log, LogLevel } from './model/context.js'
export type { FieldKind, FieldType } from './model/field-type.js'
export { concatRows, filterRows, takeRows } from './model/filter-rows.js'
export type { Json } from './model/json.js'
export { jsonSchemaOf, recordJsonSchema } from './model/json-schema.js'
export { fieldTypeOfJsonSchema, recordSchemaOfJsonSchema } from './model/json-schema-type.js'
export type { JsonSchema } from './model/json-schema-words.js'
export type { Message, Native, Rejected, Truncate } from './model/message.js'
export type { ProjectedColumn, Projection } from './model/projection.js'
export type { Field, RecordSchema } from './model/schema.js'
export type { Checkpoint, Proof, SetAside, Slice, SliceDone } from './model/slice.js'
export type { ScopeRef, ScopeState, Stored, StreamState } from './model/state.js'
export { type Catalog, type Stream, type StreamRef, streamKey } from './model/stream.js'
export type { DestinationSyncMode, SyncMode, SyncModePair } from './model/sync-mode.js'
export {
  type TableBatch,
  type TableField,
  type TableNative,
  type TableRole,
  type TableRows,
  type TableShape,
  type TableTruncate,
  tableKey,
} from './model/table.js'
export { widen } from './model/widen.js'
export type { MetadataColumn } from './normalizer/metadata.js'
export type { NormalizeContext, Normalizer, RejectedRows, StreamNormalizer } from './normalizer/normalizer.js'
export { type TypedNormalizerOptions, typedNormalizer } from './normalizer/typed.js'
export type {
  BeginOptions,
  ListOptions,
  ObjectStore,
  ObjectStoreCapabilities,
  PutOptions,
  Upload,
  UploadStatus,
} from './object-store/object-store.js'
export type { ErrorReport, PipelineEvent, PipelineEvents, PipelineListener, StreamProgress } from './pipeline/events.js'
export type {
  CadenceOption,
  NamespaceOption,
  PipelineOptions,
  RetryOptions,
  SchemaPolicy,
  ValuePolicy,
} from './pipeline/options.js'
export { Pipeline, type RunOptions } from './pipeline/pipeline.js'
export { isRunError, type Metrics, RunError, type RunResult, type StreamResult } from './pipeline/result.js'
export type { SchemaChange } from './pipeline/schema-policy.js'
export type { StreamOptions, StreamsOption, TypedStreamOptions } from './pipeline/stream-options.js'
export { advanceBySlice, proofOfSlice } from './source/advance-by-slice.js'
export type { CursorValue } from './source/cursor-value.js'
export { type DefineSourceOptions, defineSource } from './source/define-source.js'
export type { Records, RecordsRequest } from './source/definition.js'
export { type ReadRecordsOptions, type RecordsOf, readRecords, type StreamNameOf } from './source/read-records.js'
export type { NativeAgreement, Planned, Reading, ReadRequest, ReadScope, ReadStream, Source } from './source/source.js'
export { type StreamDefinition, type StreamDefinitionOptions, stream } from './source/stream-definition.js'
export type {
  CheckedRecord,
  CursorChoice,
  CursorFieldName,
  FieldName,
  RecordOf,
  RejectedRecord,
  TypedSource,
  TypedStream,
} from './source/typed-source.js'
export { type FileStateStoreOptions, fileStateStore } from './state/file-state-store.js'
export { memoryStateStore } from './state/memory-state-store.js'
export type { StateLock, StateStore } from './state/state-store.js'
export type { ByteSize } from './util/byte-size.js'
