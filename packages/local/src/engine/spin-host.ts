import { availableParallelism } from 'node:os'
import type { Channel } from '../sandbox/channel.js'
import { createSpin, Places } from '../sandbox/spin.js'

/** Ms in which the platform's thread waits for an answer without parking. For its clients it parks: they need a core, too. */
const DUE_MS = 0.1

/** What the option `spin` adds to threads: they wait for messages without parking, as many at a time as there are cores. */
export class SpinHost {
  /** Of every thread. */
  readonly execArgv = ['--import', new URL('../sandbox/spin-thread.js', import.meta.url).href]
  readonly #shared = new Int32Array(new SharedArrayBuffer(8))
  readonly #spin = createSpin({ idleMs: DUE_MS })

  constructor(threads = availableParallelism()) {
    this.#shared[0] = threads
  }

  /** Of one thread. `end` is called when it is gone. */
  newThread(): { workerData: object; end(): void } {
    const own = new Int32Array(new SharedArrayBuffer(4))
    const places = new Places(this.#shared, own)
    return { workerData: { shared: this.#shared, own }, end: () => places.leave() }
  }

  /** The thread was asked something. */
  readonly due = (): void => this.#spin.stir()
  /** A thread has said something. */
  readonly came = (): void => this.#spin.rest()
}

/** The channel to a thread, told of what goes out. */
export function stirring(channel: Channel, due: () => void): Channel {
  return {
    ...channel,
    post(head, parts, owned) {
      channel.post(head, parts, owned)
      due()
    },
    postSoon(head, parts) {
      channel.postSoon(head, parts)
      due()
    },
  }
}
