import type { Json } from '../model/json.js'

/** The calls of the contracts, one name per arrow. A `read` counts each message that is pulled. */
export type CallName =
  | 'source.check'
  | 'source.discover'
  | 'source.open'
  | 'reading.slices'
  | 'reading.slices.next'
  | 'reading.read'
  | 'reading.read.next'
  | 'reading.read.return'
  | 'reading.acknowledge'
  | 'reading.close'
  | 'destination.check'
  | 'destination.recover'
  | 'destination.open'
  | 'load.writer'
  | 'load.publish'
  | 'load.close'
  | 'writer.write'
  | 'writer.seal'
  | 'writer.discard'
  | 'state.acquire'
  | 'state.get'
  | 'state.put'
  | 'state.release'

/** `before`: nothing has happened. `after`: it happened, and the caller does not know yet. `failed`: it threw. */
export type CallPhase = 'before' | 'after' | 'failed'

/** Which session, scope, slice and attempt a call belongs to, as far as it belongs to one. */
export type CallDetails = { readonly [key: string]: Json | undefined }

/**
 * Called around every call of a contract. What it throws is what the call throws; a promise that never settles stands for a process that
 * died there.
 */
export type OnCall = (name: CallName, phase: CallPhase, details: CallDetails) => void | Promise<void>

/** Makes one call between its two hooks. */
export async function hooked<T>(
  onCall: OnCall,
  name: CallName,
  details: CallDetails,
  call: () => Promise<T>,
  outcome: (result: T) => CallDetails = () => ({}),
): Promise<T> {
  let result: T
  try {
    await onCall(name, 'before', details)
    result = await call()
  } catch (error) {
    await onCall(name, 'failed', { ...details, code: errorCode(error) })
    throw error
  }
  await onCall(name, 'after', { ...details, ...outcome(result) })
  return result
}

function errorCode(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unknown'
}
