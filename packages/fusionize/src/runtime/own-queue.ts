import type { HeldSend } from './protocol.js'
import { clock } from './spans.js'

/** Ms that handing work to another sandbox takes, about: what would begin here sooner stays. */
const HAND_OVER_MS = 0.15
/** Ms that giving away one of many takes until it begins elsewhere, about: shorter work is done here before. */
const DISPATCH_MS = 0.25
/** Ms that work may wait here for all that: what is given away all waits for one thread, the platform's. */
const LONGEST_MS = 1000
/** Ms after which the event loop gets a turn, */
const TURN_MS = 2
/** and where nobody outside knows of what begins next. */
const CHAIN_MS = 20
/** Weight of the newest run in a task's mean duration. */
const SMOOTHING = 0.5
/** A first run may take this many ms longer than all others: its code is new. */
const COLD_MS = 5
/** A run counts for so many times the mean at most: one that the machine or the garbage collector held up says little. */
const OUTLIER = 4

const none: readonly never[] = []

/**
 * Work that triggers of this function's buckets started as invocations of their own, and that begins in this sandbox, since their data
 * is here, as soon as it is free (Pheromone, NSDI 2023, §4.2: the local scheduler). What would wait longer than a hand-over takes goes
 * to the platform.
 */
export class OwnQueue {
  private readonly waiting: HeldSend[] = []
  /** By task; 0 when it has run once. */
  private readonly meanMs = new Map<string, number>()
  private turnSince = 0

  constructor(private readonly release: (sends: HeldSend[]) => void) {}

  get size(): number {
    return this.waiting.length
  }

  /** Takes work that the platform holds. @param free nothing else runs here. @returns how much of it stays */
  add(sends: readonly HeldSend[], free: boolean): number {
    if (!free) {
      this.release([...sends])
      return 0
    }
    this.waiting.push(...sends)
    return sends.length - this.trim().length
  }

  /** Gives away what would wait too long, now that more is known of what is before it. */
  trim(): readonly HeldSend[] {
    // The first stays in any case.
    if (this.waiting.length < 2) return none
    let waitMs = 0
    const away: HeldSend[] = []
    const all = this.waiting.splice(0)
    for (const send of all) {
      const costMs = this.costOf(send)
      if (waitMs <= (costMs < DISPATCH_MS ? LONGEST_MS : HAND_OVER_MS)) {
        this.waiting.push(send)
        waitMs += costMs
      } else away.push(send)
    }
    if (away.length > 0) this.release(away)
    return away
  }

  /** Runs of the task have been too short for anybody to wait for their end. */
  isBrief(task: string): boolean {
    const mean = this.meanMs.get(task)
    return mean !== undefined && mean > 0 && mean < DISPATCH_MS
  }

  /** Gives all away: something else runs here. */
  clear(): HeldSend[] {
    const all = this.waiting.splice(0)
    if (all.length > 0) this.release(all)
    return all
  }

  /** One more may begin in this turn of the event loop. */
  hasTime(): boolean {
    return this.turnSince === 0 || clock() - this.turnSince < CHAIN_MS
  }

  /** Calls back with the next one, at once or after the event loop had its turn. */
  next(start: (send: HeldSend) => void, chained = false): void {
    const now = clock()
    if (this.turnSince === 0) this.turnSince = now
    const begin = () => {
      const send = this.waiting.shift()
      if (send) start(send)
    }
    if (now - this.turnSince < (chained ? CHAIN_MS : TURN_MS)) {
      begin()
      return
    }
    setImmediate(() => {
      this.turnSince = clock()
      begin()
    })
  }

  /** A run of the task took this long. @returns what does not stay for that */
  ran(task: string, ms: number): readonly HeldSend[] {
    const mean = this.meanMs.get(task)
    let next = ms
    if (mean === undefined) next = ms < COLD_MS ? 0 : ms
    else if (mean > 0) next = mean + SMOOTHING * (Math.min(ms, OUTLIER * mean) - mean)
    this.meanMs.set(task, next)
    return next >= DISPATCH_MS && this.waiting.length > 1 ? this.trim() : none
  }

  /** Nothing runs here any more. */
  idle(): void {
    this.turnSince = 0
  }

  private costOf({ task }: HeldSend): number {
    return this.meanMs.get(task) || HAND_OVER_MS
  }
}
