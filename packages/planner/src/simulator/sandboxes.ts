import type { Program } from './program.js'
import { type Invocation, Pool, Sandbox } from './state.js'
import type { SimulatedPlatform } from './types.js'

/** Gives invocations sandboxes: warm ones, the last used or rested first, else new ones, as many as the limit allows; what is beyond waits. */
export class Sandboxes {
  /** Invocations that wait for a sandbox. */
  queued = 0
  longestQueue = 0
  /** Sandboxes with work at the same time, at most. */
  most = 0
  private readonly pool = new Pool((id) => new Sandbox(id))
  /** By function: sandboxes with room. */
  private readonly warm: Sandbox[][]
  private readonly limit: number
  private readonly waitingIsFree: boolean
  private readonly forcedCold: boolean
  private readonly keepAliveMs: number
  private readonly restMs: number
  /** What sandboxes wait for; all else. */
  private readonly inner = new Queue()
  private readonly outer = new Queue()
  /** Sandboxes with work, and those of them that count for the limit. */
  private busy = 0
  private load = 0
  private started = 0

  constructor(
    platform: SimulatedPlatform,
    program: Program,
    /** Lets an invocation begin, after `coldMs` unless that is -1. */
    private readonly place: (inv: Invocation, coldMs: number) => void,
    private readonly draw: (table: Float64Array) => number,
  ) {
    this.warm = program.functions.map(() => [])
    this.limit = platform.concurrencyLimit ?? Number.POSITIVE_INFINITY
    this.waitingIsFree = platform.waitingIsFree ?? false
    this.forcedCold = platform.forcedCold ?? false
    this.keepAliveMs = platform.keepAliveMs
    this.restMs = platform.restMs ?? 0
  }

  get all(): readonly Sandbox[] {
    return this.pool.all
  }

  request(inv: Invocation, now: number): void {
    // Who came before goes before.
    const queue = this.queueOf(inv)
    if (queue.first === null && this.assign(inv, now)) return
    queue.add(inv)
    if (++this.queued > this.longestQueue) this.longestQueue = this.queued
  }

  /** Lets as many of those begin that wait as there is room for. */
  admit(now: number): void {
    for (const queue of [this.inner, this.outer])
      while (queue.first && this.assign(queue.first, now, queue)) this.queued--
  }

  /** Notes whether an invocation now only waits for calls. */
  mark(inv: Invocation, now: number): void {
    const { sandbox } = inv
    const idle = inv.calling > 0 && inv.working === 0
    if (idle === inv.idleSince >= 0 || !sandbox) return
    if (idle) inv.idleSince = now
    else {
      inv.doubleMs += now - inv.idleSince
      inv.idleSince = -1
    }
    if (!this.waitingIsFree) return
    const counted = sandbox.waiting < sandbox.active
    sandbox.waiting += idle ? 1 : -1
    this.load += (sandbox.waiting < sandbox.active ? 1 : 0) - (counted ? 1 : 0)
  }

  leave(inv: Invocation, now: number): void {
    const sandbox = inv.sandbox as Sandbox
    this.mark(inv, now)
    inv.sandbox = null
    if (sandbox.waiting < sandbox.active) this.load--
    sandbox.active--
    if (sandbox.waiting < sandbox.active) this.load++
    if (sandbox.active === 0) {
      this.busy--
      sandbox.idleSince = now
      if (this.forcedCold) {
        this.pool.give(sandbox)
        return
      }
    }
    if (sandbox.listed || this.forcedCold) return
    sandbox.listed = true
    this.warm[sandbox.fn.id]?.push(sandbox)
  }

  private assign(inv: Invocation, now: number, queue?: Queue): boolean {
    const warm = this.forcedCold ? undefined : this.warmOf(inv, now)
    if (this.load >= this.limit && !(warm && warm.active > warm.waiting)) return false
    queue?.take()
    if (warm) this.enter(inv, warm, -1)
    else {
      const sandbox = this.pool.take()
      sandbox.fn = inv.fn
      sandbox.number = ++this.started
      sandbox.listed = false
      this.enter(inv, sandbox, this.draw(inv.fn.startUpMs))
    }
    return true
  }

  private warmOf({ fn }: Invocation, now: number): Sandbox | undefined {
    const list = this.warm[fn.id] as Sandbox[]
    if (this.restMs > 0 && list.length > 1 && fn.concurrency === 1 && fn.vcpus < 1) this.rested(list, now)
    for (let last = list.at(-1); last; last = list.at(-1)) {
      if (last.active > 0 || now - last.idleSince <= this.keepAliveMs) return last
      list.pop()
      last.listed = false
      this.pool.give(last)
    }
    return undefined
  }

  /** Makes the one that is to be taken the last of the list. */
  private rested(list: Sandbox[], now: number): void {
    let at = list.length - 1
    while (at > 0 && now - (list[at] as Sandbox).idleSince < this.restMs) at--
    const isGone = now - (list[at] as Sandbox).idleSince > this.keepAliveMs
    if (isGone && at < list.length - 1) at++
    list.push(...list.splice(at, 1))
  }

  private enter(inv: Invocation, sandbox: Sandbox, coldMs: number): void {
    if (sandbox.waiting < sandbox.active) this.load--
    if (sandbox.active++ === 0 && ++this.busy > this.most) this.most = this.busy
    this.load++
    if (sandbox.listed && sandbox.active === sandbox.fn.concurrency) {
      sandbox.listed = false
      this.warm[sandbox.fn.id]?.pop()
    }
    inv.sandbox = sandbox
    this.place(inv, coldMs)
  }

  private queueOf({ caller, mode }: Invocation): Queue {
    return this.waitingIsFree && caller && mode !== 'send' ? this.inner : this.outer
  }
}

/** Invocations in the order in which they came. */
class Queue {
  first: Invocation | null = null
  private last: Invocation | null = null

  add(inv: Invocation): void {
    if (this.last) this.last.next = inv
    else this.first = inv
    this.last = inv
  }

  take(): void {
    const { first } = this
    if (!first) return
    this.first = first.next
    first.next = null
    if (!this.first) this.last = null
  }
}
