import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Batch } from '#src/model/batch.js'
import type { FieldType } from '#src/model/field-type.js'
import { filterRows } from '#src/model/filter-rows.js'
import type { RecordSchema } from '#src/model/schema.js'
import { typedNormalizer } from '#src/normalizer/typed.js'
import { schemaWithRecords } from '../model/arbitrary-fields.js'
import { batchOf, capabilities, context, isRows, rowsOf, streamOf, typesOf } from './tables.js'

const schemaOf = (fields: { readonly [name: string]: FieldType }): RecordSchema => ({
  fields: Object.entries(fields).map(([name, type]) => ({ name, type, nullable: true })),
})

const people = schemaOf({ id: { kind: 'int64' }, name: { kind: 'string' } })
const open = (schema: RecordSchema, more = {}) => typedNormalizer().open(streamOf(schema, more), capabilities)

describe('typedNormalizer', () => {
  it('puts the metadata beside the record', () => {
    const [batch] = open(people).normalize(batchOf(people, [{ id: 1, name: 'Ada' }, { id: 2 }]), context)
    const rows = rowsOf([batch!])
    expect(rows[0]).toEqual({
      _airbyte_raw_id: expect.stringMatching(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-000000000000$/),
      _airbyte_extracted_at: '2024-05-06T07:08:09.01Z',
      _airbyte_meta: '{"sync_id":"run-1","changes":[]}',
      _airbyte_generation_id: 3n,
      id: 1n,
      name: 'Ada',
    })
    expect(rows[1]).toMatchObject({ id: 2n, name: null })
    expect(batch!.table).toMatchObject({
      namespace: 'lake',
      name: 'customers',
      role: 'main',
      stream: { namespace: 'public', name: 'customers' },
    })
  })

  it('gives the same table for any cut of the same records', () => {
    fc.assert(
      fc.property(schemaWithRecords, fc.array(fc.nat(30)), fc.boolean(), ({ schema, records }, cuts, asText) => {
        const to = asText
          ? {
              ...capabilities,
              types: { asText: ['int32', 'date', 'float64', 'boolean'] as const, maxDecimalPrecision: 9 },
            }
          : capabilities
        const whole = typedNormalizer().open(streamOf(schema), to)
        const expected = whole.normalize(batchOf(schema, records), context)
        const cut = typedNormalizer().open(streamOf(schema), to)
        const at = [...new Set([0, ...cuts.filter((n) => n < records.length), records.length])].sort((a, b) => a - b)
        const parts = at
          .slice(1)
          .flatMap((end, i) =>
            cut.normalize(batchOf(schema, records.slice(at[i], end)), { ...context, position: at[i]! }),
          )
        expect(rowsOf(parts)).toEqual(rowsOf(records.length === 0 ? [] : expected))
        expect(cut.tables()).toEqual(whole.tables())
        expect(cut.schema()).toEqual(whole.schema())
      }),
      { numRuns: 300 },
    )
  })

  it('gives rows the same ids when some were taken out or the batch is a slice', () => {
    const records = Array.from({ length: 20 }, (_, id) => ({ id, name: `n${id}` }))
    const batch = batchOf(people, records)
    const all = rowsOf(open(people).normalize(batch, { ...context, position: 100 }))
    const rows = Uint32Array.of(0, 3, 7, 19)
    const some = rowsOf(open(people).normalize(filterRows(batch, rows), { ...context, position: 100, rows }))
    expect(some).toEqual([...rows].map((row) => all[row]))
    const sliced = new Batch(batch.stream, people, batch.columns.slice(5, 9))
    expect(rowsOf(open(people).normalize(sliced, { ...context, position: 105 }))).toEqual(all.slice(5, 9))
  })

  it('gives other ids to other pipelines, generations, slices and positions', () => {
    const ids = new Set<unknown>()
    const contexts = [
      context,
      { ...context, pipeline: 'q' },
      { ...context, generationId: 'other' },
      { ...context, slice: 's-2' },
      { ...context, position: 0xff_ffff },
      { ...context, position: 2 ** 40 },
    ]
    const batch = batchOf(people, [{ id: 1 }, { id: 2 }])
    for (const each of contexts)
      for (const row of rowsOf(open(people).normalize(batch, each))) ids.add(row['_airbyte_raw_id'])
    expect(ids.size).toBe(contexts.length * 2)
    const far = rowsOf(open(people).normalize(batch, { ...context, position: 2 ** 40 + 0xabcdef }))
    expect(far[0]!['_airbyte_raw_id']).toMatch(/-010000abcdef$/)
  })

  it('passes columns on as they are', () => {
    const batch = batchOf(people, [{ id: 1, name: 'Ada' }])
    const [table] = open(people).normalize(batch, context)
    expect(isRows(table) && table.columns.data.children.slice(4)).toEqual(batch.columns.data.children)
    expect(isRows(table) && table.columns.data.children[5]!.values).toBe(batch.columns.data.children[1]!.values)
  })

  it('tells what became of values', () => {
    const schema = schemaOf({ id: { kind: 'int16' }, day: { kind: 'date' } })
    const batch = batchOf(schema, [{ id: 1 }, { id: 70_000, day: 'never' }, { id: 2 }])
    const rows = rowsOf(open(schema).normalize(batch, context))
    expect(rows.map((row) => JSON.parse(String(row['_airbyte_meta'])).changes)).toEqual([
      [],
      [
        { field: 'id', change: 'NULLED', reason: 'SOURCE_SERIALIZATION_ERROR' },
        { field: 'day', change: 'NULLED', reason: 'SOURCE_SERIALIZATION_ERROR' },
      ],
      [],
    ])
  })

  it('turns what the destination cannot hold into text', () => {
    const schema = schemaOf({
      wide: { kind: 'decimal', precision: 38, scale: 2 },
      free: { kind: 'decimal' },
      key: { kind: 'uuid' },
      small: { kind: 'int16' },
    })
    const types = { asText: ['uuid', 'int16', 'timestamp', 'json'] as const, maxDecimalPrecision: 18 }
    const normalizer = typedNormalizer().open(streamOf(schema), { ...capabilities, types })
    const key = '00000000-0000-4000-8000-000000000000'
    const batches = normalizer.normalize(batchOf(schema, [{ wide: '1.50', free: '2', key, small: 3 }]), context)
    const text = { kind: 'string' }
    expect(typesOf(batches[0]!)).toMatchObject({
      wide: text,
      free: text,
      key: text,
      small: text,
      _airbyte_meta: text,
      _airbyte_extracted_at: text,
    })
    expect(rowsOf(batches)).toMatchObject([
      { wide: '1.50', free: '2', key, small: '3', _airbyte_extracted_at: '2024-05-06T07:08:09.01Z' },
    ])
  })

  it('grows with newer schemas and still takes older ones', () => {
    const newer = schemaOf({ id: { kind: 'int64' }, name: { kind: 'string' }, at: { kind: 'date' } })
    const older = schemaOf({ id: { kind: 'int16' } })
    const wider = schemaOf({ name: { kind: 'string' }, id: { kind: 'decimal', precision: 30, scale: 2 } })
    const normalizer = open(people)
    expect(
      normalizer
        .tables()[0]!
        .fields.map(({ name }) => name)
        .slice(4),
    ).toEqual(['id', 'name'])
    const batches = [
      ...normalizer.normalize(batchOf(older, [{ id: 1 }]), context),
      ...normalizer.normalize(batchOf(newer, [{ id: 2, name: 'b', at: '2024-01-01' }]), context),
      ...normalizer.normalize(batchOf(older, [{ id: 3 }]), context),
      ...normalizer.normalize(batchOf(wider, [{ id: '4.25', name: 'd' }]), context),
      ...normalizer.normalize(batchOf(people, [{ id: 5, name: 'e' }]), context),
    ]
    expect(rowsOf(batches)).toMatchObject([
      { id: 1n, name: null },
      { id: 2n, name: 'b', at: '2024-01-01' },
      { id: 3n, name: null, at: null },
      { id: '4.25', name: 'd', at: null },
      { id: '5.00', name: 'e', at: null },
    ])
    const saved = JSON.parse(JSON.stringify(normalizer.schema()))
    const next = typedNormalizer().open(streamOf(people), capabilities, saved)
    expect(next.tables()).toEqual(normalizer.tables())
    expect(next.schema()).toEqual(normalizer.schema())
  })

  it('notes a float that the wider type has no place for', () => {
    const floats = schemaOf({ id: { kind: 'float64' } })
    const normalizer = open(schemaOf({ id: { kind: 'json' } }))
    const rows = rowsOf(normalizer.normalize(batchOf(floats, [{ id: 1.5 }, { id: Number.NaN }]), context))
    expect(rows).toMatchObject([{ id: '1.5' }, { id: null }])
    expect(JSON.parse(String(rows[1]!['_airbyte_meta'])).changes).toEqual([
      { field: 'id', change: 'NULLED', reason: 'DESTINATION_TYPECAST_ERROR' },
    ])
  })

  it('passes changes and truncates on, in the names of the table', () => {
    const schema = schemaOf({ 'the id': { kind: 'int32' } })
    const rules = { ...capabilities, identifiers: { ...capabilities.identifiers, illegal: ' ' } }
    const { stream, columns } = batchOf(schema, [{ 'the id': null }])
    const changes = {
      operations: Uint8Array.of(1),
      positions: BigUint64Array.of(7n),
      ordinals: Uint32Array.of(0),
      unchanged: new Map([['the id', Uint8Array.of(1)]]),
    }
    const batch = new Batch(stream, schema, columns, { changes })
    const [appended] = typedNormalizer().open(streamOf(schema), rules).normalize(batch, context)
    expect(isRows(appended) && appended.changes).toEqual({
      ...changes,
      unchanged: new Map([['the_id', Uint8Array.of(1)]]),
    })
    expect(String(rowsOf([appended!])[0]!['_airbyte_meta'])).toContain('"reason":"unchanged"')
    const merged = typedNormalizer().open(streamOf(schema, { destinationSyncMode: 'append_dedup' }), rules)
    expect(String(rowsOf(merged.normalize(batch, context))[0]!['_airbyte_meta'])).toContain('"changes":[]')
    const order = { position: 9n, ordinal: 1 }
    expect(merged.normalize({ type: 'truncate', stream, order }, context)).toEqual([
      { table: merged.tables()[0], truncate: order },
    ])
  })

  it('stores rejected records', () => {
    const normalizer = open(people)
    const stream = { namespace: 'public', name: 'customers' }
    const rows = [
      {
        type: 'rejected' as const,
        stream,
        code: 'SOURCE_RECORD_INVALID',
        reason: 'no id',
        position: 41,
        record: '{"name":"x\ud800"}',
      },
      { type: 'rejected' as const, stream, code: 'SOURCE_RECORD_INVALID', reason: 'no id', position: 42 },
    ]
    const batches = normalizer.normalize({ type: 'rejected_rows', rows }, context)
    expect(batches.map(({ table }) => table)).toEqual([normalizer.tables()[1]])
    expect(batches[0]!.table).toMatchObject({ namespace: 'lake', name: '_syncline_rejected', role: 'rejected' })
    expect(rowsOf(batches)).toEqual([
      {
        _airbyte_raw_id: expect.stringMatching(/-000000000029$/),
        _airbyte_extracted_at: '2024-05-06T07:08:09.01Z',
        _airbyte_generation_id: 3n,
        stream: 'public.customers',
        code: 'SOURCE_RECORD_INVALID',
        reason: 'no id',
        position: 41n,
        record: '{"name":"x\ufffd"}',
      },
      expect.objectContaining({ position: 42n, record: null }),
    ])
    expect(normalizer.normalize({ type: 'rejected_rows', rows: [] }, context)).toEqual([])
  })

  it('names key and cursor in the table', () => {
    const [table] = open(people, { primaryKey: ['id'], cursorField: 'name' }).tables()
    expect(table).toMatchObject({ primaryKey: ['id'], cursorField: 'name' })
  })

  it('takes other metadata columns', () => {
    const normalizer = typedNormalizer({ metadataPrefix: '_s_', metadata: ['raw_id'] }).open(
      streamOf(people),
      capabilities,
    )
    expect(normalizer.tables()[0]!.fields.map(({ name }) => name)).toEqual(['_s_raw_id', 'id', 'name'])
    expect(normalizer.projection()).toEqual({
      columns: [
        { name: '_s_raw_id', type: { kind: 'string' }, from: 'row_id' },
        { name: 'id', type: { kind: 'int64' }, from: 'field', field: 'id' },
        { name: 'name', type: { kind: 'string' }, from: 'field', field: 'name' },
      ],
    })
    expect(open(people).projection()).toBeUndefined()
    expect(() => typedNormalizer({ metadata: ['raw_id', 'raw_id'] })).toThrow(/metadata/)
    expect(() => typedNormalizer({ metadataPrefx: '_' } as object)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', hint: 'Did you mean metadataPrefix?' }),
    )
  })

  it('holds tables without columns of their own and without rows', () => {
    const empty = { fields: [] }
    expect(rowsOf(open(empty).normalize(batchOf(empty, [{}, {}]), context)).length).toBe(2)
    expect(rowsOf(open(people).normalize(batchOf(people, []), context))).toEqual([])
  })
})
