import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CopyFrames } from '#src/connectors/postgres/copy-frames.js'
import { RowDecoder } from '#src/connectors/postgres/decode-rows.js'
import { WIRE, type Wire } from '#src/connectors/postgres/decode-wire.js'
import type { FieldType } from '#src/model/field-type.js'
import type { RecordSchema } from '#src/model/schema.js'
import { copyData, copyMessages, header, int16, int32, int64, row, specialNumeric, trailer } from './binary-copy.js'

const STREAM = { name: 't' }
const LIMITS = { rows: 1000, bytes: 2 ** 20 }

function framesOf(types: readonly (readonly [FieldType, Wire])[], limits = LIMITS): CopyFrames {
  const schema: RecordSchema = {
    fields: types.map(([type], index) => ({ name: `c${index}`, type, nullable: true })),
  }
  const wires = types.map(([, wire]) => wire)
  return new CopyFrames(new RowDecoder(STREAM, schema, wires, limits.rows), limits)
}

/** Rows of all batches after taking the bytes in these chunks. */
function rowsOf(frames: CopyFrames, chunks: readonly Buffer[]): unknown[] {
  for (const chunk of chunks) expect(frames.take(chunk, 0)).toBe(chunk.length)
  frames.end()
  return frames.ready.flatMap((batch) => [...batch.rows()].map((record) => ({ ...record })))
}

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const borders = [0, ...new Set(at.map((place) => place % bytes.length)), bytes.length].sort((a, b) => a - b)
  // Copies, so that each chunk is the beginning of its own memory or not, as sockets give them.
  return borders.slice(1).map((end, index) => Buffer.from(bytes.subarray(borders[index], end)))
}

const TEXT = [{ kind: 'string' }, WIRE.text] as const
const MIXED = [
  [{ kind: 'int64' }, WIRE.word64],
  TEXT,
  [{ kind: 'boolean' }, WIRE.boolean],
  [{ kind: 'int16' }, WIRE.word16],
  [{ kind: 'float32' }, WIRE.word32],
  [{ kind: 'json' }, WIRE.jsonb],
  [{ kind: 'int64' }, WIRE.unsigned32],
] as const

const mixedRow = fc.record({
  c0: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  c1: fc.option(fc.string({ unit: 'binary', maxLength: 200 })),
  c2: fc.option(fc.boolean()),
  c3: fc.option(fc.integer({ min: -32768, max: 32767 })),
  c4: fc.option(fc.float()),
  c5: fc.option(fc.json({ maxDepth: 1 })),
  c6: fc.option(fc.integer({ min: 0, max: 2 ** 32 - 1 })),
})

type MixedRow = typeof mixedRow extends fc.Arbitrary<infer T> ? T : never

function encodeMixed({ c0, c1, c2, c3, c4, c5, c6 }: MixedRow): Buffer {
  const float = Buffer.alloc(4)
  if (c4 !== null) float.writeFloatBE(c4)
  return row([
    c0 === null ? null : int64(c0),
    c1 === null ? null : Buffer.from(c1),
    c2 === null ? null : Buffer.from([c2 ? 1 : 0]),
    c3 === null ? null : int16(c3),
    c4 === null ? null : float,
    c5 === null ? null : Buffer.concat([Buffer.from([1]), Buffer.from(c5)]),
    c6 === null ? null : int32(c6 | 0),
  ])
}

const recordOf = (value: MixedRow) => ({ ...value, c6: value.c6 === null ? null : BigInt(value.c6) })

describe('binary COPY', () => {
  it('gives the same rows wherever chunks and batches are cut', () => {
    fc.assert(
      fc.property(
        fc.array(mixedRow, { maxLength: 600, size: 'max' }),
        fc.array(fc.nat(), { maxLength: 60 }),
        fc.integer({ min: 1, max: 700 }),
        fc.integer({ min: 1, max: 20_000 }),
        (records, borders, rows, bytes) => {
          const frames = framesOf(MIXED, { rows, bytes })
          const chunks = cut(copyMessages(records.map(encodeMixed)), borders)
          expect(rowsOf(frames, chunks)).toEqual(records.map(recordOf))
          expect(frames.rows).toBe(records.length)
          for (const batch of frames.ready) expect(batch.length).toBeLessThanOrEqual(rows)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('keeps values and nulls while a batch grows', () => {
    const records = fc.sample(mixedRow, { numRuns: 3000, seed: 11 })
    const frames = framesOf(MIXED, { rows: 5000, bytes: 2 ** 30 })
    expect(rowsOf(frames, [copyMessages(records.map(encodeMixed))])).toEqual(records.map(recordOf))
    expect(frames.ready.length).toBe(1)
  })

  it('gives the same rows byte by byte', () => {
    const records = fc.sample(mixedRow, { numRuns: 20, seed: 7 })
    const bytes = copyMessages(records.map(encodeMixed))
    const chunks = [...bytes].map((byte) => Buffer.from([byte]))
    expect(rowsOf(framesOf(MIXED), chunks)).toEqual(records.map(recordOf))
  })

  it('joins a value that spans many chunks', () => {
    const text = 'äöü€😀'.repeat(400_000)
    const chunks = cut(
      copyMessages([row([Buffer.from('before')]), row([Buffer.from(text)]), row([Buffer.from('after')])]),
      Array.from({ length: 60 }, (_, index) => index * 65_536),
    )
    const frames = framesOf([TEXT])
    expect(rowsOf(frames, chunks)).toEqual([{ c0: 'before' }, { c0: text }, { c0: 'after' }])
    // It took the batch past its bytes, and ended it.
    expect(frames.ready.map((batch) => batch.length)).toEqual([2, 1])
  })

  it('reads rows without columns and tables without rows', () => {
    const frames = framesOf([], { rows: 4, bytes: 1000 })
    expect(rowsOf(frames, [copyMessages(Array.from({ length: 10 }, () => row([])))])).toEqual(Array(10).fill({}))
    expect(frames.ready.map((batch) => batch.length)).toEqual([4, 4, 2])
    const empty = framesOf([TEXT])
    expect(rowsOf(empty, [copyMessages([])])).toEqual([])
    expect(empty.ready).toEqual([])
  })

  it('bounds a batch of very many narrow nulls by memory, not by their size on the wire', () => {
    const types = Array.from(
      { length: 1600 },
      () => [{ kind: 'decimal', precision: 38, scale: 2 }, WIRE.decimal] as const,
    )
    const frames = framesOf(types, { rows: 100_000, bytes: 2 ** 20 })
    const records = Array.from({ length: 200 }, () => row(Array(1600).fill(null)))
    const total = rowsOf(frames, [copyMessages(records)]).length
    expect(total).toBe(200)
    for (const batch of frames.ready) expect(batch.length * 1600 * 16).toBeLessThan(2 ** 20 + 1600 * 16)
  })

  it('stops at a message of another kind, in front of it', () => {
    const bytes = Buffer.concat([
      copyMessages([row([Buffer.from('a')])]),
      Buffer.from('c'),
      int32(4),
      Buffer.from('rest'),
    ])
    const frames = framesOf([TEXT])
    expect(frames.take(bytes, 0)).toBe(bytes.length - 9)
    frames.end()
    expect(frames.rows).toBe(1)
  })

  it('skips an extension of the header', () => {
    const first = Buffer.concat([header(Buffer.from('extension')), row([Buffer.from('a')])])
    expect(rowsOf(framesOf([TEXT]), [copyData(first), copyData(trailer)])).toEqual([{ c0: 'a' }])
    // Alone in its message, too.
    const parts = [copyData(header()), copyData(row([Buffer.from('a')])), copyData(trailer)]
    expect(rowsOf(framesOf([TEXT]), parts)).toEqual([{ c0: 'a' }])
  })

  const one = row([Buffer.from('a')])
  it.each<readonly [string, Buffer]>([
    ['signature', copyData(Buffer.concat([Buffer.from('PGCOPX'), header().subarray(6), one]))],
    ['flags', copyData(Buffer.concat([header(undefined, 1 << 16), one]))],
    ['columns', copyMessages([row([Buffer.from('a'), null])])],
    ['early', copyData(Buffer.concat([header(), int16(1)]))],
    ['longer than its row', copyData(Buffer.concat([header(), int16(1), int32(5), Buffer.from('abc')]))],
    ['longer than its columns', copyData(Buffer.concat([header(), one, one]))],
    ['trailer', Buffer.concat([copyMessages([one]), copyData(one)])],
    ['early', copyData(Buffer.concat([header(), one]))],
    ['early', copyMessages([one]).subarray(0, -1)],
  ])('refuses a stream that is broken (%s)', (why, bytes) => {
    const broken = () => rowsOf(framesOf([TEXT]), [bytes])
    expect(broken).toThrow(why)
    expect(broken).toThrow(expect.objectContaining({ code: 'SOURCE_PROTOCOL_VIOLATION' }))
  })

  it.each<readonly [FieldType, Wire]>([
    [{ kind: 'int32' }, WIRE.word32],
    [{ kind: 'int64' }, WIRE.word64],
    [{ kind: 'int16' }, WIRE.word16],
    [{ kind: 'boolean' }, WIRE.boolean],
    [{ kind: 'uuid' }, WIRE.uuid],
    [{ kind: 'date' }, WIRE.date],
    [{ kind: 'timestamp', zone: true }, WIRE.timestamp],
    [{ kind: 'time', zone: false }, WIRE.time],
    [{ kind: 'decimal', precision: 5, scale: 2 }, WIRE.decimal],
    [{ kind: 'json' }, WIRE.jsonb],
  ])('refuses a value that is no %o', (type, wire) => {
    expect(() => rowsOf(framesOf([[type, wire]]), [copyMessages([row([Buffer.alloc(3, 9)])])])).toThrow(
      expect.objectContaining({ code: 'SOURCE_PROTOCOL_VIOLATION' }),
    )
  })

  it('reads what Arrow cannot hold as null, and says so', () => {
    const types = [
      [{ kind: 'decimal', precision: 15, scale: 2 }, WIRE.decimal],
      [{ kind: 'date' }, WIRE.date],
      [{ kind: 'timestamp', zone: true }, WIRE.timestamp],
      [{ kind: 'time', zone: false }, WIRE.time],
    ] as const
    const edge = 2n ** 63n - 1n - 946_684_800_000_000n
    const frames = framesOf(types, { rows: 3, bytes: 1000 })
    const records = rowsOf(frames, [
      copyMessages([
        row([specialNumeric(0xc000), int32(2 ** 31 - 1), int64(2n ** 63n - 1n), int64(86_400_000_000n)]),
        row([null, null, null, null]),
        row([specialNumeric(0xd000), int32(-(2 ** 31)), int64(-(2n ** 63n)), int64(86_399_999_999n)]),
        row([null, int32(0), int64(edge), int64(0n)]),
        row([null, int32(-1), int64(edge + 1n), null]),
      ]),
    ])
    const nothing = { c0: null, c1: null, c2: null, c3: null }
    expect(records).toEqual([
      nothing,
      nothing,
      { ...nothing, c3: '23:59:59.999999' },
      { c0: null, c1: '2000-01-01', c2: '+294247-01-10T04:00:54.775807Z', c3: '00:00:00' },
      { ...nothing, c1: '1999-12-31' },
    ])
    const nulled = (at: number, ...fields: string[]) =>
      fields.map((field) => ({ row: at, field, change: 'NULLED', reason: 'SOURCE_SERIALIZATION_ERROR' }))
    expect(frames.ready.map((batch) => batch.valueChanges)).toEqual([
      [...nulled(0, 'c0', 'c1', 'c2', 'c3'), ...nulled(2, 'c0', 'c1', 'c2')],
      nulled(1, 'c2'),
    ])
  })
})
