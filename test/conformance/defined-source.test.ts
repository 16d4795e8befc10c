import { defineSource, stream } from 'syncline'
import { type SourceFixture, sourceConformance } from 'syncline/testing'
import { describe, it } from 'vitest'
import { z } from 'zod'

const Row = z.object({ id: z.int(), name: z.string().nullable(), changed: z.iso.datetime() })
type Row = z.infer<typeof Row>

function row(id: number): Row {
  // Four of a kind: ties on the cursor.
  const second = String(Math.floor(id / 4)).padStart(2, '0')
  return { id, name: id % 5 === 0 ? null : `name ${id}`, changed: `2026-01-01T00:00:${second}Z` }
}

const ROWS = Array.from({ length: 30 }, (_, index) => row(index + 1))

for (const ordered of [true, false]) {
  sourceConformance(
    { describe, it },
    {
      name: `defineSource, ordered: ${ordered}`,
      expected: ({ name }) => (name === 'empty' ? [] : ROWS.map((each) => ({ ...each, id: BigInt(each.id) }))),
      async create(): Promise<SourceFixture> {
        const rows = [...ROWS]
        const none: Row[] = []
        let next = 100
        const source = defineSource({
          name: 'defined',
          streams: {
            rows: stream({
              schema: Row,
              primaryKey: ['id'],
              cursorField: 'changed',
              ordered,
              async *records({ cursor }) {
                for (const each of rows) if (cursor === undefined || each.changed >= cursor) yield each
              },
            }),
            empty: stream({ schema: Row, cursorField: 'changed', records: () => none }),
          },
        })
        return {
          source,
          async addRecords({ name }) {
            const into = name === 'rows' ? rows : none
            // One shares the highest cursor value with what was read before.
            const last = into.at(-1)
            if (last !== undefined) into.push({ ...last, id: next++ })
            into.push({ ...row(0), id: next++, changed: `2026-02-01T00:00:00.${next}Z` })
          },
        }
      },
    },
  )
}
