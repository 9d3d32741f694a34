import type { Mode, Route } from 'fusionize/setup'
import type { Distribution } from '../statistics/distribution.js'
import type { Pairs } from '../statistics/pairs.js'

/** Own time of runs whose CPU was sampled, taken apart. Of runs that kept several threads busy, CPU counts each. */
export interface ThreadProfile {
  /** CPU of a run, all threads together. */
  cpuMs: Distribution
  /** Own time less what the threads computed each. */
  waitMs: Distribution
}

/** One task at one memory size. */
export interface SizeProfile {
  runs: number
  /** Own time of a run: without the time in which calls that it made are open. ms */
  ownMs: Distribution
  /** Sum of own time, each instant shared among the runs that were at work in the invocation then. ms */
  workMs: number
  /** In sampled invocations that had their process to themselves: own CPU ms, and the own time of the same runs. */
  cpuMs: number
  cpuOwnMs: number
  cpuRuns: number
  /** Of the same runs, and of those in a pool, by threads that were busy: with it, or, in a pool, beside each other; absent when no CPU was sampled. */
  threads?: Record<string, ThreadProfile>
}

export interface TaskProfile {
  runs: number
  errors: number
  /** By memory of the function that ran it, MB. */
  sizes: Record<string, SizeProfile>
}

export interface EdgeProfile {
  from: string
  to: string
  mode: Mode
  route: Route
  calls: number
  /** Of `calls`, those that a bucket's trigger made because `from` put last, by bucket; absent when none. */
  buckets?: Record<string, number>
  errors: number
  /** Calls during which another call of the same caller was open. */
  parallel: number
  /** How often a call to a target (`mode task`) of the same caller was in the same unbroken stretch of open calls. */
  beside: Record<string, number>
  /**
   * Times of two calls that were open at the same time, this edge's first, by target of the other (`mode task`): one pair a stretch. Of two edges the
   * first by name has it. Absent when there are none.
   */
  together?: Record<string, Pairs>
  /** Caller's wait: until the result (call, map) or until the hand-over is done (send). Inline sends, and what buckets start: 0. ms */
  waitMs: Distribution
  /** Sum of the wait, each instant shared among the calls that the caller had open then: what the calls added to it. ms */
  addedMs: number
  /** Remote calls: wait minus the callee's time to its reply, warm callees. Sends: the wait. By memory of the caller, MB. */
  overheadMs: Record<string, Distribution>
  /** Bytes handed over (of a call both ways) and the ms of `overheadMs`, likewise; absent when there are none. */
  handOver?: Record<string, Pairs>
  bytesIn: Distribution
  bytesOut: Distribution
}

export interface FunctionProfile {
  function: string
  memory: number
  invocations: number
  errors: number
  /** Handler start to end of after-reply work, ms. */
  wallMs: Distribution
  /** Handler start to reply, ms. */
  replyMs: Distribution
  /** Reply to end of after-reply work, ms. */
  afterMs: Distribution
  coldStarts: number
  /** Those of `coldStarts` that the load asked for, and those before any request needed them. */
  forcedColdStarts: number
  prewarmedColdStarts: number
  coldMs: Distribution
  /** Requests in a sandbox at the same time, at most. */
  concurrent: number
  peakMb: number
}

/** What one task put into a bucket. */
export interface PutProfile {
  /** Runs that put something. */
  runs: number
  puts: number
  bytes: number
}

/** What the triggers of a bucket started: one task by one route. */
export interface FiringProfile {
  to: string
  /** `inline`: by a function that evaluates the bucket itself, in the same invocation. */
  route: Route
  firings: number
  /** Objects of a firing, and their size. */
  objects: Distribution
  bytes: Distribution
  /** From the put, the time or the end of the session that completed the firing to the start of the run. ms */
  waitMs: Distribution
}

export interface BucketProfile {
  /** By the task that put. */
  puts: Record<string, PutProfile>
  /** By `firingKey`. */
  firings: Record<string, FiringProfile>
}

/** What is known of an application's behaviour; plain data, mergeable, of a size that does not grow with the requests seen. */
export interface Profile {
  v: 1
  /** Invocations that no task and no bucket started. */
  requests: number
  /** Epoch ms of the first and of the last of them; 0 when there is none. */
  firstRequest: number
  lastRequest: number
  records: number
  /** Records of attempts after the first. */
  retries: number
  /** Records of an attempt that had been seen: left out. */
  duplicates: number
  /** Records that came after their trace was closed: their times count, their links to other records are lost. */
  late: number
  /** Remote calls whose callee never reported, and callees (what a bucket started among them) whose caller never did. */
  unmatched: number
  /** Traces with every record that their records point to, and those closed without. */
  traces: { complete: number; incomplete: number }
  tasks: Record<string, TaskProfile>
  /** By `edgeKey`. */
  edges: Record<string, EdgeProfile>
  /** By `function@memory`. */
  functions: Record<string, FunctionProfile>
  /** Bytes of the function's code and ms of a start-up, by memory, MB; absent where the monitor was not told of any bytes. */
  startUps?: Record<string, Pairs>
  /** By name; absent when nothing was put or started. */
  buckets?: Record<string, BucketProfile>
}

/** Key of an edge in `Profile.edges`. */
export function edgeKey(from: string, to: string, mode: Mode, route: Route): string {
  return `${from}>${to} ${mode} ${route}`
}

/** Key of what a bucket started in `BucketProfile.firings`. */
export function firingKey(to: string, route: Route): string {
  return `${to} ${route}`
}
