import type { CallDetails, CallName, CallPhase, OnCall } from './on-call.js'

/** Something that goes wrong at one moment of a run. */
export interface Fault {
  readonly onCall: OnCall
  /** How many moments there have been: before and after every call. */
  readonly moments: () => number
  /** Resolves with the moment when it strikes. */
  readonly struck: Promise<string>
}

/** Goes wrong never, and counts the moments at which it could. */
export function noFault(): Fault {
  return faultAt(Number.POSITIVE_INFINITY, () => {})
}

/** The process dies at this moment (counted from 1): no call that is under way or comes later settles any more. */
export function killAt(moment: number): Fault {
  const forEver = new Promise<never>(() => {})
  let dead = false
  const fault = faultAt(moment, () => {
    dead = true
  })
  return {
    ...fault,
    async onCall(...call) {
      if (!dead) await fault.onCall(...call)
      if (dead) await forEver
    },
  }
}

/** The call that is at this moment fails with an error. After a call: it happened, and the caller is told that it failed. */
export function failAt(moment: number, error: () => Error): Fault {
  return faultAt(moment, (phase) => {
    // A call that failed by itself keeps its own error.
    if (phase !== 'failed') throw error()
  })
}

/** The host aborts at this moment. */
export function abortAt(moment: number, controller: AbortController): Fault {
  return faultAt(moment, () => controller.abort(new Error('aborted by a test')))
}

/** Several hooks, one after the other. */
export function hooks(...all: readonly OnCall[]): OnCall {
  return async (...call) => {
    for (const hook of all) await hook(...call)
  }
}

function faultAt(moment: number, strike: (phase: CallPhase) => void): Fault {
  let moments = 0
  let report: (moment: string) => void = () => {}
  const struck = new Promise<string>((resolve) => {
    report = resolve
  })
  return {
    moments: () => moments,
    struck,
    async onCall(name: CallName, phase: CallPhase, details: CallDetails) {
      if (++moments !== moment) return
      report(`${phase} ${name} ${JSON.stringify(details)}`)
      strike(phase)
    },
  }
}
