import { randomUUID } from 'node:crypto'
import { isSynclineError } from '../../errors/syncline-error.js'
import type { ByteBudget } from '../../model/budget.js'
import type { Context } from '../../model/context.js'
import { streamKey } from '../../model/stream.js'
import { type TableShape, tableKey } from '../../model/table.js'
import type { ObjectStore, Upload } from '../../object-store/object-store.js'
import type { FileEncoder, FileFormat, FormatSession } from '../formats/file-format.js'
import type { FileEntry } from './commit-record.js'
import type { UploadJournal } from './journal.js'
import { fileNamePart } from './key-names.js'
import { expandPath } from './path-template.js'

/** Where the rows of a file come from, told by its name. */
export interface FileOrigin {
  readonly generationId: string
  readonly run: string
  readonly slice: string
  readonly attempt: number
  readonly part: number
}

/** Begins the files of one load. */
export class LakeFiles {
  constructor(
    readonly store: ObjectStore,
    readonly journal: UploadJournal,
    readonly format: FileFormat,
    readonly session: FormatSession,
    readonly budget: ByteBudget,
    readonly path: string,
  ) {}

  async begin(table: TableShape, origin: FileOrigin, context: Context): Promise<LakeFile> {
    const { format, store, budget } = this
    const directory = expandPath(this.path, { namespace: table.namespace, name: table.name, at: context.now() })
    const token = randomUUID()
    const name = `${fileName(origin, token)}.${format.extension}`
    const key = directory === '' ? name : `${directory}/${name}`
    const metadata = { 'syncline-generation-id': origin.generationId }
    const upload = await store.begin(key, { token, mediaType: format.mediaType, metadata, budget }, context)
    try {
      await this.journal.add(token, upload.ref, context)
    } catch (error) {
      // Nobody would find it again.
      await upload.abort(context).catch(() => {})
      throw error
    }
    const encoder = this.session.encoder(table, (bytes, at) => upload.write(bytes, at), budget, context)
    return new LakeFile(table, origin.generationId, key, token, upload, encoder, this)
  }

  /** Drops an upload that no record will name. */
  async drop({ ref, token }: Pick<FileEntry, 'ref' | 'token'>, context: Context): Promise<void> {
    await this.store.abort(ref, context)
    await this.journal.remove(token, context)
  }
}

/** One file that is being written. */
export class LakeFile {
  constructor(
    readonly table: TableShape,
    readonly generationId: string,
    readonly key: string,
    readonly token: string,
    readonly upload: Upload,
    readonly encoder: FileEncoder,
    readonly files: LakeFiles,
  ) {}

  /** Complete and durable, and still invisible. */
  async finish(context: Context): Promise<FileEntry> {
    await this.encoder.finish(context)
    await this.upload.finish(context)
    const { table, key, token, generationId, encoder } = this
    return {
      key,
      ref: this.upload.ref,
      token,
      stream: streamKey(table.stream),
      generationId,
      role: table.role,
      table: tableKey(table),
      records: encoder.records,
      bytes: encoder.bytes,
    }
  }

  async drop(context: Context): Promise<void> {
    this.encoder.abort()
    await this.upload.abort(context)
    await this.files.journal.remove(this.token, context)
  }
}

/** Ends in a part of the token: a run that opens a second reading counts the attempts at a slice from 1 again. */
function fileName({ generationId, run, slice, attempt, part }: FileOrigin, token: string): string {
  return [fileNamePart(generationId), fileNamePart(run), fileNamePart(slice), attempt, part, token.slice(0, 8)].join(
    '_',
  )
}

/** Tries all, then throws the first error. */
export async function dropAll(drops: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(drops)).filter(
    ({ status }) => status === 'rejected',
  ) as PromiseRejectedResult[]
  const worst = failed.find(({ reason }) => isSynclineError(reason)) ?? failed[0]
  if (worst !== undefined) throw worst.reason
}
