import { Worker } from 'node:worker_threads'
import { SynclineError } from '../../../errors/syncline-error.js'
import type { Encoded, EncodeRequest, EncodeResponse } from './worker-protocol.js'
import { parquetWorkerUrl } from './worker-url.js'

interface Job {
  readonly request: EncodeRequest
  readonly resolve: (encoded: Encoded) => void
  readonly reject: (error: SynclineError) => void
}

/**
 * Threads that encode row groups. Started with the first work, at most as many as given; a thread has one row group at a time, so that the
 * memory of its WebAssembly, which never shrinks, stays at what the largest one needs.
 */
export class ParquetWorkers {
  readonly #size: number
  readonly #waiting: Job[] = []
  readonly #threads = new Map<Worker, Job | undefined>()
  #ids = 0
  #closed = false

  constructor(size: number) {
    this.#size = size
  }

  /** Encodes one row group. The stream must stay as it is until then. */
  encode(work: Omit<EncodeRequest, 'id'>): Promise<Encoded> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(failed('The Parquet encoder was closed.'))
      this.#waiting.push({ request: { id: this.#ids++, ...work }, resolve, reject })
      try {
        this.#next()
      } catch (error) {
        this.#waiting.pop()
        reject(error)
      }
    })
  }

  /** Ends all threads; work that is still waiting fails. */
  async close(): Promise<void> {
    this.#closed = true
    for (const job of this.#waiting.splice(0)) job.reject(failed('The Parquet encoder was closed.'))
    await Promise.all([...this.#threads.keys()].map((thread) => thread.terminate()))
  }

  #next(): void {
    for (;;) {
      const thread = this.#waiting.length > 0 ? this.#idle() : undefined
      if (thread === undefined) return
      const job = this.#waiting.shift()!
      this.#threads.set(thread, job)
      thread.ref()
      thread.postMessage(job.request)
    }
  }

  #idle(): Worker | undefined {
    for (const [thread, job] of this.#threads) if (job === undefined) return thread
    return this.#threads.size < this.#size ? this.#start() : undefined
  }

  #start(): Worker {
    // Flags of the host (a loader, an inspector) are not for this thread.
    const thread = new Worker(parquetWorkerUrl(), { name: 'syncline-parquet', execArgv: [] })
    thread.on('message', (response: EncodeResponse) => {
      const job = this.#threads.get(thread)
      this.#threads.set(thread, undefined)
      // An idle thread does not keep the host's process alive.
      thread.unref()
      if ('error' in response) {
        job?.reject(failed(`A row group could not be encoded: ${response.error}`))
        // After a panic its memory cannot be trusted.
        this.#threads.delete(thread)
        void thread.terminate()
      } else job?.resolve(response)
      this.#next()
    })
    const ended = (cause?: Error) => {
      const job = this.#threads.get(thread)
      this.#threads.delete(thread)
      job?.reject(failed('The thread that encodes Parquet ended unexpectedly.', cause))
      if (!this.#closed) this.#next()
    }
    thread.on('error', ended)
    thread.on('exit', () => ended())
    this.#threads.set(thread, undefined)
    return thread
  }
}

function failed(message: string, cause?: Error): SynclineError {
  return new SynclineError('DESTINATION_FAILED', message, {
    phase: 'write',
    hint: 'If memory ran out, lower `blockSize` or `rowGroupRows` of the format.',
    cause,
  })
}
