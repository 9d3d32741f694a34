import { availableParallelism } from 'node:os'
import type { Transferable, Worker } from 'node:worker_threads'
import type { Channel, portChannel } from '../sandbox/channel.js'
import { createSpin, leftOver, Places } from '../sandbox/spin.js'
import type { SpinData } from '../sandbox/spin-thread.js'

/** Ms after a message from or to a thread in which the platform's own does not park. Short: clients need a core, too. */
const IDLE_MS = 0.2

/** What the option `spin` adds to threads: they wait for messages without parking, as many at a time as there are cores. */
export class SpinHost {
  /** Of every thread. */
  readonly execArgv = ['--import', new URL('../sandbox/spin-thread.js', import.meta.url).href]
  readonly #shared = new Int32Array(new SharedArrayBuffer(8))
  /** What goes from sandbox to sandbox needs this thread least: with a core less for the sandboxes it would only be in their way. */
  readonly #spin = createSpin({ idleMs: IDLE_MS, places: leftOver(this.#shared) })

  constructor(threads = availableParallelism()) {
    this.#shared[0] = threads
  }

  /** Of one thread. */
  newThread(): SpinningThread {
    const own = new Int32Array(new SharedArrayBuffer(4))
    const bell = new Int32Array(new SharedArrayBuffer(4))
    const places = new Places(this.#shared, own)
    return {
      workerData: { shared: this.#shared, own, bell } satisfies SpinData,
      end: () => places.leave(),
      belled: (worker) => ({
        on: (event, listener) => worker.on(event, listener),
        postMessage(message: unknown, transfer?: readonly Transferable[]) {
          worker.postMessage(message, transfer)
          Atomics.add(bell, 0, 1)
        },
      }),
    }
  }

  /** A message went to a thread, or came from one. */
  readonly stir = (): void => this.#spin.stir()
}

interface SpinningThread {
  workerData: SpinData
  /** The thread is gone. */
  end(): void
  /** Its port, which counts what is posted to it. */
  belled(worker: Worker): Parameters<typeof portChannel>[0]
}

/** The channel to a thread, told of what goes out. */
export function stirring(channel: Channel, stir: () => void): Channel {
  return {
    ...channel,
    post(head, parts, owned) {
      channel.post(head, parts, owned)
      stir()
    },
    postSoon(head, parts) {
      channel.postSoon(head, parts)
      stir()
    },
  }
}
