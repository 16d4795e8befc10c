import { z } from 'zod'
import type { Cadence } from '../../destination/capabilities.js'
import type { ByteSize } from '../../util/byte-size.js'
import { byteSize, type ParquetOptions, parquetSchema } from '../formats/parquet/parquet-options.js'
import { DEFAULT_PATH, pathTemplateProblem } from './path-template.js'

/** The options that all lakes share. */
export interface LakeFileOptions {
  /**
   * Directory of a table's files, relative. Default `${NAMESPACE}/${STREAM_NAME}`. Variables: `NAMESPACE`, `STREAM_NAME`, `YEAR`,
   * `MONTH`, `DAY`, `HOUR`, `MINUTE`, `SECOND`, `MILLISECOND`, `EPOCH` (of when a file was begun, UTC), `UUID`.
   */
  readonly path?: string
  /** Default Parquet, snappy. */
  readonly format?: ParquetOptions
  /** A file ends at about this size, default `'200MB'`. */
  readonly maxFileBytes?: ByteSize
  /** A file ends at this number of rows; default: no limit. */
  readonly maxFileRows?: number
  /** When to publish: default after 128 MB or 60 seconds, whichever comes first. */
  readonly cadence?: Partial<Cadence>
}

export const lakeFileOptions = {
  path: z
    .string()
    .default(DEFAULT_PATH)
    .check((context) => {
      const problem = pathTemplateProblem(context.value)
      if (problem !== undefined) context.issues.push({ code: 'custom', message: problem, input: context.value })
    }),
  format: parquetSchema.prefault({ type: 'parquet' }),
  maxFileBytes: byteSize.prefault('200MB'),
  maxFileRows: z.int().min(1).default(Number.MAX_SAFE_INTEGER),
  cadence: z
    .strictObject({
      bytes: z
        .int()
        .min(1)
        .default(128 * 1024 ** 2),
      milliseconds: z.int().min(1).default(60_000),
    })
    .prefault({}),
}
