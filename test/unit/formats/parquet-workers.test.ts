import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { ParquetWorkers } from '#src/toolkit/formats/parquet/worker-pool.js'
import { parquetWorkerUrl } from '#src/toolkit/formats/parquet/worker-url.js'

const options = { compression: 'snappy', pageSize: 1 << 20, dictionaryPageSize: 1 << 20, dictionary: [] } as const
const chunk = new SharedArrayBuffer(64)
new Uint8Array(chunk).fill(7)
const NONSENSE = { stream: { chunks: [chunk], bytes: 64 }, rows: 1, position: 4, options }

test('what cannot be encoded is a clear error, and the next row group gets a new thread', async () => {
  const workers = new ParquetWorkers(1)
  for (let attempt = 0; attempt < 2; attempt++) {
    await expect(workers.encode(NONSENSE)).rejects.toMatchObject({
      code: 'DESTINATION_FAILED',
      message: expect.stringContaining('could not be encoded'),
    })
  }
  await workers.close()
})

test('work that waits when the encoder is closed fails', async () => {
  const workers = new ParquetWorkers(1)
  const waiting = [workers.encode(NONSENSE), workers.encode(NONSENSE)]
  const outcomes = Promise.allSettled(waiting)
  await workers.close()
  expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
})

test('the worker of a bundled host is found in the installed package, else the error says what to do', async () => {
  const inPackage = new URL('../../../bundle/host.mjs', import.meta.url)
  expect(parquetWorkerUrl(inPackage.href).pathname).toMatch(/dist\/toolkit\/formats\/parquet\/parquet-worker\.js$/)
  const elsewhere = await mkdtemp(join(tmpdir(), 'syncline-bundle-'))
  try {
    const bundle = join(elsewhere, 'host.mjs')
    await writeFile(bundle, '')
    expect(() => parquetWorkerUrl(pathToFileURL(bundle).href)).toThrow(
      expect.objectContaining({ code: 'DESTINATION_FAILED', hint: expect.stringContaining('installed') }),
    )
  } finally {
    await rm(elsewhere, { recursive: true })
  }
})
