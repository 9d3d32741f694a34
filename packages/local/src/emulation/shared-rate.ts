/** Time as transfers see it; a test has its own. */
export interface Clock {
  /** ms */
  now(): number
  later(ms: number, then: () => void): void
}

export const realClock: Clock = {
  now: () => performance.now(),
  later: (ms, then) => void setTimeout(then, ms),
}

interface Flow {
  /** Bytes that every flow has moved since the start when this one is through. */
  until: number
  then: () => void
}

/** A line whose rate is shared in equal parts by all that use it at a time. */
export class SharedRate {
  readonly #flows: Flow[] = []
  /** Bytes that a flow would have moved had it been there from the start. */
  #moved = 0
  #at = 0
  /** Tells the timer that counts from those that others overtook. */
  #turn = 0

  constructor(
    readonly bytesPerMs: number,
    readonly clock: Clock,
  ) {}

  /** @param then called when the bytes are through */
  move(bytes: number, then: () => void): void {
    this.#advance()
    this.#flows.push({ until: this.#moved + bytes, then })
    this.#flows.sort((a, b) => a.until - b.until)
    this.#wait()
  }

  #advance(): void {
    const now = this.clock.now()
    if (this.#flows.length > 0) this.#moved += ((now - this.#at) * this.bytesPerMs) / this.#flows.length
    this.#at = now
  }

  #wait(): void {
    const [first] = this.#flows
    if (first === undefined) return
    const turn = ++this.#turn
    const ms = ((first.until - this.#moved) * this.#flows.length) / this.bytesPerMs
    this.clock.later(Math.max(0, ms), () => {
      if (turn !== this.#turn) return
      this.#advance()
      const through: Flow[] = []
      // Timers have whole ms.
      while (this.#flows[0] && this.#flows[0].until <= this.#moved + 1e-6) through.push(this.#flows.shift() as Flow)
      this.#wait()
      for (const { then } of through) then()
    })
  }
}
