import type { Batch, ConfiguredStream, Context, Json, Message, Rejected, Source, SyncMode } from 'syncline'

export const context: Context = {
  signal: new AbortController().signal,
  log: () => {},
  now: () => new Date(0),
  run: 'test',
}

export interface ReadResult {
  readonly rows: Record<string, unknown>[]
  readonly rejected: Rejected[]
  readonly messages: Message[]
  readonly restarted: boolean
  /** The state after all proofs. */
  readonly state: Json | undefined
  /** The states after each proof, with how many rows had come by then. */
  readonly states: { readonly rows: number; readonly state: Json }[]
}

export interface ReadOptions {
  readonly syncMode?: SyncMode
  readonly cursorField?: string
  readonly fields?: readonly string[]
  readonly state?: Json | undefined
  readonly restart?: boolean
  readonly context?: Context
}

export async function configured(source: Source, name: string, options: ReadOptions = {}): Promise<ConfiguredStream> {
  const { streams } = await source.discover(context)
  const stream = streams.find((candidate) => candidate.name === name)!
  const { syncMode = 'full_refresh', cursorField = stream.defaultCursorField, fields } = options
  const schema =
    fields === undefined
      ? stream.schema
      : { fields: stream.schema.fields.filter((field) => fields.includes(field.name)) }
  return {
    ...stream,
    schema,
    scope: name,
    syncMode,
    destinationSyncMode: 'append',
    target: { name },
    ...(cursorField === undefined ? {} : { cursorField }),
  }
}

/** One reading of one stream from a saved state. */
export async function read(source: Source, name: string, options: ReadOptions = {}): Promise<ReadResult> {
  const stream = await configured(source, name, options)
  const { state, restart = false, context: own = context } = options
  const scope = { scope: name, streams: [{ stream, restart }], ...(state === undefined ? {} : { state }) }
  const reading = await source.open({ scopes: [scope], until: 'now' }, own)
  const rows: Record<string, unknown>[] = []
  const rejected: Rejected[] = []
  const messages: Message[] = []
  const states: { rows: number; state: Json }[] = []
  let current = state
  try {
    for await (const slice of reading.slices(own)) {
      if ('planned' in slice) continue
      for await (const message of reading.read(slice, undefined, own)) {
        messages.push(message)
        if (message.type === 'batch') rows.push(...rowsOf(message))
        else if (message.type === 'rejected') rejected.push(message)
        else if (message.type === 'checkpoint' || message.type === 'slice_done') {
          current = reading.advance!(current, message, name)
          states.push({ rows: rows.length, state: current })
        }
      }
    }
  } finally {
    await reading.close(own)
  }
  return { rows, rejected, messages, restarted: reading.restarted.length > 0, state: current, states }
}

function rowsOf(batch: Batch): Record<string, unknown>[] {
  return [...batch.rows()].map((row) => ({ ...row }))
}
