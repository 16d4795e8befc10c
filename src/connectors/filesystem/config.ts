import { z } from 'zod'
import { invalidOptions } from '../../errors/invalid-options.js'
import { type LakeFileOptions, lakeFileOptions } from '../../toolkit/lake/lake-options.js'

export interface FilesystemDestinationOptions extends LakeFileOptions {
  /** The directory of the lake, made when it is not there. Relative paths are relative to the working directory. */
  readonly directory: string
}

const schema = z.strictObject({ directory: z.string().min(1), ...lakeFileOptions })

export type FilesystemDestinationSettings = z.infer<typeof schema>

export function filesystemSettings(options: FilesystemDestinationOptions): FilesystemDestinationSettings {
  const parsed = schema.safeParse(options)
  if (!parsed.success) throw invalidOptions('filesystem', parsed.error, schema)
  return parsed.data
}
