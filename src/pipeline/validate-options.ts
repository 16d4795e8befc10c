import { z } from 'zod'
import { invalidOptions } from '../errors/invalid-options.js'
import type { Source } from '../source/source.js'
import { parseByteSize } from '../util/byte-size.js'
import type { PipelineOptions, PipelineSettings, StreamChoice } from './options.js'

const MB = 1024 ** 2

const text = z.string().min(1)
const count = (least: number) => z.int().min(least)
const milliseconds = z.number().min(0)

const byteSize = (least: number) =>
  z.unknown().transform((value, issues) => {
    const bytes = parseByteSize(value)
    if (bytes !== undefined && bytes >= least) return bytes
    issues.addIssue({ code: 'custom', message: `expected bytes as a number or like '128MB', at least ${least} bytes` })
    return z.NEVER
  })

/** Something of the host's that must have these methods; it is passed through untouched. */
const having = <T>(what: string, ...methods: string[]) =>
  z.custom<T>(
    (value) => methods.every((method) => typeof (value as Record<string, unknown>)?.[method] === 'function'),
    {
      error: `expected ${what}`,
    },
  )

const namespaceFormat = text.refine((format) => !format.replaceAll('${SOURCE_NAMESPACE}', '').includes('${'), {
  error: 'unknown variable: the only one is ${SOURCE_NAMESPACE}',
})

const streamShape = {
  syncMode: z.enum(['full_refresh', 'incremental']).optional(),
  destinationSyncMode: z.enum(['overwrite', 'append', 'append_dedup']).optional(),
  cursorField: text.optional(),
  primaryKey: z.array(text).min(1).optional(),
  fields: z.array(text).min(1).optional(),
}
const streamOptions = z.strictObject(streamShape)
const streamEntry = z.strictObject({ namespace: z.string().optional(), name: text, ...streamShape })

const optionsSchema = z.strictObject({
  name: text,
  source: having<PipelineOptions['source']>('a source', 'check', 'discover', 'open'),
  normalizer: having<NonNullable<PipelineOptions['normalizer']>>('a normalizer', 'open', 'join').optional(),
  destination: having<PipelineOptions['destination']>('a destination', 'check', 'open'),
  state: having<NonNullable<PipelineOptions['state']>>('a state store', 'get', 'put').optional(),
  namespace: z
    .union([z.enum(['source', 'destination']), z.strictObject({ format: namespaceFormat })], {
      error: "expected 'source', 'destination' or { format }",
    })
    .default('source'),
  prefix: z.string().default(''),
  streams: z.unknown().optional(),
  schemaPolicy: z.enum(['evolve', 'freeze', 'ignore']).default('evolve'),
  valuePolicy: z.enum(['null', 'reject', 'fail']).default('null'),
  budgetBytes: byteSize(8 * MB).prefault(128 * MB),
  concurrency: count(1).default(2),
  cadence: z.strictObject({ bytes: byteSize(1).optional(), milliseconds: milliseconds.min(1).optional() }).default({}),
  retry: z
    .strictObject({
      attempts: count(1).default(5),
      initial: milliseconds.default(1000),
      factor: z.number().min(1).default(2),
      max: milliseconds.default(60_000),
    })
    .prefault({}),
  closeTimeout: milliseconds.default(30_000),
})

/** The settings of a pipeline, or `CONFIG_INVALID` that names every option that is wrong. Looks at nothing outside the options. */
export function validateOptions<S extends Source>(options: PipelineOptions<S>): PipelineSettings {
  const parsed = optionsSchema.safeParse(options)
  if (!parsed.success) throw invalidOptions('pipeline', parsed.error, optionsSchema)
  const { normalizer, state, streams, cadence, ...settings } = parsed.data
  return {
    ...settings,
    normalizer,
    state,
    cadence: definedOnly(cadence),
    streams: streams === undefined ? undefined : streamChoices(streams),
  }
}

const runOptions = z.strictObject({
  signal: having<AbortSignal>('an AbortSignal', 'addEventListener', 'throwIfAborted').optional(),
  mode: z.enum(['once', 'continuous']).optional(),
  onStreamFailure: z.enum(['throw', 'report']).optional(),
})

/** `CONFIG_INVALID` for options of a run that are wrong. A misspelt signal would be one that never aborts. */
export function validateRunOptions(options: unknown): void {
  const parsed = runOptions.safeParse(options)
  if (!parsed.success) throw invalidOptions('run()', parsed.error, runOptions)
}

function streamChoices(streams: unknown): StreamChoice[] {
  if (Array.isArray(streams)) {
    const parsed = z.array(streamEntry).safeParse(streams)
    if (!parsed.success) throw invalidOptions('pipeline', parsed.error, z.array(streamEntry), ['streams'])
    return parsed.data.map(({ namespace, name, ...options }) =>
      streamChoice(namespace === undefined ? { name } : { namespace, name }, options),
    )
  }
  const byKey = z.record(text, streamOptions)
  const parsed = byKey.safeParse(streams)
  if (!parsed.success) throw invalidOptions('pipeline', parsed.error, byKey, ['streams'])
  return Object.entries(parsed.data).map(([key, options]) => streamChoice(key, options))
}

function streamChoice(stream: StreamChoice['stream'], options: z.output<typeof streamOptions>): StreamChoice {
  const { syncMode = 'full_refresh', destinationSyncMode, ...rest } = options
  return {
    stream,
    syncMode,
    destinationSyncMode: destinationSyncMode ?? (syncMode === 'full_refresh' ? 'overwrite' : 'append'),
    ...definedOnly(rest),
  }
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

function definedOnly<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as Defined<T>
}
