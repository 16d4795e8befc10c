import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type {
  Commit,
  ConfiguredStream,
  Context,
  DefineDestinationOptions,
  Delivery,
  DestinationSyncMode,
  FieldType,
  Load,
  Receipt,
  Slice,
  TableRows,
  TableShape,
} from 'syncline'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { defineDestination } from '#src/destination/define-destination.js'
import { SynclineError } from '#src/errors/syncline-error.js'
import { BatchBuilder } from '#src/model/batch-builder.js'
import { createByteBudget } from '#src/pipeline/budget.js'

const context: Context = { signal: new AbortController().signal, log: () => {}, now: () => new Date(0), run: 'test' }
const slice: Slice = { id: 's', streams: [{ name: 'users' }], data: null }

let spillDirectory: string
beforeEach(async () => {
  spillDirectory = await mkdtemp(join(tmpdir(), 'syncline-spill-test-'))
})
afterEach(async () => {
  await rm(spillDirectory, { recursive: true })
})

function shape(name: string, fields: Record<string, FieldType>): TableShape {
  return {
    stream: { name: 'users' },
    role: name === '_syncline_rejected' ? 'rejected' : 'main',
    name,
    fields: Object.entries(fields).map(([field, type]) => ({ name: field, type })),
  }
}

const numbers = shape('users', { n: { kind: 'int64' }, text: { kind: 'string' } })

function rowsOf(table: TableShape, records: readonly Record<string, unknown>[]): TableRows {
  const schema = { fields: table.fields.map(({ name, type }) => ({ name, type, nullable: true })) }
  const builder = new BatchBuilder({ name: table.name }, schema)
  for (const record of records) builder.append(record)
  return { table, columns: builder.finish().columns }
}

const range = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => ({ n: from + i, text: `row ${from + i}`.padEnd(100, '.') }))

interface Opened {
  readonly load: Load
  readonly deliveries: Delivery[]
  readonly delivered: () => unknown[]
  readonly budget: ReturnType<typeof createByteBudget>
}

async function open(options: Partial<DefineDestinationOptions> = {}, limit = 64 * 1024 ** 2): Promise<Opened> {
  const deliveries: Delivery[] = []
  const destination = defineDestination({
    name: 'hook',
    modes: ['append'],
    spillDirectory,
    ...options,
    async deliver(delivery) {
      await options.deliver?.(delivery)
      deliveries.push(delivery)
    },
  })
  const budget = createByteBudget(limit)
  const load = await destination.open(
    { scope: { pipeline: 'p', scope: 'users' }, version: 1, streams: [], budget },
    context,
  )
  const delivered = () => deliveries.flatMap(({ records }) => records.map((record) => record['n']))
  return { load, deliveries, delivered, budget }
}

const commit = (...receipts: Receipt[]): Commit => ({
  receipts,
  completed: [],
  tables: [],
  state: { source: null, streams: {} },
  version: 1,
})

describe('pieces', () => {
  test('D1: nothing is delivered before its publish, everything by it, in order and in chunks', async () => {
    const { load, deliveries, delivered } = await open({ batchRecords: 30 })
    const writer = await load.writer(slice, 1, context)
    await writer.write(rowsOf(numbers, range(0, 50)), context)
    await writer.write(rowsOf(numbers, range(50, 100)), context)
    const receipt = await writer.seal(context)
    expect(receipt).toMatchObject({
      slice: 's',
      attempt: 1,
      piece: 0,
      tables: [{ stream: { name: 'users' }, table: { name: 'users', role: 'main' }, records: 100 }],
    })
    expect(deliveries).toHaveLength(0)
    await load.publish(commit(receipt), context)
    expect(delivered()).toEqual(range(0, 100).map(({ n }) => n))
    expect(deliveries.map(({ records }) => records.length)).toEqual([30, 30, 30, 10])
    expect(deliveries[0]).toMatchObject({ stream: { name: 'users' }, table: numbers })
    await load.close(context)
  })

  test('D10: only what the receipts name is delivered; the rest is withdrawn', async () => {
    const { load, delivered, budget } = await open()
    const writer = await load.writer(slice, 1, context)
    await writer.write(rowsOf(numbers, range(0, 3)), context)
    const first = await writer.seal(context)
    await writer.write(rowsOf(numbers, range(3, 5)), context)
    await writer.seal(context)
    await writer.write(rowsOf(numbers, range(5, 9)), context)
    await writer.discard(context)
    await load.publish(commit(first), context)
    expect(delivered()).toEqual([0, 1, 2])
    await load.close(context)
    expect(budget.used).toBe(0)
  })

  test('the next piece is written while one is published', async () => {
    let go = () => {}
    const waiting = new Promise<void>((resolve) => {
      go = resolve
    })
    const { load, delivered } = await open({ deliver: () => waiting })
    const writer = await load.writer(slice, 1, context)
    await writer.write(rowsOf(numbers, range(0, 2)), context)
    const first = await writer.seal(context)
    const publishing = load.publish(commit(first), context)
    await writer.write(rowsOf(numbers, range(2, 4)), context)
    const second = await writer.seal(context)
    go()
    await publishing
    await load.publish(commit(second), context)
    expect(delivered()).toEqual([0, 1, 2, 3])
    await load.close(context)
  })

  test('an empty piece is a receipt without tables, and delivers nothing', async () => {
    const { load, deliveries } = await open()
    const writer = await load.writer(slice, 1, context)
    await writer.write(rowsOf(numbers, []), context)
    const receipt = await writer.seal(context)
    expect(receipt.tables).toEqual([])
    await load.publish(commit(receipt), context)
    await load.publish(commit(), context)
    expect(deliveries).toEqual([])
    await load.close(context)
  })

  test('a receipt of somebody else is refused', async () => {
    const { load } = await open()
    const receipt = { slice: 'other', attempt: 1, piece: 0, tables: [], data: null }
    await expect(load.publish(commit(receipt), context)).rejects.toMatchObject({
      code: 'DESTINATION_PROTOCOL_VIOLATION',
    })
  })

  test('truncates and native bytes are refused', async () => {
    const { load } = await open()
    const writer = await load.writer(slice, 1, context)
    const truncate = { table: numbers, truncate: { position: 1n, ordinal: 0 } }
    await expect(writer.write(truncate, context)).rejects.toMatchObject({ code: 'CONFIG_MODE_UNSUPPORTED' })
  })

  test('tables are told apart by their names, rejected records by theirs', async () => {
    const { load, deliveries } = await open()
    const rejected = shape('_syncline_rejected', { reason: { kind: 'string' } })
    const writer = await load.writer(slice, 1, context)
    await writer.write(rowsOf(numbers, range(0, 2)), context)
    await writer.write(rowsOf(rejected, [{ reason: 'bad' }]), context)
    await writer.write(rowsOf({ ...numbers }, range(2, 4)), context)
    const receipt = await writer.seal(context)
    expect(receipt.tables.map(({ table, records }) => [table.name, table.role, records])).toEqual([
      ['users', 'main', 4],
      ['_syncline_rejected', 'rejected', 1],
    ])
    await load.publish(commit(receipt), context)
    expect(deliveries.map(({ stream, table, records }) => [stream.name, table.role, records.length])).toEqual([
      ['users', 'main', 2],
      ['_syncline_rejected', 'rejected', 1],
      ['users', 'main', 2],
    ])
    await load.close(context)
  })
})

describe('errors of deliver', () => {
  test('a publish that is repeated goes on after the last chunk that was taken', async () => {
    let failures = 1
    const { load, delivered } = await open({
      batchRecords: 10,
      deliver({ records }) {
        if (records[0]!['n'] === 20 && failures-- > 0) throw new Error('no')
      },
    })
    const writer = await load.writer(slice, 1, context)
    await writer.write(rowsOf(numbers, range(0, 45)), context)
    const receipt = await writer.seal(context)
    await expect(load.publish(commit(receipt), context)).rejects.toMatchObject({ code: 'DESTINATION_FAILED' })
    expect(delivered()).toHaveLength(20)
    await load.publish(commit(receipt), context)
    expect(delivered()).toEqual(range(0, 45).map(({ n }) => n))
    await load.publish(commit(receipt), context)
    expect(delivered()).toHaveLength(45)
    await load.close(context)
  })

  test.each<[string, () => Error, string, string]>([
    ['of the host', () => new Error('token=abc'), 'DESTINATION_FAILED', 'manual'],
    [
      'of the network',
      () => new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } }),
      'DESTINATION_UNREACHABLE',
      'automatic',
    ],
    [
      'of the host, with a code',
      () => new SynclineError('DESTINATION_OVERLOADED', 'Slow down.'),
      'DESTINATION_OVERLOADED',
      'automatic',
    ],
  ])('%s', async (_, error, code, retry) => {
    const { load } = await open({
      deliver() {
        throw error()
      },
    })
    const writer = await load.writer(slice, 1, context)
    await writer.write(rowsOf(numbers, range(0, 1)), context)
    const failed = await load.publish(commit(await writer.seal(context)), context).catch((caught) => caught)
    expect(failed).toMatchObject({ code, retry, connector: 'hook', stream: { name: 'users' } })
    expect(failed.message).not.toContain('abc')
    await load.close(context)
  })
})

describe('D5: the budget', () => {
  test('rows beyond it wait in a file, and come back in order', async () => {
    const { load, delivered, budget } = await open({ batchRecords: 10_000 }, 400_000)
    const writer = await load.writer(slice, 1, context)
    let most = 0
    for (let at = 0; at < 20_000; at += 500) {
      await writer.write(rowsOf(numbers, range(at, at + 500)), context)
      most = Math.max(most, budget.used)
    }
    expect(most).toBeLessThanOrEqual(100_000)
    const receipt = await writer.seal(context)
    expect(receipt.tables[0]!.records).toBe(20_000)
    await load.publish(commit(receipt), context)
    expect(delivered()).toEqual(range(0, 20_000).map(({ n }) => n))
    await load.close(context)
    expect(budget.used).toBe(0)
    expect(await readdir(spillDirectory)).toEqual([])
  })

  test('what it holds it gives back to others who wait', async () => {
    const { load, delivered, budget } = await open({}, 1_000_000)
    const writer = await load.writer(slice, 1, context)
    await writer.write(rowsOf(numbers, range(0, 500)), context)
    const receipt = await writer.seal(context)
    expect(budget.used).toBeGreaterThan(0)
    const other = budget.lease()
    await other.resize(990_000, context.signal)
    expect(budget.used).toBe(990_000)
    await load.publish(commit(receipt), context)
    expect(delivered()).toHaveLength(500)
    await load.close(context)
  })

  test('a batch larger than all of it passes alone', async () => {
    const { load, delivered } = await open({}, 10_000)
    const writer = await load.writer(slice, 1, context)
    for (let at = 0; at < 3000; at += 1000) await writer.write(rowsOf(numbers, range(at, at + 1000)), context)
    await load.publish(commit(await writer.seal(context)), context)
    expect(delivered()).toHaveLength(3000)
    await load.close(context)
  })

  test('a directory for files that is missing is an error, and nothing is lost silently', async () => {
    const { load } = await open({ spillDirectory: join(spillDirectory, 'missing') }, 10_000)
    const writer = await load.writer(slice, 1, context)
    const write = async () => {
      for (let at = 0; at < 10; at++) await writer.write(rowsOf(numbers, range(0, 100)), context)
    }
    await expect(write()).rejects.toMatchObject({
      code: 'DESTINATION_FAILED',
      message: expect.stringContaining('ENOENT'),
    })
    await writer.discard(context)
    await load.close(context)
  })
})

test('records lose nothing as JSON', async () => {
  const everything = shape('users', {
    small: { kind: 'int64' },
    large: { kind: 'int64' },
    price: { kind: 'decimal', precision: 20, scale: 2 },
    ratio: { kind: 'float64' },
    infinite: { kind: 'float64' },
    bytes: { kind: 'binary' },
    at: { kind: 'timestamp', zone: true },
    nested: { kind: 'json' },
    text: { kind: 'json' },
    missing: { kind: 'string' },
  })
  const { load, deliveries } = await open()
  const writer = await load.writer(slice, 1, context)
  const nested =
    '{"id":12345678901234567890,"name":"12345678901234567890 \\" 1e5","list":[1.5,0.1234567890123456789,1e400,-0.25e2]}'
  const record = {
    small: 7n,
    large: 9223372036854775807n,
    price: '123456789012345678.90',
    ratio: 0.1,
    infinite: Number.POSITIVE_INFINITY,
    bytes: new Uint8Array([1, 2, 255]),
    at: '2026-01-02T03:04:05.000006Z',
    nested,
    text: '"just text"',
  }
  await writer.write(rowsOf(everything, [record]), context)
  await load.publish(commit(await writer.seal(context)), context)
  const [delivered] = JSON.parse(JSON.stringify(deliveries[0]!.records))
  expect(delivered).toEqual({
    small: 7,
    large: '9223372036854775807',
    price: '123456789012345678.90',
    ratio: 0.1,
    infinite: 'Infinity',
    bytes: 'AQL/',
    at: '2026-01-02T03:04:05.000006Z',
    nested: {
      id: '12345678901234567890',
      name: '12345678901234567890 " 1e5',
      list: [1.5, '0.1234567890123456789', '1e400', -25],
    },
    text: 'just text',
    missing: null,
  })
  await load.close(context)
})

describe('definitions', () => {
  const deliver = () => {}
  test.each<[string, object]>([
    ['no object', undefined as unknown as object],
    ['a misspelt option', { name: 'd', modes: ['append'], deliver, batchRecord: 3 }],
    ['no name', { modes: ['append'], deliver }],
    ['no modes', { name: 'd', modes: [], deliver }],
    ['an unknown mode', { name: 'd', modes: ['overwrite'], deliver }],
    ['no deliver', { name: 'd', modes: ['append'] }],
    ['JSON as something else', { name: 'd', modes: ['append'], deliver, json: 'no' }],
    ['no records at a time', { name: 'd', modes: ['append'], deliver, batchRecords: 0 }],
  ])('%s is refused', (_, options) => {
    expect(() => defineDestination(options as DefineDestinationOptions)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    )
  })

  test('streams whose deletes would be lost are refused', async () => {
    const destination = defineDestination({ name: 'd', modes: ['append', 'append_dedup'], deliver })
    const budget = createByteBudget(1000)
    const open = (destinationSyncMode: DestinationSyncMode) => {
      const stream: ConfiguredStream = {
        name: 'users',
        schema: { fields: [] },
        syncModes: ['incremental'],
        scope: 'log',
        syncMode: 'incremental',
        destinationSyncMode,
        target: { name: 'users' },
        changeLog: true,
        primaryKey: ['n'],
      }
      const streams = [{ stream, generation: 1, generationId: 'g', open: true, tables: [numbers] }]
      return destination.open({ scope: { pipeline: 'p', scope: 'log' }, version: 1, streams, budget }, context)
    }
    await expect(open('append_dedup')).rejects.toMatchObject({ code: 'CONFIG_MODE_UNSUPPORTED' })
    await (await open('append')).close(context)
  })

  test('modes are pairs for both ways to read, and state is not its business', () => {
    const destination = defineDestination({ name: 'd', modes: ['append'], deliver })
    expect(destination.capabilities.modes).toEqual([
      { syncMode: 'full_refresh', destinationSyncMode: 'append' },
      { syncMode: 'incremental', destinationSyncMode: 'append' },
    ])
    expect(destination.recover).toBeUndefined()
  })

  test('check asks the host and explains', async () => {
    const check = () => Promise.reject(new Error('token=abc'))
    const error = await defineDestination({ name: 'd', modes: ['append'], deliver, check })
      .check(context)
      .then(
        () => undefined,
        (caught) => caught,
      )
    expect(error).toMatchObject({ code: 'DESTINATION_FAILED', phase: 'check', connector: 'd' })
    expect(error.message).not.toContain('abc')
  })
})
