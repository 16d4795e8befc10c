import type { Cadence, DestinationCapabilities } from '../../destination/capabilities.js'
import type { Destination, Load, LoadPlan } from '../../destination/destination.js'
import { isSynclineError, SynclineError } from '../../errors/syncline-error.js'
import type { Context } from '../../model/context.js'
import type { ScopeRef, Stored } from '../../model/state.js'
import type { ObjectStore } from '../../object-store/object-store.js'
import type { FileFormat, FormatSession } from '../formats/file-format.js'
import { ControlKeys } from './control-keys.js'
import { UploadJournal } from './journal.js'
import { checkStore } from './lake-check.js'
import { LakeFiles } from './lake-files.js'
import { LakeLoad } from './lake-load.js'
import { conflict, RecordLog } from './record-log.js'
import { recoverScope } from './settle.js'

export interface LakeOptions {
  /** Of the destination, for messages. */
  readonly name: string
  readonly format: FileFormat
  /** Template of the directory of a table's files, already checked. */
  readonly path: string
  readonly maxFileBytes: number
  readonly maxFileRows: number
  readonly cadence: Cadence
  /** Takes the courtesy lock of a scope, kept under this key; `held` while a living holder has it. */
  readonly lock?: (key: string, context: Context) => Promise<{ release(): Promise<void> } | 'held'>
}

const CAPABILITIES: Omit<DestinationCapabilities, 'cadence'> = {
  modes: [
    { syncMode: 'full_refresh', destinationSyncMode: 'overwrite' },
    { syncMode: 'full_refresh', destinationSyncMode: 'append' },
    { syncMode: 'incremental', destinationSyncMode: 'append' },
  ],
  // The engines that read lakes do not tell columns apart by case.
  identifiers: { maxBytes: 200, caseSensitive: false },
  types: { asText: [], maxDecimalPrecision: 38 },
  visibility: 'new_before_old',
  copiesRows: true,
}

/** A lake in an object store: files that appear with the commit record that names them, which also holds the state. */
export function lakeDestination(store: ObjectStore, options: LakeOptions): Destination {
  const sessions = new SharedSession(options.format)

  async function locked(scope: ScopeRef, context: Context): Promise<{ release(): Promise<void> }> {
    const lock = (await options.lock?.(new ControlKeys(scope).lock, context)) ?? { release: async () => {} }
    if (lock !== 'held') return lock
    throw new SynclineError('STATE_LOCKED', 'Another run is writing this scope of the lake.', {
      connector: options.name,
      hint: 'Wait until it has ended, or end it. A lock that a dead process left is taken over by itself.',
    })
  }

  return {
    name: options.name,
    capabilities: { ...CAPABILITIES, cadence: options.cadence },

    check: (context) => checkStore(store, context),

    async recover(scope: ScopeRef, context: Context): Promise<Stored> {
      const log = new RecordLog(store, scope)
      const lock = await locked(scope, context).catch(async (error: unknown) => {
        // One may look at a lake that one may not write, as long as nothing of this pipeline is there.
        const denied = isSynclineError(error) && error.code === 'DESTINATION_PERMISSION_DENIED'
        if (denied && (await log.load(context)).newest === undefined) return undefined
        throw error
      })
      if (lock === undefined) return { version: 0 }
      try {
        const { newest } = await recoverScope(store, log, context)
        if (newest === undefined) return { version: 0 }
        const { version, run, after } = newest
        return { version, run, ...(after !== undefined && { state: after }) }
      } finally {
        await lock.release()
      }
    },

    async open(plan: LoadPlan, context: Context): Promise<Load> {
      const lock = await locked(plan.scope, context)
      const log = new RecordLog(store, plan.scope)
      const session = sessions.take()
      const close = async () => {
        try {
          await session.release()
        } finally {
          await lock.release()
        }
      }
      try {
        const chain = await recoverScope(store, log, context)
        if ((chain.newest?.version ?? 0) !== plan.version) throw conflict(plan.version)
        const journal = new UploadJournal(store, log.keys)
        const files = new LakeFiles(store, journal, options.format, session.session, plan.budget, options.path)
        const load = new LakeLoad(files, log, plan, chain, { ...options, close })
        await load.begin(context)
        return load
      } catch (error) {
        await close()
        throw error
      }
    },
  }
}

/** The threads of a format live as long as any load uses them. */
class SharedSession {
  readonly #format: FileFormat
  #session: FormatSession | undefined
  #users = 0

  constructor(format: FileFormat) {
    this.#format = format
  }

  take(): { readonly session: FormatSession; release(): Promise<void> } {
    this.#session ??= this.#format.session()
    this.#users++
    const session = this.#session
    let released = false
    return {
      session,
      release: async () => {
        if (released) return
        released = true
        if (--this.#users > 0) return
        this.#session = undefined
        await session.close()
      },
    }
  }
}
