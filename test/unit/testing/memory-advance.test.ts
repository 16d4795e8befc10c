import fc from 'fast-check'
import type { ConfiguredStream, Json, Proof, RecordSchema } from 'syncline'
import { MemoryTables, memorySource, testContext } from 'syncline/testing'
import { expect, test } from 'vitest'

const SCHEMA: RecordSchema = { fields: [{ name: 'at', type: { kind: 'int32' }, nullable: true }] }

/** The proofs of each slice, in its order. */
async function proofsOf(cursors: readonly number[], syncMode: 'full_refresh' | 'incremental', slices: number) {
  const tables = new MemoryTables()
  const table = tables.table({ name: 'things', schema: SCHEMA, cursorField: 'at' })
  for (const at of cursors) table.insert({ at })
  const source = memorySource(tables, { slices, batchRows: 2, checkpointRows: 2 })
  const context = testContext()
  const [found] = (await source.discover(context)).streams
  const stream: ConfiguredStream = {
    ...found!,
    scope: 'things',
    syncMode,
    destinationSyncMode: 'append',
    cursorField: 'at',
    target: { name: 'things' },
  }
  const scopes = [{ scope: 'things', streams: [{ stream, restart: true }] }]
  const reading = await source.open({ scopes, until: 'now' }, context)
  const proofs: Proof[][] = []
  for await (const slice of reading.slices(context)) {
    if ('planned' in slice) continue
    const own: Proof[] = []
    for await (const message of reading.read(slice, undefined, context)) {
      if (message.type === 'checkpoint' || message.type === 'slice_done') own.push(message)
    }
    proofs.push(own)
  }
  await reading.close(context)
  const advance = (state: Json | undefined, proof: Proof) => reading.advance!(state, proof, 'things')
  return { proofs, stateOf: (all: readonly Proof[]) => all.reduce<Json | undefined>(advance, undefined) }
}

test('D2: any order of slices gives the same state, with each slice in its own order', async () => {
  const modes = fc.constantFrom('full_refresh' as const, 'incremental' as const)
  const cursors = fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(
      cursors,
      modes,
      fc.integer({ min: 1, max: 6 }),
      fc.infiniteStream(fc.nat()),
      async (at, mode, parts, dice) => {
        const { proofs, stateOf } = await proofsOf(at, mode, parts)
        const queues = proofs.map((own) => [...own])
        const mixed: Proof[] = []
        while (queues.some((queue) => queue.length > 0)) {
          const left = queues.filter((queue) => queue.length > 0)
          mixed.push(left[dice.next().value! % left.length]!.shift()!)
        }
        expect(stateOf(mixed)).toEqual(stateOf(proofs.flat()))
      },
    ),
    { numRuns: 60 },
  )
})
