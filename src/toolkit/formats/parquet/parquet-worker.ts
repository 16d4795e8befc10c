// Runs in a worker thread: encodes row groups, one at a time.
import { parentPort } from 'node:worker_threads'
import { Compression, EnabledStatistics, Table, WriterPropertiesBuilder, writeParquet } from 'parquet-wasm'
import { chooseDictionaries } from './dictionary-choice.js'
import { CHUNK_BYTES, type SharedBytes } from './shared-buffers.js'
import { takeApart } from './stitch.js'
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
  port.postMessage(response, 'part' in response ? [response.part.data.buffer] : [])
})

function encode({ stream, rows, position, options }: EncodeRequest): Encoded {
  const bytes = gathered(stream)
  const dictionary = options.dictionary === 'choose' ? chooseDictionaries(bytes) : options.dictionary
  const table = Table.fromIPCStream(bytes)
  // The table is consumed, and the properties too, so neither is freed here.
  const file = writeParquet(table, properties(options, dictionary, rows))
  // Node may hand out a view of a larger buffer; what is transferred must be the file alone.
  const own = file.byteLength === file.buffer.byteLength ? file : file.slice()
  return { part: takeApart(own as Uint8Array<ArrayBuffer>, position), dictionary }
}

/** Used again for every row group, like all memory here. */
let scratch = new Uint8Array()

function gathered({ chunks, bytes }: SharedBytes): Uint8Array {
  if (scratch.byteLength < bytes) scratch = new Uint8Array(bytes)
  for (const [index, chunk] of chunks.entries()) {
    const at = index * CHUNK_BYTES
    scratch.set(new Uint8Array(chunk, 0, Math.min(CHUNK_BYTES, bytes - at)), at)
  }
  return scratch.subarray(0, bytes)
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
