import { Pipeline, type PipelineEvent, type PipelineEvents, type PipelineOptions, SynclineError } from 'syncline'
import {
  type MemoryDestinationOptions,
  type MemorySourceOptions,
  type MemoryTable,
  MemoryTables,
  memoryDestination,
  memorySource,
  memoryStore,
  type OnCall,
  readMemoryTable,
} from 'syncline/testing'

export const PEOPLE = {
  fields: [
    { name: 'id', type: { kind: 'int32' }, nullable: false },
    { name: 'name', type: { kind: 'string' }, nullable: true },
    { name: 'at', type: { kind: 'int32' }, nullable: true },
  ],
} as const

export const quickRetry = { attempts: 3, initial: 1, factor: 1, max: 1 }

/** Tables in memory, a destination in memory, and pipelines between them that note their events. */
export function world(sourceOptions: MemorySourceOptions = {}, destinationOptions: MemoryDestinationOptions = {}) {
  const tables = new MemoryTables()
  const store = memoryStore()
  const events: { event: PipelineEvent; payload: unknown }[] = []
  return {
    tables,
    store,
    events,
    table(name: string, rows: number, more: { changeLog?: boolean } = {}): MemoryTable {
      const table = tables.table({ name, schema: PEOPLE, primaryKey: ['id'], cursorField: 'at', ...more })
      for (let id = 1; id <= rows; id++) table.insert({ id, name: `name ${id}`, at: id })
      return table
    },
    pipeline(options: Partial<PipelineOptions> = {}): Pipeline {
      const pipeline = new Pipeline({
        name: 'people',
        source: memorySource(tables, sourceOptions),
        destination: memoryDestination(store, destinationOptions),
        retry: quickRetry,
        ...options,
      })
      const names: PipelineEvent[] = [
        'run:started',
        'run:finished',
        'stream:started',
        'stream:finished',
        'stream:restarted',
        'state:published',
        'record:rejected',
        'schema:changed',
        'retry:scheduled',
        'progress',
        'log',
      ]
      for (const event of names) pipeline.on(event, (payload) => events.push({ event, payload }))
      return pipeline
    },
    rows: (name: string) => readMemoryTable(store, { name }),
    ids: (name: string) =>
      readMemoryTable(store, { name })
        .map(({ id }) => Number(id))
        .sort((a, b) => a - b),
    seen: <E extends PipelineEvent>(event: E) =>
      events.filter((entry) => entry.event === event).map(({ payload }) => payload as PipelineEvents[E]),
  }
}

/** Fails the calls of one name, from the given occurrence, so many times. */
export function failing(name: Parameters<OnCall>[0], error: SynclineError, times = 1, from = 1): OnCall {
  let calls = 0
  return (called, phase) => {
    if (called !== name || phase !== 'before') return
    calls++
    if (calls >= from && calls < from + times) throw error
  }
}

export const lost = new SynclineError('SOURCE_CONNECTION_LOST', 'The connection broke.')
export const numbers = (to: number) => Array.from({ length: to }, (_, i) => i + 1)
