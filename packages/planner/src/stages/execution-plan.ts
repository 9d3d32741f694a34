import type { Reason } from '../types.js'
import type { PlanFigures, SizedGroup, StageModel } from './model.js'
import type { StageGoal } from './types.js'

/** How data goes over an edge between groups; `payload` is the platform's own way. */
export type Passing = 'payload' | 'local' | 'direct' | 'store'

export interface PlannedGroup extends SizedGroup {
  /** Invocations that one sandbox takes at a time, from any request (`photons`); 1 elsewhere. */
  concurrency: number
  /** Sandboxes of it per request, where the plan makes them different; absent = ⌈items / bundle⌉, all alike. */
  sandboxes?: number
  /** Ms after the request's arrival at which its sandboxes are started ahead; absent = when they are needed. */
  prewarmMs?: number
}

/** What a strategy decided for a workflow: fusion, bundles, sizes, data passing, start-ups ahead (WiseFuse's execution plan). */
export interface ExecutionPlan {
  strategy: string
  groups: PlannedGroup[]
  /** All groups are one function: its first sandbox runs what is in sequence and the first items of each stage (`faastlane`). */
  merged?: boolean
  /** By edge, `from>to`; absent = `payload`. */
  passing: Record<string, Passing>
  /** What the strategy's own model says. ms, USD per request, MB·ms per request */
  predicted: { percentileMs: number; costUsd: number; mbMs: number }
  /** Whether the goal is predicted to be met; a plan that misses it is the nearest that the strategy found. */
  feasible: boolean
  reasons: Reason[]
}

/** The figures of a plan as its goal sees them. */
export function predictedOf(
  model: StageModel,
  { percentile }: StageGoal,
  figures: PlanFigures,
): ExecutionPlan['predicted'] {
  return {
    percentileMs: model.percentile(figures.latency, percentile),
    costUsd: figures.costUsd,
    mbMs: figures.mbMs,
  }
}

export function meets(goal: StageGoal, { percentileMs, costUsd }: ExecutionPlan['predicted']): boolean {
  return goal.kind === 'slo' ? percentileMs <= goal.ms : costUsd <= goal.usdPerRequest
}

/** Words for people: `Split 1000 MB, (Extract, Classify)×5 4392 MB`. */
export function wordsOf(groups: readonly SizedGroup[]): string {
  return groups
    .map(({ stages, bundle, memoryMb }) => {
      const names = stages.length === 1 ? stages[0] : `(${stages.join(', ')})`
      return `${names}${bundle > 1 ? `×${bundle}` : ''} ${memoryMb} MB`
    })
    .join(', ')
}
