import type { Artifact } from '@fusionize/platform'
import type { FunctionSpec } from 'fusionize/setup'
import type { PassedBy } from '../emulation/passing.js'
import type { Width } from './ahead.js'
import type { Deployment } from './deployment.js'
import type { Job } from './job.js'
import { Queue } from './queue.js'
import type { Sandbox } from './sandbox.js'

/** Weight of the newest run in a pool's mean duration. */
const SMOOTHING = 0.1

/** The sandboxes of one function of one deployment, and the jobs that wait for one. */
export class Pool {
  readonly sandboxes = new Set<Sandbox>()
  /** Those with room for a job, the most recently used last. */
  readonly free: Sandbox[] = []
  readonly nested = new Queue<Job>()
  readonly outer = new Queue<Job>()
  /** Callers from outside among `outer`: what back-pressure counts. */
  waitingCallers = 0
  starting = 0
  /** Those that serve one caller over a link; of these, `revoking` are on their way back. */
  readonly lent = new Set<Sandbox>()
  revoking = 0
  /** Whom the last call came from. */
  lastCaller: Sandbox | undefined
  /** Smoothed duration of a job, ms. */
  meanMs = 100
  /** After a failed start: until when (epoch ms) no other is tried, and what its callers are told. */
  broken: { until: number; failures: number; error: string } | undefined
  /** Of functions of which sandboxes are started ahead. */
  width: Width | undefined
  readonly concurrency: number
  /** Buckets that its sandboxes evaluate themselves, for sessions leased to them. */
  readonly fused: ReadonlySet<string>
  /** Tasks to which its data goes in an emulated way; absent when there are none. */
  readonly passing: ReadonlyMap<string, PassedBy> | undefined

  constructor(
    readonly deployment: Deployment,
    readonly artifact: Artifact,
    readonly spec: FunctionSpec,
  ) {
    this.fused = new Set(spec.buckets)
    if (deployment.passing) this.passing = passedBy(spec)
    this.concurrency = Math.max(1, spec.concurrency)
  }

  get function(): string {
    return this.artifact.function
  }

  get queued(): number {
    return this.nested.size + this.outer.size
  }

  /** Jobs that no sandbox which is starting or coming back will take. */
  get unserved(): number {
    return this.queued - this.starting * this.concurrency - this.revoking
  }

  /** Callers from outside for whom no sandbox is even starting. */
  get backlog(): number {
    return this.waitingCallers - this.starting * this.concurrency
  }

  head(): Job | undefined {
    return this.nested.peek() ?? this.outer.peek()
  }

  enqueue(job: Job): void {
    if (job.nested) this.nested.push(job)
    else this.outer.push(job)
    if (countsForPressure(job)) this.waitingCallers++
  }

  next(): Job | undefined {
    const job = this.nested.shift() ?? this.outer.shift()
    if (job && countsForPressure(job)) this.waitingCallers--
    return job
  }

  takeAll(): Job[] {
    const all: Job[] = []
    for (let job = this.next(); job !== undefined; job = this.next()) all.push(job)
    return all
  }

  remove(job: Job): void {
    if ((job.nested ? this.nested : this.outer).remove(job) && countsForPressure(job)) this.waitingCallers--
  }

  finished(job: Job): void {
    this.meanMs += SMOOTHING * (Date.now() - job.arrived - this.meanMs)
  }

  /**
   * Takes a sandbox that has room: the most recently used, or the fullest where several jobs share one (BASELINES, `photons` 3).
   * @param restMs those that have rested for so long go first; where none has, the one that rested longest
   */
  takeFree(restMs: number): Sandbox | undefined {
    if (this.concurrency > 1) return this.#takeFullest()
    return restMs > 0 && this.free.length > 1 ? this.#takeRested(Date.now() - restMs) : this.free.pop()
  }

  /** @param since epoch ms */
  #takeRested(since: number): Sandbox | undefined {
    let at = this.free.length - 1
    while (at > 0 && (this.free[at] as Sandbox).idleSince > since) at--
    return this.free.splice(at, 1)[0]
  }

  #takeFullest(): Sandbox | undefined {
    let fullest: Sandbox | undefined
    for (const sandbox of this.free) if (sandbox.jobs.size >= (fullest?.jobs.size ?? 0)) fullest = sandbox
    if (fullest && fullest.jobs.size + 1 >= this.concurrency) this.leaveFree(fullest)
    return fullest
  }

  /** Sandboxes that have room for a job or soon will. */
  get roomy(): number {
    let count = 0
    for (const { jobs } of this.sandboxes) if (jobs.size < this.concurrency) count++
    return count
  }

  /** A lent sandbox in which nothing runs, as far as is known. */
  lentIdle(): Sandbox | undefined {
    for (const sandbox of this.lent) if (sandbox.jobs.size === 0 && !sandbox.revoking) return sandbox
    return undefined
  }

  release(sandbox: Sandbox): void {
    this.leaveFree(sandbox)
    this.free.push(sandbox)
  }

  leaveFree(sandbox: Sandbox): void {
    const at = this.free.lastIndexOf(sandbox)
    if (at !== -1) this.free.splice(at, 1)
  }
}

function passedBy({ passing }: FunctionSpec): Map<string, PassedBy> | undefined {
  const found = new Map<string, PassedBy>()
  for (const [task, how] of Object.entries(passing)) if (how === 'direct' || how === 'store') found.set(task, how)
  return found.size > 0 ? found : undefined
}

function countsForPressure(job: Job): boolean {
  return !job.nested && job.request.mode === 'call'
}
