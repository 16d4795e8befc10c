import { z } from 'zod'
import { type ByteSize, parseByteSize } from '../../../util/byte-size.js'
import { PARQUET_COMPRESSIONS, type ParquetCompression } from './worker-protocol.js'

export interface ParquetOptions {
  readonly type: 'parquet'
  /** Default `snappy`. */
  readonly compression?: ParquetCompression
  /**
   * Most bytes of a row group before encoding, default `'64MB'`. A ceiling: the run's byte budget closes row groups earlier, and no
   * group takes more than an eighth of it.
   */
  readonly blockSize?: ByteSize
  /** Most rows of a row group, default 131,072. */
  readonly rowGroupRows?: number
  /** Bytes of a data page, default `'1MB'`. */
  readonly pageSize?: ByteSize
  /** Bytes of a column's dictionary, default `'1MB'`. */
  readonly dictionaryPageSize?: ByteSize
  /**
   * Which columns get a dictionary: `'auto'` (default) those whose values repeat, judged by a sample of the table's first row group; or all, or
   * none.
   */
  readonly dictionary?: 'auto' | boolean
  /** Threads that encode, default 1. */
  readonly workers?: number
}

export type ParquetSettings = Required<{
  readonly [name in Exclude<keyof ParquetOptions, 'type'>]: ParquetOptions[name] extends ByteSize | undefined
    ? number
    : NonNullable<ParquetOptions[name]>
}>

/** Checks a size and gives its bytes. */
export const byteSize = z.unknown().transform((size, context) => {
  const bytes = parseByteSize(size)
  if (bytes !== undefined && bytes > 0) return bytes
  context.addIssue({ code: 'custom', message: "Must be a number of bytes or a text like '128MB'" })
  return z.NEVER
})

export const parquetSchema = z.strictObject({
  type: z.literal('parquet'),
  compression: z.enum(PARQUET_COMPRESSIONS).default('snappy'),
  blockSize: byteSize.prefault('64MB'),
  rowGroupRows: z.int().min(1).max(10_000_000).default(131_072),
  pageSize: byteSize.prefault('1MB'),
  dictionaryPageSize: byteSize.prefault('1MB'),
  dictionary: z.union([z.literal('auto'), z.boolean()]).default('auto'),
  workers: z.int().min(1).max(16).default(1),
})
