import type { CallDetails, CallName, CallPhase, OnCall } from './on-call.js'

/** What a state of an object allows: the state after the event, or nothing where the event is forbidden. */
type Table<S extends string, E extends string> = { readonly [state in S]: { readonly [event in E]: S | undefined } }

const no = undefined

type LoadEvent = 'writer' | 'publish' | 'publish done' | 'close' | 'close done'
const LOAD: Table<'open' | 'publishing' | 'closing' | 'closed', LoadEvent> = {
  open: { writer: 'open', publish: 'publishing', 'publish done': no, close: 'closing', 'close done': no },
  publishing: { writer: 'publishing', publish: no, 'publish done': 'open', close: no, 'close done': no },
  closing: { writer: no, publish: no, 'publish done': no, close: no, 'close done': 'closed' },
  closed: { writer: no, publish: no, 'publish done': no, close: no, 'close done': no },
}

type WriterEvent = 'write' | 'write done' | 'seal' | 'seal done' | 'discard' | 'discard done'
const WRITER: Table<'idle' | 'writing' | 'sealing' | 'discarding' | 'gone', WriterEvent> = {
  idle: {
    write: 'writing',
    'write done': no,
    seal: 'sealing',
    'seal done': no,
    discard: 'discarding',
    'discard done': no,
  },
  writing: { write: no, 'write done': 'idle', seal: no, 'seal done': no, discard: no, 'discard done': no },
  sealing: { write: no, 'write done': no, seal: no, 'seal done': 'idle', discard: no, 'discard done': no },
  discarding: { write: no, 'write done': no, seal: no, 'seal done': no, discard: no, 'discard done': 'gone' },
  gone: { write: no, 'write done': no, seal: no, 'seal done': no, discard: no, 'discard done': no },
}

type ReadingEvent = 'slices' | 'read' | 'acknowledge' | 'acknowledge done' | 'close' | 'close done'
const READING: Table<'open' | 'sliced' | 'closing' | 'closed', ReadingEvent> = {
  open: {
    slices: 'sliced',
    read: no,
    acknowledge: 'open',
    'acknowledge done': 'open',
    close: 'closing',
    'close done': no,
  },
  sliced: {
    slices: no,
    read: 'sliced',
    acknowledge: 'sliced',
    'acknowledge done': 'sliced',
    close: 'closing',
    'close done': no,
  },
  closing: { slices: no, read: no, acknowledge: no, 'acknowledge done': no, close: no, 'close done': 'closed' },
  closed: { slices: no, read: no, acknowledge: no, 'acknowledge done': no, close: no, 'close done': no },
}

type ReadEvent = 'pull' | 'pull done' | 'end'
const READ: Table<'idle' | 'pulling' | 'ended', ReadEvent> = {
  idle: { pull: 'pulling', 'pull done': no, end: 'ended' },
  pulling: { pull: no, 'pull done': 'idle', end: no },
  ended: { pull: no, 'pull done': no, end: no },
}

interface Machine {
  readonly table: Table<string, string>
  state: string
}

/**
 * The order of calls that a pipeline promises to connectors, as tables of states and events, fed by the hooks of observed connectors. Collects what is
 * forbidden in `violations`. One model per run.
 */
export class CallModel {
  readonly violations: string[] = []
  readonly #machines = new Map<string, Machine>()
  /** Sealed pieces by scope, and in which commit they were published. */
  readonly #pieces = new Map<string, number | undefined>()
  /** The last published state by scope. */
  readonly #published = new Map<string, { readonly version: number; readonly state: string }>()
  readonly #recovered = new Set<string>()
  #aborted = false

  readonly onCall: OnCall = (name, phase, details) => this.#event(name, phase, details)

  /** The host has aborted: nothing new may be begun. */
  abort(): void {
    this.#aborted = true
  }

  /** The run has ended: everything must be closed. Gives all violations. */
  finish(): readonly string[] {
    for (const [key, { state, table }] of this.#machines) {
      const last = table === WRITER ? 'gone' : table === READ ? 'ended' : 'closed'
      if (state !== last) this.violations.push(`${key} is ${state} at the end of the run`)
    }
    return this.violations
  }

  #event(name: CallName, phase: CallPhase, details: CallDetails): void {
    const begins = phase === 'before'
    const load = `load ${details['load']} of ${details['scope']}`
    const writer = `writer of ${details['slice']} attempt ${details['attempt']} in ${load}`
    const reading = `reading ${details['reading']}`
    const read = `read of ${details['slice']} in ${reading}`
    switch (name) {
      case 'destination.recover':
      case 'state.get':
        if (phase === 'after') this.#recovered.add(String(details['scope']))
        return
      case 'source.open':
        if (begins) this.#sourceOpens(details)
        if (phase === 'after') this.#machines.set(reading, { table: READING, state: 'open' })
        return
      case 'reading.slices':
        if (begins) this.#step(reading, 'slices')
        return
      case 'reading.read':
        if (begins) this.#readBegins(reading, read)
        if (phase === 'failed') this.#step(read, 'end')
        return
      case 'reading.read.next':
        this.#step(read, begins ? 'pull' : 'pull done')
        return
      case 'reading.read.return':
        this.#step(read, 'end')
        return
      case 'reading.acknowledge':
        if (begins) this.#acknowledged(details)
        this.#step(reading, begins ? 'acknowledge' : 'acknowledge done')
        return
      case 'reading.close':
        if (begins) this.#allClosed(reading, LOAD)
        this.#step(reading, begins ? 'close' : 'close done')
        return
      case 'destination.open':
        // A new session may have claimed a version of its own.
        if (begins) this.#published.delete(String(details['scope']))
        if (begins && !this.#isOpen(READING)) this.violations.push(`${details['scope']} is opened without a reading`)
        if (phase === 'after') this.#machines.set(load, { table: LOAD, state: 'open' })
        return
      case 'load.writer':
        if (begins) {
          this.#begun('load.writer', writer)
          this.#step(load, 'writer')
        } else if (phase === 'after') this.#machines.set(writer, { table: WRITER, state: 'idle' })
        return
      case 'load.publish':
        if (begins) this.#publishes(load, details)
        if (phase === 'after') this.#hasPublished(details)
        this.#step(load, begins ? 'publish' : 'publish done')
        return
      case 'load.close':
        if (begins) this.#allClosed(load, WRITER)
        this.#step(load, begins ? 'close' : 'close done')
        return
      case 'writer.write':
        if (begins) this.#begun('writer.write', writer)
        this.#step(writer, begins ? 'write' : 'write done')
        return
      case 'writer.seal':
        if (phase === 'after') this.#pieces.set(pieceKey(load, details['piece']), undefined)
        this.#step(writer, begins ? 'seal' : 'seal done')
        return
      case 'writer.discard':
        this.#step(writer, begins ? 'discard' : 'discard done')
        return
      default:
        return
    }
  }

  #step(key: string, event: string): void {
    const machine = this.#machines.get(key)
    if (machine === undefined) {
      this.violations.push(`${event} on ${key}, which is not there`)
      return
    }
    const next = machine.table[machine.state]?.[event]
    if (next === undefined) this.violations.push(`${event} on ${key} while ${machine.state}`)
    else machine.state = next
  }

  #readBegins(reading: string, read: string): void {
    this.#step(reading, 'read')
    const state = this.#machines.get(read)?.state
    if (state === 'idle' || state === 'pulling') this.violations.push(`${read} begins while it is read already`)
    this.#begun('reading.read', read)
    this.#machines.set(read, { table: READ, state: 'idle' })
  }

  #begun(what: string, key: string): void {
    if (this.#aborted) this.violations.push(`${what} on ${key} after the abort`)
  }

  #sourceOpens(details: CallDetails): void {
    for (const scope of details['scopes'] as readonly string[]) {
      if (!this.#recovered.has(scope))
        this.violations.push(`the source is opened for ${scope} before its state was read`)
    }
    this.#allClosed('the next reading', READING)
  }

  #isOpen(table: Machine['table']): boolean {
    return [...this.#machines.values()].some((machine) => machine.table === table && machine.state !== 'closed')
  }

  /** What was opened later is closed earlier. */
  #allClosed(key: string, inner: Machine['table']): void {
    for (const [other, { table, state }] of this.#machines) {
      const belongs = table === inner && (inner !== WRITER || other.endsWith(`in ${key}`))
      if (belongs && state !== 'closed' && state !== 'gone')
        this.violations.push(`${key} ends or begins while ${other} is ${state}`)
    }
  }

  #publishes(load: string, { scope, version, pieces }: CallDetails): void {
    const before = this.#published.get(String(scope))
    const repeats = before?.version === version
    if (before && !repeats && version !== before.version + 1) {
      this.violations.push(`${scope} publishes version ${version} after ${before.version}`)
    }
    for (const piece of pieces as readonly string[]) {
      const key = pieceKey(load, piece)
      const earlier = this.#pieces.get(key)
      if (!this.#pieces.has(key)) this.violations.push(`${scope} publishes a piece that was not sealed: ${piece}`)
      else if (earlier !== undefined && earlier !== version)
        this.violations.push(`${scope} publishes a piece twice: ${piece}`)
      else this.#pieces.set(key, Number(version))
    }
  }

  #hasPublished({ scope, version, state }: CallDetails): void {
    this.#published.set(String(scope), { version: Number(version), state: JSON.stringify(state) })
  }

  #acknowledged({ scope, state }: CallDetails): void {
    const published = this.#published.get(String(scope))
    if (published?.state === JSON.stringify(state)) return
    this.violations.push(`${scope} acknowledges a state that was not published`)
  }
}

function pieceKey(load: string, piece: unknown): string {
  return `${load} ${piece}`
}
