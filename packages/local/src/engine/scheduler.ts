import { queueFull, tooDeep, wireText } from './failures.js'
import type { Job } from './job.js'
import type { Pool } from './pool.js'
import type { Sandbox } from './sandbox.js'

/** A job of another pool that waited this much longer, in ms, gets the room of a sandbox which is about to take its next job. */
const PATIENCE_MS = 500

export interface Limits {
  /** Load at most, in units of `weightOf`. */
  capacity: number
  weightOf(pool: Pool): number
  /** See `Facts.restMs`; 0: none needs it. */
  restMsOf(pool: Pool): number
  /** Sandboxes at most, those that wait for calls included. */
  ceiling: number
  /** Sandboxes that load at a time: more would only slow each other down. */
  startsAtOnce: number
  queueLimit: number
}

/**
 * Who runs where. Three rules keep call chains from blocking each other (docs/decisions: waiting callers are no load):
 * a sandbox whose jobs all wait for calls does not count as load; work that a sandbox waits for goes before work from outside;
 * idle sandboxes of other functions make room. When even so nothing can move, the call that needs a sandbox fails.
 */
export class Scheduler {
  #load = 0
  #count = 0
  #loading = 0
  readonly #pools = new Set<Pool>()
  /** Pools of which a sandbox is to be started before it is needed, one item a sandbox. */
  #ahead: Pool[] = []
  /** Pools with jobs that have no sandbox to wait for. */
  readonly #wanting = new Set<Pool>()

  constructor(
    readonly limits: Limits,
    /** Starts a sandbox of the pool. */
    readonly start: (pool: Pool, ahead: boolean) => void,
    /** Takes a lent sandbox back; `freed` follows. */
    readonly revoke: (sandbox: Sandbox) => void,
  ) {}

  /** Runs the job now or queues it. */
  submit(job: Job): void {
    const { pool } = job
    const sandbox = pool.takeFree(this.limits.restMsOf(pool))
    if (sandbox) {
      sandbox.run(job)
      return
    }
    if (!job.nested && job.request.mode === 'call' && pool.backlog >= this.limits.queueLimit) {
      job.answer(false, wireText(queueFull(pool, this.limits.queueLimit)))
      job.finish()
      return
    }
    pool.enqueue(job)
    this.#pools.add(pool)
    this.#wanting.add(pool)
    this.schedule()
  }

  /** Takes a queued job out. */
  withdraw(job: Job): void {
    job.pool.remove(job)
  }

  added(sandbox: Sandbox): void {
    sandbox.pool.sandboxes.add(sandbox)
    sandbox.pool.starting++
    this.#count++
    this.#loading++
    this.#load += this.limits.weightOf(sandbox.pool)
  }

  /** The process is up: another may load. */
  loaded(sandbox: Sandbox): void {
    sandbox.state = 'loaded'
    this.#loading--
    this.schedule()
  }

  /** The sandbox may take jobs. */
  ready(sandbox: Sandbox): void {
    sandbox.state = 'ready'
    sandbox.pool.starting--
    this.freed(sandbox)
  }

  /** The sandbox has room for a job. */
  freed(sandbox: Sandbox): void {
    const { pool } = sandbox
    while (sandbox.jobs.size < pool.concurrency) {
      if (this.#outranked(pool) && sandbox.jobs.size === 0) break
      const job = pool.next()
      if (job === undefined) break
      sandbox.run(job)
    }
    if (sandbox.jobs.size < pool.concurrency) {
      if (sandbox.jobs.size === 0) sandbox.idleSince = Date.now()
      pool.release(sandbox)
    }
    if (this.#wanting.size > 0) this.schedule()
  }

  /** `sandbox.waiting` changed. */
  weigh(sandbox: Sandbox): void {
    if (!sandbox.pool.sandboxes.has(sandbox)) return
    const weight = this.limits.weightOf(sandbox.pool)
    this.#load += sandbox.waiting ? -weight : weight
    if (sandbox.waiting && this.#wanting.size > 0) this.schedule()
  }

  /** The sandbox takes no more jobs; its room is free from now on, though its process may take a moment to go. */
  removed(sandbox: Sandbox): void {
    const { pool } = sandbox
    pool.leaveFree(sandbox)
    if (!pool.sandboxes.delete(sandbox)) return
    if (sandbox.state !== 'ready') pool.starting--
    if (sandbox.state === 'starting') this.#loading--
    this.#count--
    if (!sandbox.waiting) this.#load -= this.limits.weightOf(pool)
    if (pool.queued > 0) this.#wanting.add(pool)
  }

  /** Ends a sandbox in which nothing runs. */
  evict(sandbox: Sandbox): void {
    this.removed(sandbox)
    sandbox.end('idle')
  }

  /** Starts so many sandboxes of the pool as it lacks of `count` with room, where that takes nothing from others. */
  startAhead(pool: Pool, count: number): void {
    this.#pools.add(pool)
    const coming = this.#ahead.filter((other) => other === pool).length
    for (let n = pool.roomy - pool.queued + coming; n < count; n++) this.#ahead.push(pool)
    this.schedule()
  }

  /** Starts what the waiting jobs need, work that sandboxes wait for first, then the longest waiting; then what is to be started ahead. */
  schedule(): void {
    this.#serve()
    while (this.#ahead.length > 0 && this.#loading < this.limits.startsAtOnce) {
      const pool = this.#ahead.shift() as Pool
      // Without room it is too early to be of use.
      if (this.#fits(this.limits.weightOf(pool))) this.start(pool, true)
    }
  }

  #serve(): void {
    for (;;) {
      const pool = this.#neediest()
      if (pool === undefined) return
      const lent = pool.lentIdle()
      if (lent) {
        this.revoke(lent)
        continue
      }
      if (this.#loading >= this.limits.startsAtOnce) return
      if (!this.#makeRoom(pool)) {
        this.#breakDeadlock(pool)
        return
      }
      this.start(pool, false)
    }
  }

  /** Starts nothing more. @returns what waits */
  close(): Job[] {
    const waiting = [...this.#pools].flatMap((pool) => pool.takeAll())
    this.#wanting.clear()
    this.#ahead = []
    return waiting
  }

  forget(pool: Pool): void {
    this.#pools.delete(pool)
    this.#wanting.delete(pool)
    this.#ahead = this.#ahead.filter((other) => other !== pool)
  }

  #neediest(): Pool | undefined {
    let best: Pool | undefined
    for (const pool of this.#wanting) {
      if (pool.unserved <= 0) this.#wanting.delete(pool)
      else if (best === undefined || before(pool, best)) best = pool
    }
    return best
  }

  /** Whether a job elsewhere, stuck for want of room, should go before this pool's next. */
  #outranked(pool: Pool): boolean {
    if (this.#wanting.size === 0 || pool.nested.size > 0) return false
    const rival = this.#neediest()
    if (rival === undefined || rival === pool || this.#loading >= this.limits.startsAtOnce) return false
    if (this.#load + this.limits.weightOf(rival) <= this.limits.capacity) return false
    const own = pool.outer.peek()
    return own === undefined || rival.nested.size > 0 || arrival(rival) + PATIENCE_MS < own.arrived
  }

  #fits(weight: number): boolean {
    const { capacity, ceiling } = this.limits
    return (this.#load === 0 || this.#load + weight <= capacity) && this.#count < ceiling
  }

  #makeRoom(pool: Pool): boolean {
    const weight = this.limits.weightOf(pool)
    while (!this.#fits(weight)) {
      const idle = this.#longestIdle()
      if (idle === undefined) {
        this.#revokeOne()
        return false
      }
      this.evict(idle)
    }
    return true
  }

  /** A lent sandbox may be idle, too: once it is back it makes room. */
  #revokeOne(): void {
    for (const pool of this.#pools) {
      const lent = pool.lentIdle()
      if (lent) {
        this.revoke(lent)
        return
      }
    }
  }

  #longestIdle(): Sandbox | undefined {
    let oldest: Sandbox | undefined
    for (const pool of this.#pools)
      for (const sandbox of pool.free)
        if (sandbox.jobs.size === 0 && (oldest === undefined || sandbox.idleSince < oldest.idleSince)) oldest = sandbox
    return oldest
  }

  /** Every sandbox waits for calls and no more may start: without an error nothing would ever move. */
  #breakDeadlock(pool: Pool): void {
    if (this.#load > 0 || this.#loading > 0 || pool.nested.size === 0) return
    const job = pool.next()
    if (job === undefined) return
    job.answer(false, wireText(tooDeep(job, this.#count)))
    job.finish()
  }
}

function before(a: Pool, b: Pool): boolean {
  if (a.nested.size > 0 !== b.nested.size > 0) return a.nested.size > 0
  return arrival(a) < arrival(b)
}

function arrival(pool: Pool): number {
  return pool.head()?.arrived ?? Number.POSITIVE_INFINITY
}
