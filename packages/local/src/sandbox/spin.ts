export interface SpinOptions {
  /** Takes one message if there is any, and says whether. Without it the event loop alone looks for messages. */
  poll?: () => boolean
  /** Told when polls begin and when there will be none for a while. @returns whether a message was taken after the last poll */
  setPolled?: (polls: boolean) => boolean
  /** Ms after the last message in which the thread does not park. */
  idleMs: number
  /** Ms that a poll may keep the thread's own events waiting: timers, sockets, what tasks await. @default 0 */
  burstMs?: number
  /** Of the threads that spin. */
  places?: Turnstile
}

/** Decides whether a thread may spin. */
export interface Turnstile {
  enter(): boolean
  leave(): void
  /** Whether a thread that found nothing for `idleMs` has to go. */
  isWanted(idleMs: number): boolean
}

export interface Spin {
  /** A message came, or is due. */
  stir(): void
}

/**
 * Keeps this thread from parking for a while: to wake it takes longer than most of what it is woken for. Costs a core as long as it lasts,
 * and nothing afterwards.
 */
export function createSpin({ poll = () => false, setPolled, idleMs, burstMs = 0, places }: SpinOptions): Spin {
  let last = 0
  let turning = false
  /** Until then others need the core. */
  let pausedUntil = 0
  /** Ms that the system took lately, and until when that was counted. */
  let lostMs = 0
  let countedUntil = 0
  const interrupted = (from: number, now: number) => {
    lostMs = Math.max(0, lostMs - (from - countedUntil) * LOST_SHARE) + now - from
    countedUntil = now
    if (lostMs > LOST_MS) pausedUntil = now + PAUSE_MS
  }
  const turn = () => {
    const began = performance.now()
    let now = began
    let taken = poll()
    while (!taken && now - began < burstMs) {
      const before = now
      taken = poll()
      now = performance.now()
      if (now - before > INTERRUPTED_MS) interrupted(before, now)
    }
    // What a message sets off runs when this function ends.
    if (taken) last = now
    if (now - last < idleMs && now >= pausedUntil && !places?.isWanted(now - last)) {
      setImmediate(turn)
      return
    }
    turning = false
    places?.leave()
    if (setPolled?.(false)) stir()
  }
  const stir = () => {
    last = performance.now()
    if (turning || last < pausedUntil || places?.enter() === false) return
    turning = true
    setPolled?.(true)
    setImmediate(turn)
  }
  return { stir }
}

/** Ms between two polls that only the system can have taken: it let something else run. */
const INTERRUPTED_MS = 0.3
/** A share of its time, and ms beyond it at once, that a thread may lose so: on a machine shared with others it always loses some. */
const LOST_SHARE = 0.1
const LOST_MS = 2
/** Ms that a thread parks when it has lost more. To spin against what has work to do would slow both. */
const PAUSE_MS = 20

/** Ms without a message after which a thread gives its place to one that wants it. */
const KEEP_MS = 0.2

/**
 * How many threads spin at a time: more than there are cores would only take them from each other, milliseconds at a time. Those beyond
 * park, and get the places of threads that find nothing.
 */
export class Places implements Turnstile {
  constructor(
    /** Free places, and whether somebody wants one. */
    readonly shared: Int32Array,
    /** Whether this thread has one: whoever ends the thread gives it back. */
    readonly own: Int32Array,
  ) {}

  /** @returns false when there is none */
  enter(): boolean {
    if (Atomics.sub(this.shared, 0, 1) > 0) {
      Atomics.store(this.own, 0, 1)
      return true
    }
    Atomics.add(this.shared, 0, 1)
    Atomics.store(this.shared, 1, 1)
    return false
  }

  leave(): void {
    if (Atomics.exchange(this.own, 0, 0) === 1) Atomics.add(this.shared, 0, 1)
  }

  isWanted(idleMs: number): boolean {
    return idleMs > KEEP_MS && Atomics.load(this.shared, 1) === 1 && Atomics.exchange(this.shared, 1, 0) === 1
  }
}

/** For the thread that needs it least: it spins while there are more places than others have taken, and takes none. */
export function leftOver(shared: Int32Array): Turnstile {
  const isFree = () => Atomics.load(shared, 0) > 0
  return { enter: isFree, leave: () => {}, isWanted: () => !isFree() }
}
