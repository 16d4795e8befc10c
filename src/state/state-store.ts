import type { Context } from '../model/context.js'
import type { ScopeRef, ScopeState, Stored } from '../model/state.js'

/** Keeps state for destinations that keep none themselves. Scopes are independent and used concurrently. */
export interface StateStore {
  /** The state as it stands; a scope that nobody wrote has version 0. `STATE_CORRUPT` where it cannot be read: never an empty state. */
  get(scope: ScopeRef, context: Context): Promise<Stored>
  /**
   * Compare-and-set: stores the state as `version + 1` if the stored version is `version`, else throws `STATE_CONFLICT` and changes nothing. When it
   * returns, the state is durable; a crash at any time leaves the old or the new one. Repeating it with the same run and version succeeds.
   */
  put(
    scope: ScopeRef,
    next: { readonly state: ScopeState; readonly version: number; readonly run: string },
    context: Context,
  ): Promise<void>
  /**
   * The courtesy lock of one scope: throws `STATE_LOCKED` while another living holder has it. A lock left by a dead process is taken over. The
   * fence is `put`, not this.
   */
  acquire?(scope: ScopeRef, context: Context): Promise<StateLock>
}

export interface StateLock {
  release(): Promise<void>
}
