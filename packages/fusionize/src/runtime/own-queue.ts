import type { HeldSend } from './protocol.js'
import { clock } from './spans.js'

/** Ms that handing work to another sandbox takes, about: what would begin here sooner stays. */
const HAND_OVER_MS = 0.15
/** Ms of the platform's own time in that: shorter work is done here before it could be given away. */
const DISPATCH_MS = 0.05
/** Ms that work may wait here for all that. */
const LONGEST_MS = 20
/** Ms after which the event loop gets a turn. */
const TURN_MS = 2
/** Weight of the newest run in a task's mean duration. */
const SMOOTHING = 0.2

/**
 * Work that triggers of this function's buckets started as invocations of their own, and that begins in this sandbox, since their data
 * is here, as soon as it is free (Pheromone, NSDI 2023, §4.2: the local scheduler). What would wait longer than a hand-over takes goes
 * to the platform.
 */
export class OwnQueue {
  private readonly waiting: HeldSend[] = []
  private readonly meanMs = new Map<string, number>()
  private turnSince = 0

  constructor(private readonly release: (sends: HeldSend[]) => void) {}

  get size(): number {
    return this.waiting.length
  }

  /** Takes work that the platform holds. @param free nothing else runs here. @returns how much of it stays */
  add(sends: readonly HeldSend[], free: boolean): number {
    let waitMs = free ? 0 : Number.POSITIVE_INFINITY
    for (const send of this.waiting) waitMs += this.costOf(send)
    const away: HeldSend[] = []
    for (const send of sends) {
      const costMs = this.costOf(send)
      if (waitMs <= (costMs < DISPATCH_MS ? LONGEST_MS : HAND_OVER_MS)) {
        this.waiting.push(send)
        waitMs += costMs
      } else away.push(send)
    }
    if (away.length > 0) this.release(away)
    return sends.length - away.length
  }

  /** Gives all away: something else runs here. */
  clear(): HeldSend[] {
    const all = this.waiting.splice(0)
    if (all.length > 0) this.release(all)
    return all
  }

  /** Calls back with the next one, at once or after the event loop had its turn. */
  next(start: (send: HeldSend) => void): void {
    const now = clock()
    if (this.turnSince === 0) this.turnSince = now
    const begin = () => {
      const send = this.waiting.shift()
      if (send) start(send)
    }
    if (now - this.turnSince < TURN_MS) {
      begin()
      return
    }
    setImmediate(() => {
      this.turnSince = clock()
      begin()
    })
  }

  /** A run of the task took this long. */
  ran(task: string, ms: number): void {
    const mean = this.meanMs.get(task)
    this.meanMs.set(task, mean === undefined ? ms : mean + SMOOTHING * (ms - mean))
  }

  /** Nothing runs here any more. */
  idle(): void {
    this.turnSince = 0
  }

  private costOf({ task }: HeldSend): number {
    return this.meanMs.get(task) ?? HAND_OVER_MS
  }
}
