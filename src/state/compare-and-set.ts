import { SynclineError } from '../errors/syncline-error.js'
import type { ScopeRef, Stored } from '../model/state.js'

/**
 * What a put has to do about the state that it found: `write`, or nothing because this very put happened before. Throws
 * `STATE_CONFLICT`.
 */
export function compareVersions(
  scope: ScopeRef,
  stored: Stored,
  next: { readonly version: number; readonly run: string },
): 'write' | 'written' {
  if (stored.version === next.version) return 'write'
  if (stored.version === next.version + 1 && stored.run === next.run) return 'written'
  throw new SynclineError(
    'STATE_CONFLICT',
    `The state of ${scopeText(scope)} is at version ${stored.version}, not ${next.version}: another run has moved it.`,
    { hint: 'Let only one run at a time write a pipeline; the next run goes on from the state as it stands.' },
  )
}

export function lockedError(scope: ScopeRef): SynclineError {
  return new SynclineError('STATE_LOCKED', `Another run is writing the state of ${scopeText(scope)}.`, {
    hint: 'Wait until it has ended. A lock left by a dead process is taken over by itself.',
  })
}

export const scopeText = (scope: ScopeRef) => `pipeline ${scope.pipeline}, scope ${scope.scope}`
