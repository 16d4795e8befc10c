import type { SharedBytes } from './shared-buffers.js'
import type { ParquetPart } from './stitch.js'

export const PARQUET_COMPRESSIONS = ['uncompressed', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4'] as const
export type ParquetCompression = (typeof PARQUET_COMPRESSIONS)[number]

export interface EncodeOptions {
  readonly compression: ParquetCompression
  /** Bytes. */
  readonly pageSize: number
  /** Bytes of a column's dictionary, after which plain values follow. */
  readonly dictionaryPageSize: number
  /** Columns with a dictionary; `choose`: those with few distinct values among the rows of this group. */
  readonly dictionary: 'choose' | readonly string[]
}

/** One row group to be encoded: an Arrow IPC stream. */
export interface EncodeRequest {
  readonly id: number
  readonly stream: SharedBytes
  readonly rows: number
  /** Where its column chunks will stand in the file. */
  readonly position: number
  readonly options: EncodeOptions
}

/** The rows in one row group. */
export interface Encoded {
  readonly part: ParquetPart
  /** The columns that have a dictionary. */
  readonly dictionary: readonly string[]
}

export type EncodeResponse = { readonly id: number } & (Encoded | { readonly error: string })
