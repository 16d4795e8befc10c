import { orAbort } from '../util/abort.js'

/** So many things at a time, first come first served. */
export class Slots {
  readonly #waiting: (() => void)[] = []
  #free: number

  constructor(count: number) {
    this.#free = count
  }

  async acquire(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#free > 0) {
      this.#free--
      return
    }
    let granted: () => void = () => {}
    const turn = new Promise<void>((resolve) => {
      granted = resolve
      this.#waiting.push(resolve)
    })
    try {
      await orAbort(turn, signal)
    } catch (error) {
      const index = this.#waiting.indexOf(granted)
      if (index >= 0) this.#waiting.splice(index, 1)
      else this.release() // granted and aborted at once
      throw error
    }
  }

  release(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free++
    else next()
  }
}
