import { createHash } from 'node:crypto'
import { z } from 'zod'
import { SynclineError } from '../errors/syncline-error.js'
import type { Json } from '../model/json.js'
import type { ScopeRef, ScopeState } from '../model/state.js'

/** The format that this syncline writes. It reads this and all older ones. */
const FORMAT = 1

/** How a body of format `n` becomes one of format `n + 1`, by `n`. */
export type StateMigrations = { readonly [format: number]: (body: Json) => Json }

const MIGRATIONS: StateMigrations = {}

/** A stored state with the scope that it belongs to. */
export interface SavedState extends ScopeRef {
  readonly version: number
  readonly run: string
  readonly state: ScopeState
}

/** States as text: a line that names the format and the checksum of the rest, and the state as JSON. */
export interface StateFormat {
  encode(saved: SavedState): string
  /** Throws `STATE_CORRUPT`, or `STATE_VERSION_UNSUPPORTED` for the format of a newer syncline. */
  decode(text: string): SavedState
}

const headerSchema = z.object({ syncline: z.literal('state'), format: z.int().min(1), sha256: z.string() })

const savedSchema = z.object({
  pipeline: z.string(),
  scope: z.string(),
  version: z.int().min(1),
  run: z.string(),
  // Passed on untouched: only its form is checked here, so that no field that the model gains is lost.
  state: z.custom<ScopeState>(hasStateForm),
})

function hasStateForm(state: unknown): boolean {
  return (
    isObject(state) &&
    'source' in state &&
    isObject(state['streams']) &&
    Object.values(state['streams']).every(isObject)
  )
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export function stateFormat(format: number = FORMAT, migrations: StateMigrations = MIGRATIONS): StateFormat {
  return {
    encode(saved) {
      const { pipeline, scope, version, run, state } = saved
      const body = JSON.stringify({ pipeline, scope, version, run, state })
      return `${JSON.stringify({ syncline: 'state', format, sha256: sha256(body) })}\n${body}\n`
    },
    decode(text) {
      const end = text.indexOf('\n')
      const header = headerSchema.safeParse(parseJson(text.slice(0, end))).data
      const body = text.slice(end + 1).trimEnd()
      if (header === undefined) throw corrupt()
      // Before the checksum: a newer format may reckon it in another way.
      if (header.format > format) {
        throw new SynclineError(
          'STATE_VERSION_UNSUPPORTED',
          `The state has format ${header.format}, written by a newer syncline.`,
          {
            hint: 'Run the version of syncline that wrote it, or a newer one.',
          },
        )
      }
      if (header.sha256 !== sha256(body)) throw corrupt()
      let migrated = parseJson(body)
      if (migrated === undefined) throw corrupt()
      for (let from = header.format; from < format; from++) {
        const migrate = migrations[from]
        if (migrate === undefined) throw corrupt()
        migrated = migrate(migrated)
      }
      const saved = savedSchema.safeParse(migrated)
      if (!saved.success) throw corrupt()
      return saved.data
    },
  }
}

function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

function corrupt(): SynclineError {
  return new SynclineError(
    'STATE_CORRUPT',
    'The stored state is damaged: it does not match its checksum or its form.',
    {
      hint: 'Restore it from a backup, or remove it to read everything again from the beginning.',
    },
  )
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
