import type { TableShape } from '../../../model/table.js'
import type { FileFormat, FormatSession } from '../file-format.js'
import { type GroupToEncode, ParquetFile } from './parquet-file.js'
import type { ParquetSettings } from './parquet-options.js'
import { SharedBuffers } from './shared-buffers.js'
import { ParquetWorkers } from './worker-pool.js'
import type { Encoded, EncodeOptions } from './worker-protocol.js'

export function parquetFormat(settings: ParquetSettings): FileFormat {
  return {
    name: 'parquet',
    extension: 'parquet',
    mediaType: 'application/vnd.apache.parquet',
    session: () => parquetSession(settings),
  }
}

function parquetSession(settings: ParquetSettings): FormatSession {
  const workers = new ParquetWorkers(settings.workers)
  const buffers = new SharedBuffers()
  const dictionaries = new DictionaryChoices(settings, workers)
  return {
    encoder: (table, output, budget, context) =>
      new ParquetFile(table, output, settings, budget, context, buffers, (group) => dictionaries.encode(table, group)),
    close: () => workers.close(),
  }
}

/** Chooses a table's dictionary columns with its first row group and keeps to it. */
class DictionaryChoices {
  readonly #settings: ParquetSettings
  readonly #workers: ParquetWorkers
  readonly #chosen = new Map<string, readonly string[]>()

  constructor(settings: ParquetSettings, workers: ParquetWorkers) {
    this.#settings = settings
    this.#workers = workers
  }

  async encode(table: TableShape, group: GroupToEncode): Promise<Encoded> {
    const key = JSON.stringify([table.stream, table.namespace, table.name, table.fields.map(({ name }) => name)])
    const options: EncodeOptions = { ...this.#settings, dictionary: this.#chosen.get(key) ?? this.#first(table) }
    const encoded = await this.#workers.encode({ ...group, options })
    if (options.dictionary === 'choose' && group.rows > 0) this.#chosen.set(key, encoded.dictionary)
    return encoded
  }

  #first(table: TableShape): EncodeOptions['dictionary'] {
    const { dictionary } = this.#settings
    if (dictionary === 'auto') return 'choose'
    return dictionary ? table.fields.filter(({ type }) => type.kind !== 'boolean').map(({ name }) => name) : []
  }
}
