import type { Mode } from 'fusionize/setup'
import type { Characteristics } from '../characterize/types.js'
import type { Estimate, PlannerFacts } from '../types.js'

export interface AdviceOptions {
  /** Prices, sizes and cores of the platform that costs are told for. */
  facts: PlannerFacts
  /** Memory of functions whose traces do not tell it, MB; absent: no cost is told for them. */
  assumedMemoryMb?: number
  /** Requests that are kept for replays, per entry. @default 1000 */
  sampleRequests?: number
  /** Runs of all kept requests together. @default 60000 */
  sampleRuns?: number
  /**
   * How a share of a core is given: in turns, as AWS Lambda does (`quota`: brief work is as fast at every size, long work stops and goes), or as a slower
   * core (`even`). @default 'quota'
   */
  cpu?: 'quota' | 'even'
  /** Of which requests are kept, and of the intervals. @default 1 */
  seed?: number
}

/** A setup's figures by replay, as METRICS defines them. Intervals have 95%, and hold what is not known about computing. */
export interface Figures {
  p50Ms: Estimate
  p95Ms: Estimate
  /** Null when a memory is not known. */
  costPerMillionUsd: Estimate | null
  invocationsPerRequest: number
  startUpsPerRequest: number
  doubleBillingShare: number
}

export interface EntryAdvice {
  /** The task that requests begin with. */
  task: string
  requests: number
  /** Of those, the ones replayed. */
  sampled: number
  now: Figures
  fused: Figures
  /** Now less fused, of the same requests. */
  saves: { p50Ms: Estimate; p95Ms: Estimate; costPerMillionUsd: Estimate | null }
}

/**
 * `fuse`: it saves time or money and loses neither. `trade`: faster but dearer, or cheaper but slower. `keep`: nothing to gain. `unclear`: what
 * is not known decides. `after-reply`: a send that would save both in its caller's function, where the platform lets work go on after the reply.
 * `inline`: it is fused already.
 */
export type Verdict = 'fuse' | 'after-reply' | 'trade' | 'keep' | 'unclear' | 'inline'

export interface EdgeAdvice {
  from: string
  to: string
  mode: Mode
  calls: number
  callsPerRequest: number
  /** Share of the calls that left the function. */
  remoteShare: number
  /** Medians, ms: the caller's wait, the callee's run, and what is between them; absent when no call tells. */
  waitMs?: number
  runMs?: number
  handOverMs?: number
  /** Share of the remote calls that started a sandbox, of those that tell. */
  coldShare?: number
  /** Share of the calls beside others of the same caller. */
  parallelShare: number
  verdict: Verdict
  /** Mean ms that the replies of requests with this call come earlier when it alone is fused. */
  savesMs?: Estimate
  /** USD per million requests of all kinds. */
  savesPerMillionUsd?: Estimate | null
  why: string[]
}

/** Tasks that would be one function. */
export interface GroupAdvice {
  /** Whose function it is. */
  host: string
  /** The host first. */
  members: string[]
  /** The largest of its members' memories, MB; absent when none is known. */
  memoryMb?: number
  /** Requests that come through it, in the sample. */
  sampled: number
  savesMs?: Estimate
  savesPerMillionUsd?: Estimate | null
  why: string[]
}

export interface SizeAdvice {
  /** The function, which runs its task and what is inline in it. */
  function: string
  memoryMb?: number
  /** Sizes seen, with the invocations at each. */
  seen: { memoryMb: number; invocations: number }[]
  /** What is told by: two sizes, the CPU time at one, or nothing. */
  from: 'two sizes' | 'cpu time' | 'nothing'
  adviseMb?: number
  /** Mean ms of an invocation now and at the advised size. */
  nowMs?: Estimate
  thenMs?: Estimate
  /** USD per million invocations. */
  savesPerMillionUsd?: Estimate
  why: string[]
}

export interface GraphNode {
  task: string
  function: string
  runs: number
  runsPerRequest: number
  errors: number
  /** Median of the run without what it called, ms. */
  ownMs: number
}

/** What traces of an application say about how it should be cut into functions. */
export interface Advice {
  v: 1
  /** Id of the setup that the advice is about, where traces tell: the last one. */
  setup?: string
  /** Requests of that setup; all else that was seen only tells sizes. */
  requests: number
  otherRequests: number
  runs: number
  /** Epoch ms of the first and of the last arrival. */
  firstMs: number
  lastMs: number
  /** Double billing of all requests, and what is paid for it; null when a memory is not known. */
  doubleBilling: { share: Estimate; perMillionRequestsUsd: Estimate | null; unit: 'GB·s' | 's' }
  /** Sandboxes started; absent where traces do not tell. */
  startUps?: { perRequest: Estimate; requestsWith: number; medianMs?: number }
  characteristics: Characteristics
  nodes: GraphNode[]
  edges: EdgeAdvice[]
  groups: GroupAdvice[]
  sizes: SizeAdvice[]
  entries: EntryAdvice[]
  /** All requests together, each entry as often as it was seen: USD per million requests. */
  total: { nowPerMillionUsd: Estimate | null; fusedPerMillionUsd: Estimate | null; savesPerMillionUsd: Estimate | null }
  /** The fused setup in short: `(A,B)-(C)`. */
  notation: string
  /** What cannot be told from these traces, and why. */
  limits: string[]
}
