import type { RecordBatch } from 'apache-arrow'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Batch } from '#src/model/batch.js'
import { BatchBuilder } from '#src/model/batch-builder.js'
import { concatRows, filterRows } from '#src/model/filter-rows.js'
import type { RecordSchema } from '#src/model/schema.js'
import { schemaWithRecords } from './arbitrary-fields.js'

function batchOf(schema: RecordSchema, records: readonly Record<string, unknown>[]): Batch {
  const builder = new BatchBuilder({ name: 's' }, schema)
  for (const record of records) builder.append(record)
  return builder.finish()
}

const rowsOf = (schema: RecordSchema, columns: RecordBatch) => [...new Batch({ name: 's' }, schema, columns).rows()]

/** The same rows with an offset in the Arrow data, as a slice has. */
const shifted = (columns: RecordBatch, from: number) => columns.slice(from)

describe('filterRows', () => {
  it('keeps exactly the rows asked for', () => {
    fc.assert(
      fc.property(
        schemaWithRecords,
        fc.array(fc.boolean(), { minLength: 30, maxLength: 30 }),
        fc.nat(3),
        ({ schema, records }, keep, skip) => {
          const from = Math.min(skip, records.length)
          const batch = new Batch({ name: 's' }, schema, shifted(batchOf(schema, records).columns, from))
          const rest = records.slice(from)
          const rows = Uint32Array.from(rest.flatMap((_, i) => (keep[i] ? [i] : [])))
          expect([...filterRows(batch, rows).rows()]).toEqual(rest.filter((_, i) => keep[i]))
        },
      ),
    )
  })

  it('takes changes and value changes along', () => {
    const schema = { fields: [{ name: 'a', type: { kind: 'int32' as const }, nullable: true }] }
    const { columns, stream } = batchOf(schema, [{ a: 0 }, { a: 1 }, { a: 2 }, { a: 3 }])
    const change = (row: number) => ({ row, field: 'a', change: 'NULLED' as const, reason: `r${row}` })
    const batch = new Batch(stream, schema, columns, {
      changes: {
        operations: Uint8Array.of(0, 1, 2, 0),
        positions: BigUint64Array.of(10n, 11n, 12n, 13n),
        ordinals: Uint32Array.of(0, 1, 2, 3),
        unchanged: new Map([['a', Uint8Array.of(0, 1, 0, 1)]]),
      },
      valueChanges: [change(0), change(1), change(1), change(3)],
    })
    const kept = filterRows(batch, Uint32Array.of(1, 3))
    expect(kept.changes).toEqual({
      operations: Uint8Array.of(1, 0),
      positions: BigUint64Array.of(11n, 13n),
      ordinals: Uint32Array.of(1, 3),
      unchanged: new Map([['a', Uint8Array.of(1, 1)]]),
    })
    expect(kept.valueChanges.map(({ row, reason }) => [row, reason])).toEqual([
      [0, 'r1'],
      [0, 'r1'],
      [1, 'r3'],
    ])
  })
})

describe('concatRows', () => {
  it('puts the parts together again, wherever they were cut', () => {
    fc.assert(
      fc.property(schemaWithRecords, fc.array(fc.nat(30)), ({ schema, records }, cuts) => {
        const whole = batchOf(schema, records).columns
        const at = [...new Set([0, ...cuts.filter((cut) => cut < records.length), records.length])].sort(
          (a, b) => a - b,
        )
        const parts = at.slice(1).map((end, i) => whole.slice(at[i], end))
        const joined = concatRows(parts.length === 0 ? [whole] : parts)
        expect(joined.numRows).toBe(records.length)
        expect(rowsOf(schema, joined)).toEqual(records)
      }),
    )
  })
})
