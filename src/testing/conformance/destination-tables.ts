import type { DestinationCapabilities } from '../../destination/capabilities.js'
import type { FieldType } from '../../model/field-type.js'
import type { TableField } from '../../model/table.js'
import { BenchTable, FIELDS, records, rowsOf, withDestination } from './destination-bench.js'
import type { DestinationConformance } from './destination-conformance.js'
import type { TestRunner } from './suite.js'
import { typeSamples } from './type-samples.js'

/** Names as a normalizer may hand them over once they obey the destination's own rules. */
export function legalNames({ identifiers }: DestinationCapabilities): string[] {
  const { maxBytes, caseSensitive, illegal, lowerCase } = identifiers
  const long = 'x'.repeat(Math.min(maxBytes, 120) - 1)
  const names = [
    `${long}1`,
    `${long}2`,
    'with space',
    ' leading and trailing ',
    'with"double"quotes',
    "with'single'quotes",
    'back\\slash',
    'semi;colon -- comment',
    'dot.dot',
    'percent%20',
    '100',
    'select',
    'table',
    'user',
    'größe',
    'emoji😀',
    '名前',
    ...(caseSensitive ? ['Case', 'case', 'CASE'] : ['Case']),
  ]
  const forbidden = illegal === undefined ? undefined : new RegExp(`[${illegal}]`, 'gu')
  const legal = names
    .map((name) => (lowerCase ? name.toLowerCase() : name))
    .map((name) => (forbidden ? name.replace(forbidden, '_') : name))
    .filter((name) => Buffer.byteLength(name) <= maxBytes)
  return [...new Map(legal.map((name) => [caseSensitive ? name : name.toLowerCase(), name])).values()]
}

export function tableTests({ describe, it }: TestRunner, suite: DestinationConformance): void {
  describe('tables', () => {
    it('hostile names of tables stay apart', () =>
      withDestination(suite, async (bench) => {
        const tables = legalNames(bench.destination.capabilities).map((name) => new BenchTable(name))
        const run = await bench.open(tables)
        const receipts = await Promise.all(tables.map((table, index) => run.piece(table, records(index, index + 2))))
        await run.publish(receipts)
        await run.close()
        for (const [index, table] of tables.entries()) {
          await bench.expectRows(table, records(index, index + 2), `table ${JSON.stringify(table.name)}`)
        }
      }))

    it('hostile names of columns stay apart', () =>
      withDestination(suite, async (bench) => {
        const names = legalNames(bench.destination.capabilities)
        const fields = names.map((name): TableField => ({ name, type: { kind: 'int32' } }))
        const table = new BenchTable('hostile_columns', { fields })
        await bench.load(table, [Object.fromEntries(names.map((name, index) => [name, index]))])
        await bench.expectRows(table, [Object.fromEntries(names.map((name, index) => [name, index]))])
      }))

    it('tables of one name in different namespaces stay apart', () =>
      withDestination(suite, async (bench) => {
        const tables = ['one', 'two'].map((namespace) => new BenchTable('same', { namespace }))
        const run = await bench.open(tables)
        await run.publish([await run.piece(tables[0]!, records(0, 2)), await run.piece(tables[1]!, records(5, 8))])
        await run.close()
        await bench.expectRows(tables[0]!, records(0, 2))
        await bench.expectRows(tables[1]!, records(5, 8))
      }))

    it('every type is stored exactly, and null as null', () =>
      withDestination(suite, async (bench) => {
        const samples = typeSamples(bench.destination.capabilities.types)
        const fields = samples.map(({ name, type }): TableField => ({ name, type }))
        const table = new BenchTable('typed', { fields })
        const longest = Math.max(...samples.map(({ values }) => values.length))
        const rows = Array.from({ length: longest + 1 }, (_, index) =>
          Object.fromEntries(samples.map(({ name, values }) => [name, values[index] ?? null])),
        )
        const run = await bench.open([table])
        await run.publish([await run.piece(table, rows)])
        await run.close()
        for (const field of fields) {
          const shape = { ...table.shape, fields: [field] }
          const all = await bench.fixture.read(table.shape)
          await bench.expectRows(shape, rows, `column ${field.name} of ${all.length} rows`)
        }
      }))

    it('columns that hold null alone, wide tables, and a table without rows', () =>
      withDestination(suite, async (bench) => {
        const type: FieldType = { kind: 'string' }
        const fields = Array.from({ length: 200 }, (_, index): TableField => ({ name: `column_${index}`, type }))
        const [wide, none] = [new BenchTable('wide', { fields }), new BenchTable('no_rows')]
        const run = await bench.open([wide, none])
        await run.publish([await run.piece(wide, [{}, { column_199: 'x' }, {}])])
        await run.close()
        await bench.expectRows(wide, [{}, { column_199: 'x' }, {}])
        await bench.expectRows(none, [])
      }))

    it('a table that is widened shows null in its older rows, also within one publish', () =>
      withDestination(suite, async (bench) => {
        const table = new BenchTable('widened')
        const run = await bench.open([table])
        await run.publish([await run.piece(table, records(0, 2))])
        const narrow = await run.piece(table, records(2, 4))
        table.shape = { ...table.shape, fields: [...FIELDS, { name: 'added', type: { kind: 'int32' } }] }
        const wide = await run.piece(table, [{ ...records(4, 5)[0], added: 7 }])
        await run.publish([narrow, wide])
        await run.close()
        await bench.expectRows(table, [...records(0, 4), { ...records(4, 5)[0], added: 7 }])
        await bench.restarted().load(table, [{ ...records(5, 6)[0], added: 8 }])
        await bench.expectRows(table, [
          ...records(0, 4),
          { ...records(4, 5)[0], added: 7 },
          { ...records(5, 6)[0], added: 8 },
        ])
      }))

    it('a shape ahead of its rows is harmless', () =>
      withDestination(suite, async (bench) => {
        const table = new BenchTable('ahead')
        const run = await bench.open([table])
        const receipt = await run.pieceOf([rowsOf(table.shape, records(0, 2))], table)
        table.shape = { ...table.shape, fields: [...FIELDS, { name: 'later', type: { kind: 'date' } }] }
        await run.publish([receipt])
        await run.close()
        await bench.expectRows(table, records(0, 2))
      }))

    it('long texts and many rows', () =>
      withDestination(suite, async (bench) => {
        const table = new BenchTable('many')
        const rows = records(0, 20_000)
        rows[7] = { ...rows[7], name: 'long '.repeat(200_000) }
        const run = await bench.open([table])
        const batches = Array.from({ length: 10 }, (_, part) =>
          rowsOf(table.shape, rows.slice(part * 2000, part * 2000 + 2000)),
        )
        await run.publish([await run.pieceOf(batches, table)])
        await run.close()
        await bench.expectRows(table, rows)
      }))
  })
}
