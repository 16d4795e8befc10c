import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FilesystemDestinationOptions, filesystemDestination, filesystemStore } from 'syncline/filesystem'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  LakeRun,
  lakeStream,
  linesLake,
  pendingFiles,
  restart,
  SCOPE,
  testContext,
  visibleIds,
} from '../../fixtures/lake-run.js'
import { tree } from '../../fixtures/read-lake.js'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'syncline-records-'))
})
afterEach(() => rm(directory, { recursive: true }))

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)
const lake = () => linesLake(filesystemStore(directory))
const recover = () => lake().recover!(SCOPE, testContext())
const record = (version: number) =>
  join(directory, `_syncline/shop/orders/${version.toString().padStart(12, '0')}.json`)

async function publishTwice(): Promise<void> {
  const run = await LakeRun.open(lake(), lakeStream())
  await run.publish([await run.piece([1])], [1])
  await run.publish([await run.piece([2])], [1, 2])
  await run.close()
}

describe('records', () => {
  test('one per publish, standing alone as JSON: version, run, states, files, receipts', async () => {
    await publishTwice()
    const written = JSON.parse(await readFile(record(2), 'utf8'))
    expect(written).toMatchObject({
      format: 1,
      kind: 'commit',
      pipeline: 'shop',
      scope: 'orders',
      version: 2,
      before: { source: [1] },
      after: { source: [1, 2] },
      receipts: [{ attempt: 1, piece: 0, tables: [{ records: 1 }] }],
      complete: [{ records: 1, role: 'main' }],
    })
    expect(written.previous).toBe(JSON.parse(await readFile(record(1), 'utf8')).id)
  })

  test.each([
    ['is no JSON', '{"format": 1, "id"', 'STATE_CORRUPT'],
    ['lacks its parts', '{"format": 1}', 'STATE_CORRUPT'],
    ['is empty of sense', 'null', 'STATE_CORRUPT'],
    ['is of a newer syncline', '{"format": 2, "anything": true}', 'STATE_VERSION_UNSUPPORTED'],
  ])('one that %s is never taken for an empty state', async (_, content, code) => {
    await publishTwice()
    await writeFile(record(2), content)
    await expect(recover()).rejects.toMatchObject({ code })
    await expect(LakeRun.open(lake(), lakeStream())).rejects.toMatchObject({ code })
  })

  test('one that was put into another place is refused', async () => {
    await publishTwice()
    const other = JSON.parse(await readFile(record(2), 'utf8'))
    await writeFile(record(2), JSON.stringify({ ...other, pipeline: 'another' }))
    await expect(recover()).rejects.toMatchObject({ code: 'STATE_CORRUPT' })
  })

  test('one that is missing between others is noticed', async () => {
    await publishTwice()
    await rm(record(1))
    await expect(recover()).rejects.toMatchObject({
      code: 'STATE_CORRUPT',
      message: expect.stringContaining('missing'),
    })
  })

  test('old ones are cleared away, and what overwrite has to replace is still known', async () => {
    const stream = lakeStream()
    const run = await LakeRun.open(lake(), stream)
    for (let i = 0; i < 70; i++) await run.publish([await run.piece([i])], range(0, i + 1))
    await run.close()
    const records = (await tree(directory)).filter((path) => /\d{12}\.json$/.test(path))
    expect(records.length).toBeLessThan(40)
    expect(await visibleIds(directory)).toEqual(range(0, 70))
    // Append becomes overwrite: everything that this pipeline ever wrote for the stream is replaced.
    stream.destinationSyncMode = 'overwrite'
    stream.syncMode = 'full_refresh'
    restart(stream)
    const next = await LakeRun.open(lake(), stream)
    await next.publish([await next.piece([500])], [500], true)
    await next.close()
    expect(await visibleIds(directory)).toEqual([500])
  })

  test('publishing leaves no journal and no pending upload behind', async () => {
    const run = await LakeRun.open(lake(), lakeStream())
    await run.publish([await run.piece(range(0, 30))], range(0, 30))
    await run.piece(range(30, 40))
    await run.close()
    expect(await pendingFiles(directory)).toEqual([])
    expect((await tree(directory)).filter((path) => path.includes('/pending/'))).toEqual([])
    expect(await visibleIds(directory)).toEqual(range(0, 30))
  })

  test('files of an open generation stay pending over several runs', async () => {
    const stream = lakeStream('orders', 'overwrite', 'full_refresh')
    for (let i = 0; i < 3; i++) {
      const run = await LakeRun.open(lake(), stream)
      await run.publish([await run.piece(range(i * 10, i * 10 + 10))], [i])
      await run.close()
      expect(await visibleIds(directory)).toEqual([])
    }
    const last = await LakeRun.open(lake(), stream)
    await last.publish([], [3], true)
    await last.close()
    expect(await visibleIds(directory)).toEqual(range(0, 30))
  })
})

describe('options', () => {
  const invalid = (options: object) => {
    try {
      filesystemDestination({ directory, ...options } as FilesystemDestinationOptions)
    } catch (error) {
      return error
    }
    return undefined
  }

  test.each([
    [{ directroy: 'x' }, 'directroy: unknown option'],
    [{ format: { type: 'parquet', compresion: 'snappy' } }, 'format.compresion: unknown option'],
    [{ format: { type: 'parquet', compression: 'lzo' } }, 'format.compression'],
    [{ format: { type: 'parquet', blockSize: '128 parsecs' } }, 'format.blockSize'],
    [{ maxFileRows: 0 }, 'maxFileRows'],
    [{ path: '${STREAM}' }, 'Unknown variable'],
    [{ path: '../elsewhere' }, '..'],
    [{ cadence: { seconds: 1 } }, 'cadence.seconds'],
  ])('%j is CONFIG_INVALID', (options, message) => {
    expect(invalid(options)).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(new RegExp(message.replace(/[.$*{}]/g, '.'), 'i')),
    })
  })

  test('what a user would write is taken', () => {
    const destination = filesystemDestination({
      directory,
      path: 'lake/${NAMESPACE}/${STREAM_NAME}',
      format: { type: 'parquet', compression: 'gzip', blockSize: '128MB', workers: 2 },
      maxFileBytes: '200MB',
      cadence: { milliseconds: 1000 },
    })
    expect(destination.capabilities).toMatchObject({
      visibility: 'new_before_old',
      cadence: { bytes: 128 * 1024 ** 2, milliseconds: 1000 },
    })
  })
})
