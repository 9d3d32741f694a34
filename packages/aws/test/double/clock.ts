/** Stops a timer that has not fired. */
export type Cancel = () => void

interface Timer {
  dueMs: number
  run: () => void
}

/** The double's own time: that of the machine, until a test moves it forward. */
export class Clock {
  #offsetMs = 0
  #timers: Timer[] = []
  #wake: NodeJS.Timeout | undefined

  /** Epoch ms. */
  now(): number {
    return Date.now() + this.#offsetMs
  }

  date(): Date {
    return new Date(this.now())
  }

  /** Runs `run` when `ms` of the double's time have passed. */
  after(ms: number, run: () => void): Cancel {
    const timer: Timer = { dueMs: this.now() + ms, run }
    this.#timers.push(timer)
    this.#arm()
    return () => {
      this.#timers = this.#timers.filter((x) => x !== timer)
      this.#arm()
    }
  }

  /** Moves time forward; what becomes due runs at once, in order. */
  advance(ms: number): void {
    const target = this.now() + ms
    for (let due = this.#first(); due && due.dueMs <= target; due = this.#first()) {
      this.#offsetMs += Math.max(0, due.dueMs - this.now())
      this.#fire(due)
    }
    this.#offsetMs += Math.max(0, target - this.now())
    this.#arm()
  }

  stop(): void {
    this.#timers = []
    clearTimeout(this.#wake)
  }

  #first(): Timer | undefined {
    return this.#timers.reduce<Timer | undefined>((a, b) => (a && a.dueMs <= b.dueMs ? a : b), undefined)
  }

  #arm(): void {
    clearTimeout(this.#wake)
    const first = this.#first()
    if (!first) return
    const waitMs = Math.min(Math.max(0, first.dueMs - this.now()), 2 ** 31 - 1)
    this.#wake = setTimeout(() => {
      for (let due = this.#first(); due && due.dueMs <= this.now(); due = this.#first()) this.#fire(due)
      this.#arm()
    }, waitMs)
    this.#wake.unref()
  }

  #fire(timer: Timer): void {
    this.#timers = this.#timers.filter((x) => x !== timer)
    timer.run()
  }
}
