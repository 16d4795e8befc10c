import type { Context } from '../../model/context.js'

/** Watches the calls on one object of a contract and writes down what its caller may not do. */
export class CallGuard {
  #running: string | undefined
  #ended: string | undefined

  constructor(
    private readonly what: string,
    private readonly violations: string[],
  ) {}

  violation(text: string): void {
    this.violations.push(`${this.what}: ${text}`)
  }

  /** One call that no other may run beside. */
  async alone<T>(call: string, work: () => Promise<T>): Promise<T> {
    if (this.#ended !== undefined) this.violation(`${call} after ${this.#ended}`)
    if (this.#running !== undefined) this.violation(`${call} while ${this.#running} runs`)
    this.#running = call
    try {
      return await work()
    } finally {
      this.#running = undefined
    }
  }

  /** The last call. False where it is not the first of its kind. */
  end(call: string): boolean {
    if (this.#running !== undefined) this.violation(`${call} while ${this.#running} runs`)
    if (this.#ended !== undefined) this.violation(`${call} after ${this.#ended}`)
    const first = this.#ended === undefined
    this.#ended = call
    return first
  }

  /** Calls that settle what was begun have a signal of their own: an aborted one would keep them from doing so. */
  ownSignal(call: string, { signal }: Context): void {
    if (signal.aborted) this.violation(`${call} with a signal that is aborted`)
  }
}
