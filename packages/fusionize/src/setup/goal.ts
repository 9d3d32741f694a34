/** Bounds of latency, ms. */
export interface LatencyBounds {
  p50Ms?: number
  p95Ms?: number
  p99Ms?: number
}

/** Latency to the power of one weight times cost to the power of the other: how many percent of one a percent of the other is worth. */
export interface Weights {
  percentile: 'p50' | 'p95' | 'p99'
  latencyWeight: number
  costWeight: number
}

/** What is minimised; `balanced` is the product of median latency and cost. */
export type Minimize = 'p50' | 'p95' | 'p99' | 'cost' | 'balanced' | Weights

/** What setups are chosen for. */
export interface GoalConfig {
  minimize?: Minimize
  /** Upper bounds; `entries`: of the requests to single entries, by task. */
  subjectTo?: LatencyBounds & { costPerMillionUsd?: number; entries?: Record<string, LatencyBounds> }
}
