import {
  type Destination,
  defineSource,
  Pipeline,
  type PipelineOptions,
  readRecords,
  type Source,
  stream,
  type TypedSource,
} from 'syncline'
import { z } from 'zod'

// Checked by the compiler alone: an error that is expected and does not come is an error itself.

const User = z.object({ id: z.int(), name: z.string(), nick: z.string().optional(), updated_at: z.iso.datetime() })
const Tag = z.object({ tag: z.string(), weight: z.number() })

const source = defineSource({
  name: 'crm',
  streams: {
    users: stream({
      schema: User,
      primaryKey: ['id'],
      cursorField: 'updated_at',
      ordered: true,
      async *records({ cursor, signal }) {
        equal<string | undefined>()(cursor)
        equal<AbortSignal>()(signal)
        yield { id: 1, name: 'Ada', updated_at: cursor ?? '2026-01-01T00:00:00Z' }
      },
    }),
    tags: stream({ schema: Tag, records: [{ tag: 'a', weight: 1 }] }),
  },
})

type Streams = NonNullable<PipelineOptions<typeof source>['streams']>

/** Accepts a value of exactly this type. */
function equal<T>() {
  return <U>(_: [T, U] extends [U, T] ? U : never) => {}
}
function streams(_: Streams) {}

// What a typed source has compiles.
streams({})
streams({ users: {} })
streams({ users: { syncMode: 'full_refresh', destinationSyncMode: 'overwrite', fields: ['id', 'name'] } })
streams({ users: { syncMode: 'incremental' } })
streams({ users: { syncMode: 'incremental', cursorField: 'updated_at', destinationSyncMode: 'append_dedup' } })
streams({ tags: { syncMode: 'incremental', cursorField: 'weight' } })
streams({ tags: { destinationSyncMode: 'append_dedup', primaryKey: ['tag'] } })
streams([{ name: 'users', syncMode: 'incremental' }, { name: 'tags' }])

// What it does not have does not.
// @ts-expect-error no such stream
streams({ people: {} })
// @ts-expect-error no such field
streams({ users: { syncMode: 'incremental', cursorField: 'updatedAt' } })
// @ts-expect-error the stream defines its own cursor
streams({ users: { syncMode: 'incremental', cursorField: 'id' } })
// @ts-expect-error no such field
streams({ users: { primaryKey: ['uid'] } })
// @ts-expect-error no such field
streams({ users: { fields: ['id', 'nmae'] } })
// @ts-expect-error incremental needs a cursor field, and the stream has none
streams({ tags: { syncMode: 'incremental' } })
// @ts-expect-error append_dedup needs a primary key, and the stream has none
streams({ tags: { destinationSyncMode: 'append_dedup' } })
// @ts-expect-error incremental records do not replace a table
streams({ users: { syncMode: 'incremental', destinationSyncMode: 'overwrite' } })
// @ts-expect-error no such mode
streams({ users: { syncMode: 'full-refresh' } })
// @ts-expect-error no such option
streams({ users: { cursor: 'updated_at' } })
// @ts-expect-error no such stream
streams([{ name: 'people' }])
// @ts-expect-error no such field
streams([{ name: 'tags', fields: ['name'] }])

// An untyped source takes any text; what is missing is found when the catalog is known.
function untyped(_: NonNullable<PipelineOptions<Source>['streams']>) {}
untyped({
  anything: { syncMode: 'incremental', cursorField: 'x', destinationSyncMode: 'append_dedup', primaryKey: ['y'] },
})
untyped({ anything: { syncMode: 'incremental' } })
untyped([{ namespace: 'public', name: 'anything' }])
// @ts-expect-error no such mode
untyped({ anything: { syncMode: 'cdc' } })

// A typed source is a source.
const asSource: Source = source
const asTyped: TypedSource = source
void [asSource, asTyped]

function anyTyped(_: NonNullable<PipelineOptions<TypedSource>['streams']>) {}
anyTyped({ anything: { syncMode: 'incremental', cursorField: 'x', fields: ['y'] } })

// Records come back with their types.
for await (const user of readRecords(source, 'users')) {
  equal<{ id: number; name: string; nick?: string | undefined; updated_at: string }>()(user)
}
for await (const record of readRecords(asSource, 'users')) equal<Readonly<Record<string, unknown>>>()(record)
// @ts-expect-error no such stream
readRecords(source, 'people')

// The definition itself is checked.
// @ts-expect-error no such field
stream({ schema: User, primaryKey: ['uid'], records: [] })
// @ts-expect-error a field that may be missing is no cursor
stream({ schema: User, cursorField: 'nick', records: [] })
// @ts-expect-error the records are not of the schema
stream({ schema: Tag, records: [{ tag: 1, weight: 1 }] })
// @ts-expect-error the records are not of the schema
stream({ schema: Tag, records: () => [{ tag: 'a' }] })

// The pipeline takes its stream names and fields from its source.
declare const destination: Destination
const options = { name: 'crm', source, destination }
new Pipeline({ ...options, streams: { users: { syncMode: 'incremental' } } })
// @ts-expect-error no such field
new Pipeline({ ...options, streams: { users: { syncMode: 'incremental', cursorField: 'updatedAt' } } })
// @ts-expect-error no such stream
new Pipeline({ ...options, streams: { people: {} } })
new Pipeline({ ...options, source: asSource, streams: { people: {} } })
// @ts-expect-error a name is needed
new Pipeline({ source, destination })
