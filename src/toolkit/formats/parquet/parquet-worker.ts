// Runs in a worker thread: encodes row groups, one at a time.
import { parentPort } from 'node:worker_threads'
import { Compression, EnabledStatistics, Table, WriterPropertiesBuilder, writeParquet } from 'parquet-wasm'
import { chooseDictionaries } from './dictionary-choice.js'
import type { Encoded, EncodeOptions, EncodeRequest, EncodeResponse, ParquetCompression } from './worker-protocol.js'

const COMPRESSION: { readonly [name in ParquetCompression]: Compression } = {
  uncompressed: Compression.UNCOMPRESSED,
  snappy: Compression.SNAPPY,
  gzip: Compression.GZIP,
  zstd: Compression.ZSTD,
  brotli: Compression.BROTLI,
  lz4: Compression.LZ4_RAW,
}

const port = parentPort!
port.on('message', (request: EncodeRequest) => {
  let response: EncodeResponse
  try {
    response = { id: request.id, ...encode(request) }
  } catch (error) {
    response = { id: request.id, error: error instanceof Error ? error.message : String(error) }
  }
  port.postMessage(response, 'file' in response ? [response.file.buffer] : [])
})

function encode({ stream, rows, options }: EncodeRequest): Encoded {
  const bytes = new Uint8Array(stream.buffer, 0, stream.bytes)
  const dictionary = options.dictionary === 'choose' ? chooseDictionaries(bytes) : options.dictionary
  const table = Table.fromIPCStream(bytes)
  // The table is consumed, and the properties too, so neither is freed here.
  const file = writeParquet(table, properties(options, dictionary, rows))
  // Node may hand out a view of a larger buffer; what is transferred must be the file alone.
  const own = file.byteLength === file.buffer.byteLength ? file : file.slice()
  return { file: own as Uint8Array<ArrayBuffer>, dictionary }
}

function properties(options: EncodeOptions, dictionary: readonly string[], rows: number) {
  let builder = new WriterPropertiesBuilder()
    .setCreatedBy('syncline')
    .setCompression(COMPRESSION[options.compression])
    .setMaxRowGroupSize(Math.max(rows, 1))
    .setDataPageSizeLimit(options.pageSize)
    .setDictionaryPageSizeLimit(options.dictionaryPageSize)
    .setStatisticsEnabled(EnabledStatistics.Chunk)
    .setDictionaryEnabled(false)
  for (const column of dictionary) builder = builder.setColumnDictionaryEnabled(column, true)
  return builder.build()
}
