import type { CallDetails, CallName, CallPhase, OnCall } from './on-call.js'

/** Something that goes wrong at one moment of a run. */
export interface Fault {
  readonly onCall: OnCall
  /** Whether the run ends with it, without an answer. */
  readonly deadly: boolean
  /** How many moments there have been: before and after every call. */
  readonly moments: () => number
  /** Resolves with the moment when it strikes. */
  readonly struck: Promise<string>
}

/** Goes wrong never, and counts the moments at which it could. */
export function noFault(): Fault {
  return strikeAt(Number.POSITIVE_INFINITY, () => {})
}

/** The process dies at this moment (counted from 1): no call that is under way or comes later settles any more. */
export function killAt(moment: number): Fault {
  const forEver = new Promise<never>(() => {})
  let dead = false
  const fault = strikeAt(moment, () => {
    dead = true
  })
  return {
    ...fault,
    deadly: true,
    async onCall(...call) {
      if (!dead) await fault.onCall(...call)
      if (dead) await forEver
    },
  }
}

/** What these calls open would be open for ever if their answer were lost. */
const OPENING: readonly CallName[] = [
  'source.open',
  'reading.slices',
  'reading.read',
  'destination.open',
  'load.writer',
  'state.acquire',
]
/** What these calls free would stay if they did not happen: they are called once. */
const FREEING: readonly CallName[] = ['reading.close', 'load.close', 'writer.discard', 'state.release']

/** The call that is at this moment, or the next one that can, fails with an error. Failing after a call: it happened, and its answer is lost. */
export function failAt(moment: number, error: () => Error): Fault {
  let due = false
  let failed = false
  const fault = strikeAt(moment, () => {
    due = true
  })
  return {
    ...fault,
    async onCall(name, phase, details) {
      await fault.onCall(name, phase, details)
      // A call that failed by itself keeps its own error.
      const can = phase === 'before' ? !FREEING.includes(name) : phase === 'after' && !OPENING.includes(name)
      if (!due || failed || !can || name === 'reading.read.return') return
      failed = true
      throw error()
    },
  }
}

/** The host aborts at this moment. */
export function abortAt(moment: number, controller: AbortController): Fault {
  return strikeAt(moment, () => controller.abort(new Error('aborted by a test')))
}

/** Several hooks, one after the other. */
export function hooks(...all: readonly OnCall[]): OnCall {
  return async (...call) => {
    for (const hook of all) await hook(...call)
  }
}

/** Something of one's own happens at this moment; what it throws is what the call throws. */
export function strikeAt(moment: number, strike: (phase: CallPhase) => void): Fault {
  let moments = 0
  let report: (moment: string) => void = () => {}
  const struck = new Promise<string>((resolve) => {
    report = resolve
  })
  return {
    deadly: false,
    moments: () => moments,
    struck,
    async onCall(name: CallName, phase: CallPhase, details: CallDetails) {
      if (++moments !== moment) return
      report(`${phase} ${name} ${JSON.stringify(details)}`)
      strike(phase)
    },
  }
}
