import type { InvocationRecord } from 'fusionize/record'
import type { App } from 'fusionize/setup'
import type { Estimate, PlannerFacts } from '../types.js'

/** Milliseconds that are the same every time, or drawn anew every time. */
export type Draw =
  | number
  /** One of these, each as likely as the others. */
  | { values: readonly number[] }
  /** Log-normal: `sigma` is the standard deviation of the logarithm. */
  | { medianMs: number; sigma: number }
  | { meanMs: number; exponential: true }
  /** One of those of the recorded request that a simulated one follows; of all, where that has none. */
  | { byRequest: readonly (readonly number[])[] }

/**
 * What a run of a task does next. Names in one `call`, `send` or `put` step are called, sent to or put into at the same time; steps follow one
 * another.
 */
export type BehaviourStep =
  /** Ms of computing on one full core, all threads together; `threads` can share it. @default 1 thread */
  | { cpuMs: Draw; threads?: number }
  /** Ms in which nothing computes. */
  | { waitMs: Draw }
  | { call: readonly string[] }
  | { map: string; items: number }
  | { send: readonly string[] }
  /** Puts one object into each; `starts`: the tasks that triggers start because of it. Absent: each task of the bucket's triggers once. */
  | { put: readonly string[]; starts?: readonly string[] }
  /** Lanes of steps at the same time; goes on when all have ended. */
  | { parallel: readonly (readonly BehaviourStep[])[] }

/** What a task does: each run follows one of these scripts, each as likely as the others. */
export interface TaskBehaviour {
  scripts: readonly (readonly BehaviourStep[])[]
  /** By script: number of the recorded request that it is of, ascending. A simulated request follows the scripts of one of them. */
  requestOf?: readonly number[]
  /** Those of the first invocation in a sandbox, whose code is new. @default `scripts` */
  firstScripts?: readonly (readonly BehaviourStep[])[]
}

/** What an application does, whatever setup it runs in. */
export interface Behaviour {
  app: App
  /** Every task of the app. */
  tasks: Record<string, TaskBehaviour>
  /** Numbers of the recorded requests, by the task that they asked for. A simulated request follows one of these, each as likely as the others. */
  requests?: Record<string, readonly number[]>
}

/** By memory of the function, ascending. Between two sizes each quantile goes linearly in 1/memory; beyond the last the nearest holds. */
export type BySize = readonly { memoryMb: number; ms: Draw }[]

/**
 * How Linux keeps to a control group's quota (kernel/sched/fair.c, CFS bandwidth control): a core takes quota in slices, notices only at
 * its timer's ticks that there is none left, and what it ran beyond that it owes: the stop lasts until enough periods have paid for it.
 */
export interface QuotaKeeping {
  /** Between ticks of the timer. 0: noticed at once, and so nothing is owed. @default 0 */
  tickMs: number
  /** What a core takes from the quota of a period at a time. @default all of it */
  sliceMs: number
  /** What a core keeps of a slice when it has nothing more to do, be the period over or not. @default 0 */
  keepMs: number
}

/** How a sandbox is held to its share of CPU, memory / `mbPerCore` cores. */
export type CpuShare =
  /** Evenly: at 128 of 1769 MB everything takes 13.8 times as long. */
  | { kind: 'even' }
  /** Full speed until the share of each period is used up, then a stop until the next. */
  | ({ kind: 'quota'; periodMs: number } & Partial<QuotaKeeping>)
  /** Not at all. */
  | { kind: 'none' }

/** Where an application runs. */
export interface SimulatedPlatform {
  prices: PlannerFacts['prices']
  mbPerCore: number
  cpu: CpuShare
  /** Cores that a sandbox sees: it never uses more at a time. @default 6, as on AWS Lambda */
  coresPerSandbox?: number
  /** Cores that all sandboxes share (max-min fair); absent = any number. */
  nodeCores?: number
  /** Code of one sandbox that uses one thread: piece after piece, as an event loop does it, or all pieces at the same time. @default 'turns' */
  loop?: 'turns' | 'shared'
  /** Caller's wait beyond the callee's time, by memory of the caller. A call spends one half before, one after its callee; a send all before. */
  handOver: {
    call: BySize
    send: BySize
    /** By task: what calls of it, and sends to it, wait where that is known for itself. */
    callTo?: Record<string, BySize>
    sendTo?: Record<string, BySize>
    /** Probability that a hand-over is as lucky as one that leaves its invocation at the same moment: they share a connection, a core. @default 0 */
    together?: number
  }
  /** Client's wait beyond the entry's time, half before and half after. @default 0 */
  gatewayMs?: Draw
  /** Of a sandbox, before its first invocation begins. */
  startUp: BySize
  /** More of it by the size of the artifact, ms per MB beyond `functionMb`'s. @default 0 */
  startUpMsPerMb?: number
  /** Size of each function's artifact, MB. @default 0 */
  functionMb?: Record<string, number>
  /** A sandbox that was idle for longer is gone. */
  keepAliveMs: number
  /**
   * Of warm sandboxes with less than a core the one used last that has rested for so long is taken, else the one that has rested longest, where a
   * sandbox takes one invocation at a time. @default 0: the one used last
   */
  restMs?: number
  /** Sandboxes with work at a time, all functions together; what is beyond waits in the order of arrival. Absent = any number. */
  concurrencyLimit?: number
  /** A sandbox that only waits for calls does not count, and what a sandbox waits for goes first (the local platform). @default false */
  waitingIsFree?: boolean
  /** Every invocation in a sandbox of its own (load `cold`). @default false */
  forcedCold?: boolean
}

/** When requests come. Rates are requests per second. */
export type Arrivals =
  | { kind: 'steady'; rps: number; requests: number }
  | { kind: 'poisson'; rps: number; requests: number }
  /** Steps of `everySeconds` at `from`, `from + step`, … `to`, evenly spaced in each. */
  | { kind: 'burst'; from: number; to: number; step: number; everySeconds: number }
  /** Ms from the start, ascending. */
  | { kind: 'recorded'; atMs: readonly number[] }

export interface SimulationOptions {
  arrivals: Arrivals
  /** Which tasks requests ask for, and how often in proportion. @default the app's entries, equally */
  entries?: Record<string, number>
  seed: number
  /** First requests whose invocations do not count. @default 0 */
  warmUpRequests?: number
  /** Gets the record of each invocation that counts, when it ended, as the platform would write it. Slows the simulation down. */
  onRecord?: (record: InvocationRecord) => void
  /** Gets each request's latency, in the order of the replies. @param request from 0 */
  onReply?: (request: number, arrivalMs: number, latencyMs: number) => void
  /** Epoch ms of the first moment, for the records. @default 1_000_000 */
  epochMs?: number
}

/** Figures of a set of durations; percentiles within 0.4% of the true ones. */
export interface DurationFigures {
  n: number
  meanMs: number
  minMs: number
  p50Ms: number
  p95Ms: number
  p99Ms: number
  maxMs: number
}

export interface FunctionFigures {
  memoryMb: number
  invocations: number
  coldStarts: number
  /** Mean ms from handler start to end of after-reply work. */
  wallMs: number
  /** USD per million requests, all components. */
  costPerMillionUsd: number
}

/** What METRICS.md asks for, of one simulation. */
export interface SimulationResult {
  requests: number
  /** Requests without a reply when nothing more could happen: sandboxes that wait for each other under a concurrency limit. */
  stuck: number
  /** Simulated ms from the first arrival to the end of the last work. */
  lengthMs: number
  latency: DurationFigures
  entries: Record<string, DurationFigures>
  costPerMillionUsd: number
  /** Parts of it. */
  cost: { compute: number; requests: number; startup: number; gateway: number }
  /** The main figures with what chance makes of them: 95% intervals. */
  estimates: { p50Ms: Estimate; p95Ms: Estimate; p99Ms: Estimate; costPerMillionUsd: Estimate }
  invocations: number
  invocationsPerRequest: number
  coldStarts: number
  /** Cold / all invocations. */
  coldShare: number
  /** Share of requests with a start-up on the way to their reply, and its mean ms there over all requests. */
  coldRequestShare: number
  coldCriticalMs: number
  doubleBillingShare: number
  /** Invocations that waited for a sandbox, their mean wait over all invocations, and the longest queue. */
  queue: { share: number; meanMs: number; longest: number }
  /** Sandboxes with work at the same time, at most. */
  sandboxes: number
  functions: Record<string, FunctionFigures>
}
