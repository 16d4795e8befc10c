import type { Commit, LoadPlan, LoadStream } from '../../destination/destination.js'
import { sameStream, streamKey } from '../../model/stream.js'
import { type TableShape, tableKey } from '../../model/table.js'
import type { CallGuard } from './call-guard.js'
import type { MemoryStore, PieceTable, StoredPiece, StoredTable, StoredTables } from './memory-store.js'
import { widened } from './memory-store.js'
import { appendRows, mergeChildren, mergeRows } from './merge-rows.js'

/** Makes the rows of these pieces visible or part of an open generation, and completes generations. Waits for nothing. */
export function applyCommit(
  store: MemoryStore,
  scope: string,
  plan: LoadPlan,
  commit: Commit,
  pieces: readonly StoredPiece[],
  guard: CallGuard,
): void {
  for (const piece of pieces) {
    for (const table of piece.tables) {
      const stream = plan.streams.find((candidate) => sameStream(candidate.stream, table.stream))!
      if (piece.generationIds[streamKey(stream.stream)] !== stream.generationId) {
        guard.violation(`rows of another generation of ${streamKey(stream.stream)}`)
      }
      const shape = commit.tables.find((declared) => tableKey(declared) === tableKey(table.table))
      if (shape === undefined) guard.violation(`rows for table ${table.table.name}, which the commit does not declare`)
      const missing = table.table.fields.filter(({ name }) => !shape?.fields.some((field) => field.name === name))
      if (shape && missing.length > 0) guard.violation(`the commit's shape of ${shape.name} lacks columns of its rows`)
      add(store.generations.get(stream.generationId)?.tables ?? store.tables, stream, shape ?? table.table, table)
    }
  }
  for (const ref of commit.completed) {
    const stream = plan.streams.find((candidate) => sameStream(candidate.stream, ref))
    const generation = stream && store.generations.get(stream.generationId)
    if (generation === undefined) guard.violation(`completion of ${streamKey(ref)}, which has no open generation`)
    else complete(store, stream!, generation.tables, commit.tables)
  }
  for (const shape of commit.tables) widen(store, scope, shape, plan)
}

function add(tables: StoredTables, { stream }: LoadStream, shape: TableShape, piece: PieceTable): void {
  const table = tables.get(tableKey(shape)) ?? { shape, rows: [] }
  tables.set(tableKey(shape), table)
  table.shape = widened(table.shape, shape)
  if (stream.destinationSyncMode !== 'append_dedup' || shape.role === 'rejected' || shape.role === 'raw') {
    appendRows(table, piece)
  } else if (shape.role === 'child') mergeChildren(table, piece)
  else mergeRows(table, piece)
}

/** The generation becomes visible: it replaces the older one, or joins it in mode append. Rejected records only ever join. */
function complete(
  store: MemoryStore,
  { stream, generationId }: LoadStream,
  generation: StoredTables,
  shapes: readonly TableShape[],
): void {
  const declared = new Map(
    shapes.filter((shape) => sameStream(shape.stream, stream)).map((shape) => [tableKey(shape), { shape, rows: [] }]),
  )
  for (const next of new Map<string, StoredTable>([...declared, ...generation]).values()) {
    const { shape } = next
    const old = store.tables.get(tableKey(shape))
    const joins = stream.destinationSyncMode === 'append' || shape.role === 'rejected'
    store.tables.set(tableKey(shape), {
      shape: widened(joins ? old?.shape : undefined, declared.get(tableKey(shape))?.shape ?? shape),
      rows: joins ? [...(old?.rows ?? []), ...next.rows] : next.rows,
      ...(!joins && { generationId }),
    })
  }
  store.generations.delete(generationId)
}

/** Only a visible table is widened; that of an open generation shows its shape when it is completed. */
function widen(store: MemoryStore, scope: string, shape: TableShape, plan: LoadPlan): void {
  const stream = plan.streams.find((candidate) => sameStream(candidate.stream, shape.stream))
  const open = stream && store.generations.get(stream.generationId)?.scope === scope
  const table = store.tables.get(tableKey(shape))
  if (table !== undefined) {
    if (!open) table.shape = widened(table.shape, shape)
  } else if (!open) store.tables.set(tableKey(shape), { shape, rows: [] })
}
