import { EventEmitter } from 'eventemitter3'
import type { SynclineError } from '../errors/syncline-error.js'
import type { LogLevel } from '../model/context.js'
import type { Json } from '../model/json.js'
import type { StreamRef } from '../model/stream.js'
import type { RunResult, StreamResult } from './result.js'
import type { SchemaChange } from './schema-policy.js'

/** An error as events and results show it: JSON-safe, without cause, stack or values. */
export type ErrorReport = ReturnType<SynclineError['toJSON']>

/** Every event of a pipeline with its payload. Payloads are JSON-safe and hold no record values. */
export interface PipelineEvents {
  'run:started': { readonly pipeline: string; readonly run: string }
  'run:finished': Omit<RunResult, 'streams'>
  /** The stream is configured and its part of the reading is open. */
  'stream:started': { readonly stream: StreamRef; readonly generation: number }
  /** What was read of the stream before no longer counts; a new generation begins. */
  'stream:restarted': { readonly stream: StreamRef; readonly generation: number }
  'stream:finished': StreamResult
  /** A writer took a batch; not yet visible. */
  'batch:written': { readonly stream: StreamRef; readonly records: number; readonly bytes: number }
  /** Rows became durable together with the state that covers them. */
  'state:published': {
    readonly scope: string
    readonly version: number
    readonly records: number
    /** Streams whose generation became visible with it. */
    readonly completed: readonly StreamRef[]
  }
  'record:rejected': {
    readonly stream: StreamRef
    readonly code: string
    readonly reason: string
    readonly records: number
  }
  'schema:changed': { readonly stream: StreamRef; readonly changes: readonly SchemaChange[] }
  'retry:scheduled': {
    readonly what: string
    readonly attempt: number
    readonly delayMs: number
    readonly error: ErrorReport
  }
  /** At most about four a second, and one at the end. */
  progress: {
    readonly records: number
    readonly bytes: number
    readonly durationMs: number
    readonly streams: readonly StreamProgress[]
  }
  log: { readonly level: LogLevel; readonly message: string; readonly details?: { readonly [key: string]: Json } }
}

export interface StreamProgress {
  readonly stream: StreamRef
  /** Records written so far, visible or not. */
  readonly records: number
  readonly bytes: number
  readonly estimatedRecords?: number
}

export type PipelineEvent = keyof PipelineEvents
export type PipelineListener<E extends PipelineEvent> = (payload: PipelineEvents[E]) => void

/** Delivers events. A listener that throws is reported as a `log` event and does not disturb the run. */
export class EventHub {
  readonly #emitter = new EventEmitter()

  on<E extends PipelineEvent>(event: E, listener: PipelineListener<E>): void {
    this.#emitter.on(event, listener as (payload: unknown) => void)
  }

  off<E extends PipelineEvent>(event: E, listener: PipelineListener<E>): void {
    this.#emitter.off(event, listener as (payload: unknown) => void)
  }

  emit<E extends PipelineEvent>(event: E, payload: PipelineEvents[E]): void {
    for (const listener of this.#emitter.listeners(event)) {
      try {
        const outcome: unknown = (listener as (payload: unknown) => unknown)(payload)
        if (outcome instanceof Promise) outcome.catch(() => this.#reportListener(event))
      } catch {
        this.#reportListener(event)
      }
    }
  }

  #reportListener(event: PipelineEvent): void {
    // A listener of `log` that throws cannot be told about itself.
    if (event !== 'log')
      this.emit('log', { level: 'error', message: `A listener of '${event}' threw; the run goes on.` })
  }
}
