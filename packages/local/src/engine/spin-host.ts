import { availableParallelism } from 'node:os'
import type { Channel } from '../sandbox/channel.js'
import { createSpin, leftOver, Places } from '../sandbox/spin.js'

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

  /** Of one thread. `end` is called when it is gone. */
  newThread(): { workerData: object; end(): void } {
    const own = new Int32Array(new SharedArrayBuffer(4))
    const places = new Places(this.#shared, own)
    return { workerData: { shared: this.#shared, own }, end: () => places.leave() }
  }

  /** A message went to a thread, or came from one. */
  readonly stir = (): void => this.#spin.stir()
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
