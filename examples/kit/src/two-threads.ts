import { setImmediate as othersFirst } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { spin } from './kernels.js'

/** Which thread did how many slices. */
export interface Shares {
  own: number
  helped: number
}

/** Counters of a pile, shared by both threads. */
const taken = 0
const done = 1

/** CPU that starting a thread costs (about 25 ms, and 9 MB for as long as it lives). */
const startCostMs = 25

/** CPU ms that were done alone so far. */
let aloneMs = 0
let helper: Helper | undefined

/**
 * Works off a pile of equal slices on two threads: the caller's, which lets other work pass between slices, and one helper. Both take
 * slices until none is left, so a helper that is late or still starting holds nobody up.
 *
 * The helper is started once it would have paid for itself (work done alone has lost half its time to the missing thread): never in a
 * sandbox that serves a few requests, soon in a busy one. It stays for the sandbox's life and does not keep the process alive.
 */
export async function share(slices: number, sliceMs: number, iterations: number): Promise<Shares> {
  if (helper === undefined && aloneMs / 2 >= startCostMs) helper = new Helper()
  const second = helper
  const pile = new Int32Array(new SharedArrayBuffer(8))
  const job = second?.give(pile, slices, iterations)
  let own = 0
  while (Atomics.add(pile, taken, 1) < slices) {
    spin(iterations)
    own++
    Atomics.add(pile, done, 1)
    await othersFirst()
  }
  aloneMs += own * sliceMs
  if (job !== undefined && Atomics.load(pile, done) < slices) await second?.end(job)
  return { own, helped: slices - own }
}

/** Whoever finishes the last slice ends the job: the helper by a message, the caller by seeing it. */
const helperSource = `
const { parentPort } = require('node:worker_threads')
const spin = ${spin.toString()}
parentPort.on('message', ({ job, pile, slices, iterations }) => {
  while (Atomics.add(pile, ${taken}, 1) < slices) {
    spin(iterations)
    if (Atomics.add(pile, ${done}, 1) === slices - 1) parentPort.postMessage(job)
  }
})`

class Helper {
  // From source text, so that it also works inside a one-file bundle.
  readonly #worker = new Worker(helperSource, { eval: true, env: {}, execArgv: [] })
  readonly #waiting = new Map<number, { resolve: () => void; reject: (error: Error) => void }>()
  #lastJob = 0
  #failure: Error | undefined

  constructor() {
    this.#worker.on('message', (job: number) => this.#waiting.get(job)?.resolve())
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', () => this.#fail(new Error('the helper thread ended')))
    this.#worker.unref()
  }

  give(pile: Int32Array, slices: number, iterations: number): number {
    const job = ++this.#lastJob
    this.#worker.postMessage({ job, pile, slices, iterations })
    return job
  }

  /** Resolves when the helper has finished its last slice of a job that is not finished yet. */
  async end(job: number): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    this.#worker.ref()
    try {
      await new Promise<void>((resolve, reject) => this.#waiting.set(job, { resolve, reject }))
    } finally {
      this.#waiting.delete(job)
      if (this.#waiting.size === 0) this.#worker.unref()
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error
    if (helper === this) helper = undefined
    for (const { reject } of this.#waiting.values()) reject(this.#failure)
  }
}
