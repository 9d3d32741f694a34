import { Event } from './events.js'
import type { EventHeap } from './heap.js'
import { Quota } from './quota.js'
import type { Frame, Sandbox } from './state.js'
import type { SimulatedPlatform } from './types.js'

/** Below this, work is done: a ns. Sums of times have rounding errors of this order after ten days. */
const NOTHING_MS = 1e-6

/**
 * Shares cores among what computes. In a sandbox: max-min fair up to the threads that each piece can use, pieces of an event loop one after
 * another. Among sandboxes: each up to its share; when the node has not enough for all, max-min fair. Between two events all rates are constant,
 * so times are exact.
 */
export class Cpu {
  private readonly quota: Quota | null
  private readonly nodeCores: number
  private readonly cores: number
  /** Sandboxes that compute, on a node with a number of cores. */
  private readonly computing: Sandbox[] = []
  private saturated = false

  constructor(
    platform: SimulatedPlatform,
    private readonly heap: EventHeap,
    random: () => number,
    /** Goes on with a frame whose work is done. */
    private readonly done: (frame: Frame) => void,
  ) {
    this.nodeCores = platform.nodeCores ?? Number.POSITIVE_INFINITY
    this.cores = Math.min(platform.coresPerSandbox ?? 6, this.nodeCores)
    this.quota = platform.cpu.kind === 'quota' ? new Quota(platform.cpu, random) : null
  }

  /** A sandbox begins: its periods do not begin when others' do. */
  reset(sandbox: Sandbox, now: number): void {
    sandbox.settledAt = now
    sandbox.due = Number.POSITIVE_INFINITY
    this.quota?.reset(sandbox, sandbox.fn.vcpus, now)
  }

  /** When a sandbox that has nothing more to compute can take something else. */
  freeAt(sandbox: Sandbox, now: number): number {
    return this.quota && sandbox.jobs.length === 0 ? this.quota.paidAt(sandbox, now) : now
  }

  /** @param workMs core ms */
  add(frame: Frame, workMs: number, threads: number, now: number): void {
    const sandbox = frame.inv.sandbox as Sandbox
    frame.restMs = workMs
    frame.threads = threads
    if (threads === 1 && sandbox.fn.takesTurns) {
      if (sandbox.loopBusy) {
        if (sandbox.turnsLast) sandbox.turnsLast.next = frame
        else sandbox.turns = frame
        sandbox.turnsLast = frame
        return
      }
      sandbox.loopBusy = true
    }
    this.settle(sandbox, now)
    if (sandbox.jobs.length === 0) this.quota?.wake(sandbox, now)
    sandbox.jobs.push(frame)
    this.share(sandbox, now)
  }

  /** The time has come for which the sandbox was due. */
  at(sandbox: Sandbox, now: number): void {
    if (sandbox.due !== now) return
    sandbox.due = Number.POSITIVE_INFINITY
    this.settle(sandbox, now)
    const { jobs } = sandbox
    let first: Frame | null = null
    let last: Frame | null = null
    let kept = 0
    for (const job of jobs) {
      if (job.restMs > NOTHING_MS && now + job.restMs / job.rate > now) {
        jobs[kept++] = job
        continue
      }
      if (last) last.next = job
      else first = job
      last = job
    }
    // Setting the length to 0 would give the memory away.
    while (jobs.length > kept) jobs.pop()
    if (sandbox.fn.takesTurns && first) this.nextTurn(sandbox, first)
    if (jobs.length === 0) this.quota?.rest(sandbox, now)
    else this.quota?.check(sandbox, now)
    this.share(sandbox, now)
    while (first) {
      const { next }: Frame = first
      first.next = null
      this.done(first)
      first = next
    }
  }

  /** The piece that had the loop is done: the next has its turn. */
  private nextTurn(sandbox: Sandbox, done: Frame): void {
    for (let frame: Frame | null = done; frame; frame = frame.next)
      if (frame.threads === 1) {
        const turn = sandbox.turns
        if (!turn) {
          sandbox.loopBusy = false
          return
        }
        sandbox.turns = turn.next
        if (!turn.next) sandbox.turnsLast = null
        turn.next = null
        sandbox.jobs.push(turn)
        return
      }
  }

  private settle(sandbox: Sandbox, now: number): void {
    const dt = now - sandbox.settledAt
    if (dt > 0) {
      const { jobs } = sandbox
      for (let i = 0; i < jobs.length; i++) {
        const job = jobs[i] as Frame
        job.restMs -= job.rate * dt
      }
      this.quota?.use(sandbox, sandbox.rate * dt, now)
      sandbox.settledAt = now
    }
    this.quota?.refill(sandbox, now)
  }

  /** Sets the rates anew after the sandbox's jobs or its quota have changed. */
  private share(sandbox: Sandbox, now: number): void {
    if (this.nodeCores === Number.POSITIVE_INFINITY) {
      sandbox.supply = this.demandOf(sandbox)
      this.setRates(sandbox)
      this.setDue(sandbox, now)
      return
    }
    this.enlist(sandbox)
    let demand = 0
    for (const other of this.computing) demand += this.demandOf(other)
    const saturated = demand > this.nodeCores
    if (!saturated && !this.saturated) {
      sandbox.supply = this.demandOf(sandbox)
      this.setRates(sandbox)
      this.setDue(sandbox, now)
      return
    }
    this.saturated = saturated
    for (const other of this.computing) this.settle(other, now)
    this.shareNode(demand)
    for (const other of this.computing) {
      this.setRates(other)
      this.setDue(other, now)
    }
    if (sandbox.place >= 0) return
    this.setRates(sandbox)
    this.setDue(sandbox, now)
  }

  private enlist(sandbox: Sandbox): void {
    const { computing } = this
    const wanted = sandbox.jobs.length > 0
    if (wanted && sandbox.place < 0) sandbox.place = computing.push(sandbox) - 1
    else if (!wanted && sandbox.place >= 0) {
      const last = computing.pop() as Sandbox
      if (last !== sandbox) {
        computing[sandbox.place] = last
        last.place = sandbox.place
      }
      sandbox.place = -1
    }
  }

  /** Max-min fair: who wants less than an equal share gets it all, the others share the rest. */
  private shareNode(demand: number): void {
    const { computing } = this
    if (demand <= this.nodeCores) {
      for (const sandbox of computing) sandbox.supply = this.demandOf(sandbox)
      return
    }
    const level = levelOf(
      computing.map((sandbox) => this.demandOf(sandbox)),
      this.nodeCores,
    )
    for (const sandbox of computing) sandbox.supply = Math.min(level, this.demandOf(sandbox))
  }

  /** Cores that a sandbox would use if nobody else was there. */
  private demandOf(sandbox: Sandbox): number {
    const { jobs } = sandbox
    if (sandbox.stopped) return 0
    const limit = this.quota ? this.cores : sandbox.fn.vcpus
    let threads = 0
    for (let i = 0; i < jobs.length; i++) threads += (jobs[i] as Frame).threads
    return threads < limit ? threads : limit
  }

  private setRates(sandbox: Sandbox): void {
    const { jobs, supply } = sandbox
    sandbox.rate = jobs.length === 0 ? 0 : supply
    if (jobs.length === 1) {
      ;(jobs[0] as Frame).rate = supply
      return
    }
    if (jobs.length === 0) return
    const level = levelOf(
      jobs.map((job) => job.threads),
      supply,
    )
    for (const job of jobs) job.rate = Math.min(level, job.threads)
  }

  private setDue(sandbox: Sandbox, now: number): void {
    const { jobs } = sandbox
    let due = Number.POSITIVE_INFINITY
    for (let i = 0; i < jobs.length; i++) {
      const job = jobs[i] as Frame
      if (job.rate > 0) due = Math.min(due, now + Math.max(0, job.restMs) / job.rate)
    }
    if (this.quota && jobs.length > 0) due = Math.min(due, this.quota.nextCheck(sandbox, now))
    if (due === sandbox.due) return
    sandbox.due = due
    if (due !== Number.POSITIVE_INFINITY) this.heap.push(due, sandbox.id * 8 + Event.CPU)
  }
}

/** The share of those that want more than it, when all together want at least `supply`; Infinity when all can have what they want. */
function levelOf(wants: number[], supply: number): number {
  wants.sort((a, b) => a - b)
  let left = supply
  for (let i = 0; i < wants.length; i++) {
    const level = left / (wants.length - i)
    if ((wants[i] as number) >= level) return level
    left -= wants[i] as number
  }
  return Number.POSITIVE_INFINITY
}
