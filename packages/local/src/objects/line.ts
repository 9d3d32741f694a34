import { Queue } from '../engine/queue.js'

/** Bytes that somebody needs. */
export interface Demand {
  memory: number
  disk: number
}

interface Waiting {
  demand: Demand
  enter(): void
  refuse(error: unknown): void
}

/** Who waits for room, first come, first served: nobody passes one who came before, however little he needs. */
export class Line {
  #waiting = new Queue<Waiting>()
  #memory = 0

  /**
   * @param fits whether there is room now
   * @param enter called in the moment in which one may go on
   */
  constructor(
    readonly fits: (demand: Demand) => boolean,
    readonly enter: (demand: Demand, waited: boolean) => void,
  ) {}

  get size(): number {
    return this.#waiting.size
  }

  /** Bytes of memory that all who wait need. */
  get memory(): number {
    return this.#memory
  }

  /** @returns nothing for one who need not wait */
  join(demand: Demand): Promise<void> | undefined {
    if (this.size === 0 && this.fits(demand)) {
      this.enter(demand, false)
      return undefined
    }
    this.#memory += demand.memory
    return new Promise((enter, refuse) => this.#waiting.push({ demand, enter, refuse }))
  }

  /** Lets in who fits now. */
  advance(): void {
    for (let first = this.#waiting.peek(); first && this.fits(first.demand); first = this.#waiting.peek()) {
      this.#take()
      this.enter(first.demand, true)
      first.enter()
    }
  }

  /** Sends all away. */
  refuse(error: unknown): void {
    while (this.size > 0) this.#take().refuse(error)
  }

  #take(): Waiting {
    const first = this.#waiting.shift() as Waiting
    this.#memory -= first.demand.memory
    return first
  }
}
