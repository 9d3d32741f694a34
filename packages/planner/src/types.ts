import type { Rates } from 'fusionize/prices'
import type { App, Constraints, FusionSetup, GoalConfig, Minimize, Mode, Route, TaskName } from 'fusionize/setup'

/** A measured or computed quantity with its 95% interval. */
export interface Estimate {
  value: number
  low: number
  high: number
  /** Samples behind it. */
  n: number
}

/** What the planner needs to know of a platform (a part of the platform's facts; pure data). */
export interface PlannerFacts {
  memoryLadder: number[]
  mbPerCore: number
  cpuShareEnforced: boolean
  /** How the share is enforced, where that is by a quota of CPU time per period, ms; absent: evenly. */
  cpuQuota?: { periodMs: number; tickMs: number; sliceMs: number; keepMs: number }
  /** See `SimulatedPlatform.restMs`. */
  restMs?: number
  /** Cores that all sandboxes share; absent = any number. */
  machineCores?: number
  prices: Rates
}

/**
 * What the user wants. `minimize`: a latency percentile, the cost, or both: `balanced` minimises the product of median latency and
 * cost, so that a percent of one weighs as much as a percent of the other. `subjectTo`: upper bounds that a setup must keep to be adopted.
 */
export interface Goal extends GoalConfig {
  minimize: Minimize
}

/** One setup under one load, as METRICS.md defines the figures. */
export interface Measurement {
  requests: number
  errors: number
  p50Ms: Estimate
  p95Ms: Estimate
  p99Ms: Estimate
  /** Of the requests to each entry, by task; absent where there is one. */
  entries?: Record<TaskName, { requests: number; p50Ms: Estimate; p95Ms: Estimate; p99Ms: Estimate }>
  /** What requests took beyond the handler of their entry, as far as sessions tell: the way there, and waiting for the machine. Tenth percentile and median, ms. */
  outside?: { leastMs: number; usualMs: number }
  /** Null when the platform does not enforce CPU shares. */
  costPerMillionUsd: Estimate | null
  /** Parts of the cost, USD per million requests. */
  cost: { compute: number; requests: number; startup: number; gateway: number } | null
  coldStarts: number
  invocations: number
  invocationsPerRequest: number
  doubleBillingShare: number
}

/** Why one part of a setup is as it is, in words and with the figures behind it. */
export interface Reason {
  /** What changed: a route, a size… in the notation of the diff. */
  change: string
  why: string
}

export interface Proposal {
  setup: FusionSetup
  reasons: Reason[]
  /** One line for tables. */
  summary: string
}

/** One lap of the loop: a setup that was deployed and measured. */
export interface Round {
  id: string
  setup: FusionSetup
  strategy: string
  reasons: Reason[]
  summary: string
  measurement: Measurement
  profile: import('./profile/types.js').Profile
  /** Its requests, as a model can run them again, without those of the load's start; some of them, if they were many. */
  traces?: readonly import('./traces/types.js').RequestTrace[]
  /** The figures without the load's start, which are those of the traces; absent where that was nothing. */
  settled?: Measurement
}

export interface StrategyContext {
  app: App
  facts: PlannerFacts
  goal: Goal
  constraints: Constraints
}

/** A strategy is a pure function of what was measured so far, so a loop that was stopped goes on where it was. */
export interface Strategy {
  name: string
  /** Which paper or page it follows. */
  source: string
  /** The setup to start from. */
  first(context: StrategyContext, memory: number): Proposal
  /** The next setup to deploy and measure; null when it has converged. */
  next(history: readonly Round[], context: StrategyContext): Proposal | null
  /** The round that the strategy itself would adopt; absent = the best by the goal. */
  adopt?(history: readonly Round[], context: StrategyContext): Round | undefined
}

export interface EdgeKey {
  from: string
  to: string
  mode: Mode
  route: Route
}
