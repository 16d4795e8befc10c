import assert from 'node:assert/strict'
import { arrowType } from '../../model/arrow-type.js'
import { Batch } from '../../model/batch.js'
import type { Context } from '../../model/context.js'
import type { Json } from '../../model/json.js'
import type { Message } from '../../model/message.js'
import type { Checkpoint, Proof, Slice, SliceDone } from '../../model/slice.js'
import { type StreamRef, sameStream, streamKey } from '../../model/stream.js'
import { advanceBySlice } from '../../source/advance-by-slice.js'
import type { Reading } from '../../source/source.js'
import { recordText } from './suite.js'

/** What one slice gave, checked as it came. */
export interface SliceRead {
  readonly slice: Slice
  /** Records as texts, in order: `stream key`, then the record; changes carry their operation, rejected records their code. */
  readonly records: readonly string[]
  readonly checkpoints: readonly Checkpoint[]
  readonly done: SliceDone
}

export interface PlannedSlices {
  readonly slices: readonly Slice[]
  readonly planned: readonly StreamRef[]
  /** Slices that came after one of their streams was planned: right for the changes of a log alone. */
  readonly late: readonly Slice[]
}

/** Everything that `slices` gives, checked against its promises. */
export async function allSlices(reading: Reading, context: Context): Promise<PlannedSlices> {
  const slices: Slice[] = []
  const planned: StreamRef[] = []
  const late: Slice[] = []
  for await (const item of reading.slices(context)) {
    if ('planned' in item) {
      assert.ok(!planned.some((ref) => sameStream(ref, item.planned)), `${streamKey(item.planned)} is planned twice`)
      planned.push(item.planned)
      continue
    }
    assert.deepEqual(JSON.parse(JSON.stringify(item)), item, `slice ${item.id} is not plain JSON`)
    assert.ok(item.streams.length > 0, `slice ${item.id} has no stream`)
    assert.ok(!slices.some(({ id }) => id === item.id), `slice id ${item.id} comes twice`)
    if (item.streams.some((stream) => planned.some((ref) => sameStream(ref, stream)))) late.push(item)
    if (item.resume) assert.equal(item.resume.slice, item.id, 'resume names another slice')
    slices.push(item)
  }
  return { slices, planned, late }
}

/** One slice to its end, every message checked. */
export async function readSlice(
  reading: Reading,
  slice: Slice,
  context: Context,
  after: Checkpoint | undefined = slice.resume,
): Promise<SliceRead> {
  const records: string[] = []
  const checkpoints: Checkpoint[] = []
  const before = after?.records ?? 0
  let done: SliceDone | undefined
  for await (const message of reading.read(slice, after, context)) {
    assert.equal(done, undefined, `slice ${slice.id} goes on after slice_done`)
    if (message.type === 'checkpoint' || message.type === 'slice_done') {
      assert.equal(message.slice, slice.id, 'a proof names another slice')
      assert.equal(message.records, before + records.length, `slice ${slice.id} counts ${message.type} wrongly`)
      assert.deepEqual(JSON.parse(JSON.stringify(message)), message, 'a proof is not plain JSON')
      if (message.type === 'slice_done') done = message
      else checkpoints.push(message)
    } else records.push(...messageRecords(slice, message, before + records.length))
  }
  assert.ok(done, `slice ${slice.id} ends without slice_done`)
  return { slice, records, checkpoints, done }
}

function messageRecords(slice: Slice, message: Exclude<Message, Proof>, position: number): string[] {
  assert.ok(
    slice.streams.some((ref) => sameStream(ref, message.stream)),
    `slice ${slice.id} gives rows of ${streamKey(message.stream)}`,
  )
  const key = streamKey(message.stream)
  switch (message.type) {
    case 'native':
      throw new assert.AssertionError({ message: `slice ${slice.id} gives native bytes without an agreement` })
    case 'truncate':
      return []
    case 'rejected':
      assert.equal(message.position, position, 'a rejected record counts the rows before it wrongly')
      return [`${key} rejected ${message.code} ${message.record}`]
    case 'batch':
      return batchRecords(key, message)
  }
}

function batchRecords(key: string, batch: Batch): string[] {
  const { schema, columns, changes } = batch
  assert.equal(columns.schema.fields.length, schema.fields.length, 'the columns do not follow the schema')
  for (const [index, field] of schema.fields.entries()) {
    const column = columns.schema.fields[index]!
    assert.equal(column.name, field.name, 'the columns do not follow the schema')
    assert.equal(String(column.type), String(arrowType(field.type)), `column ${field.name} has another Arrow type`)
  }
  const rows = [...new Batch(batch.stream, schema, columns).rows()]
  return rows.map((row, index) => {
    const operation = changes === undefined ? '' : `op${changes.operations[index]} `
    return `${key} ${operation}${recordText(row)}`
  })
}

/** All slices, each after those that it waits for. */
export async function readAll(reading: Reading, context: Context): Promise<SliceRead[]> {
  const { slices } = await allSlices(reading, context)
  const reads: SliceRead[] = []
  for (const slice of slices) reads.push(await readSlice(reading, slice, context))
  return reads
}

export function advanceOf(reading: Reading): (state: Json | undefined, proof: Proof, scope: string) => Json {
  return reading.advance?.bind(reading) ?? advanceBySlice
}

/** The state that the ends of these slices give. */
export function stateAfter(reading: Reading, reads: readonly SliceRead[], scope: string, state?: Json): Json {
  const advance = advanceOf(reading)
  return reads.reduce<Json | undefined>((before, { done }) => advance(before, done, scope), state) ?? null
}
