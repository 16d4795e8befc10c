import { randomUUID } from 'node:crypto'
import type { Cadence } from '../destination/capabilities.js'
import type { Destination } from '../destination/destination.js'
import { isSynclineError, type SynclineError } from '../errors/syncline-error.js'
import type { ByteBudget } from '../model/budget.js'
import type { Context, Log } from '../model/context.js'
import { streamKey } from '../model/stream.js'
import type { Normalizer } from '../normalizer/normalizer.js'
import type { Source } from '../source/source.js'
import { createByteBudget } from './budget.js'
import { configureStreams } from './configure.js'
import type { EventHub } from './events.js'
import { connectorError, guarded } from './guard.js'
import { type RunSignals, runSignals } from './lifecycle.js'
import type { PipelineSettings, SchemaPolicy, ValuePolicy } from './options.js'
import { reportProgress } from './progress.js'
import { metrics, type RunResult, type StreamResult } from './result.js'
import { type OnRetry, RetryCounter, type RetryOptions, withRetry } from './retry.js'
import { ScopePlan } from './scope-plan.js'
import { Session } from './session.js'
import type { StateOwner } from './state-owner.js'
import { StreamTally } from './stream-run.js'

/** What every part of a run shares. */
export interface RunServices {
  readonly source: Source
  readonly destination: Destination
  readonly normalizer: Normalizer
  readonly owner: StateOwner
  readonly events: EventHub
  readonly budget: ByteBudget
  readonly cadence: Cadence
  readonly concurrency: number
  readonly retry: RetryOptions
  readonly onRetry: OnRetry
  readonly schemaPolicy: SchemaPolicy
  readonly valuePolicy: ValuePolicy
  readonly continuous: boolean
  readonly extractedAt: Date
  /** Ends with the host's abort. */
  readonly work: Context
  /** Outlives an abort until the deadline for closing. */
  readonly settle: Context
}

export interface RunRequest {
  readonly settings: PipelineSettings & { readonly normalizer: Normalizer }
  readonly owner: StateOwner
  readonly events: EventHub
  readonly signal: AbortSignal | undefined
  readonly continuous: boolean
}

export interface RunOutcome {
  readonly result: RunResult
  /** What failed before there were streams. */
  readonly error?: SynclineError
}

/** One execution of a pipeline. Never throws: what fails is in the outcome. */
export async function executeRun(request: RunRequest): Promise<RunOutcome> {
  const { settings, events } = request
  const started = performance.now()
  const startedAt = new Date()
  const run = randomUUID()
  const signals = runSignals(request.signal, settings.closeTimeout)
  const services = runServices(request, run, startedAt, signals)
  const tallies: StreamTally[] = []
  events.emit('run:started', { pipeline: settings.name, run })
  const stopProgress = reportProgress(tallies, events, started)
  let error: SynclineError | undefined
  try {
    const sessions = runSessions(request, services, tallies)
    sessions.catch(() => {}) // of one that is left behind nobody hears
    await Promise.race([sessions, signals.abandoned])
  } catch (thrown) {
    if (!signals.work.aborted || isSynclineError(thrown)) error = connectorError(thrown, 'PIPELINE_FAILED', {})
  } finally {
    signals.dispose()
    stopProgress()
  }
  const streams = tallies.map((tally) => tally.result())
  const sum = (field: 'records' | 'rejected' | 'bytes') => streams.reduce((total, stream) => total + stream[field], 0)
  const result: RunResult = {
    run,
    pipeline: settings.name,
    status: runStatus(streams, error, signals.work.aborted),
    startedAt: startedAt.toISOString(),
    streams,
    ...metrics(sum('records'), sum('rejected'), sum('bytes'), Math.round(performance.now() - started)),
  }
  const { streams: _, ...summary } = result
  events.emit('run:finished', summary)
  return { result, ...(error && { error }) }
}

function runServices(request: RunRequest, run: string, startedAt: Date, signals: RunSignals): RunServices {
  const { settings, owner, events } = request
  const log: Log = (level, message, details) => events.emit('log', { level, message, ...(details && { details }) })
  const context = (signal: AbortSignal): Context => ({ signal, log, now: () => new Date(), run })
  return {
    source: settings.source,
    destination: settings.destination,
    normalizer: settings.normalizer,
    owner,
    events,
    budget: createByteBudget(settings.budgetBytes),
    cadence: { ...settings.destination.capabilities.cadence, ...settings.cadence },
    concurrency: settings.concurrency,
    retry: settings.retry,
    onRetry: (what, attempt, delayMs, error) =>
      events.emit('retry:scheduled', { what, attempt, delayMs, error: error.toJSON() }),
    schemaPolicy: settings.schemaPolicy,
    valuePolicy: settings.valuePolicy,
    continuous: request.continuous,
    extractedAt: startedAt,
    work: context(signals.work),
    settle: context(signals.settle),
  }
}

async function runSessions(request: RunRequest, services: RunServices, tallies: StreamTally[]): Promise<void> {
  const { source, work, retry, onRetry } = services
  const details = { phase: 'discover', connector: source.name } as const
  const catalog = await withRetry(
    'discover',
    () => guarded(work.signal, 'SOURCE_FAILED', details, () => source.discover(work)),
    retry,
    onRetry,
    work.signal,
  )
  const plans = planScopes(request, services, catalog, tallies)
  if (plans.length === 0) {
    const why = request.settings.streams === undefined ? `${source.name} offers no streams` : 'streams names none'
    work.log('warn', `Nothing to do: ${why}.`)
  }
  if (services.continuous && !plans.some(({ streams }) => streams.some(({ selected }) => selected.stream.changeLog))) {
    work.log('warn', 'No stream has a change log: the continuous run ends when everything that is there was read.')
  }
  const counter = new RetryCounter('read', retry, onRetry)
  for (let left = plans; left.length > 0; left = left.filter(({ ended }) => !ended)) {
    const session = new Session(services, left)
    try {
      await session.execute()
    } catch (error) {
      if (session.progressed) counter.progressed()
      try {
        await counter.again(error, work.signal)
      } catch (final) {
        const aborted = work.signal.aborted
        for (const plan of left) {
          if (aborted) plan.end('cancelled')
          else plan.end('failed', connectorError(final, 'PIPELINE_FAILED', { connector: source.name }))
        }
      }
    }
  }
}

function planScopes(
  { settings, events }: RunRequest,
  services: RunServices,
  catalog: Parameters<typeof configureStreams>[0],
  tallies: StreamTally[],
): ScopePlan[] {
  const scopes = new Map<string, { selected: ReturnType<typeof configureStreams>[number]; tally: StreamTally }[]>()
  for (const selected of configureStreams(catalog, settings, settings.destination.capabilities)) {
    const tally = new StreamTally(selected.stream, selected.stream.estimatedRecords)
    tallies.push(tally)
    const { scope } = selected.stream
    scopes.set(scope, [...(scopes.get(scope) ?? []), { selected, tally }])
  }
  const ended = (tally: StreamTally) => {
    const result = tally.result()
    if (result.error !== undefined) {
      services.work.log('error', `Stream ${streamKey(tally.ref)} failed: ${result.error.message}`, {
        code: result.error.code,
      })
    }
    events.emit('stream:finished', result)
  }
  return [...scopes].map(([scope, streams]) => new ScopePlan({ pipeline: settings.name, scope }, streams, ended))
}

function runStatus(
  streams: readonly StreamResult[],
  error: SynclineError | undefined,
  aborted: boolean,
): RunResult['status'] {
  const some = (status: StreamResult['status']) => streams.some((stream) => stream.status === status)
  if (error !== undefined) return 'failed'
  if (some('failed')) return some('succeeded') ? 'partial' : 'failed'
  return aborted && (streams.length === 0 || some('cancelled')) ? 'cancelled' : 'succeeded'
}
