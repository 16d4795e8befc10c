import type { Json } from './json.js'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Where connectors say what they do. No record values, connection strings or secrets. */
export type Log = (level: LogLevel, message: string, details?: { readonly [key: string]: Json }) => void

/** Goes with every call to a connector. */
export interface Context {
  /** Aborted when the call should stop. Every wait ends on it, by rejecting with its reason. */
  readonly signal: AbortSignal
  readonly log: Log
  /** The run's clock, so that tests can set it. */
  readonly now: () => Date
  readonly run: string
}
