import type { FusionSetup } from 'fusionize/setup'
import type { PlannerFacts } from '../../types.js'
import type { CallDag } from './call-dag.js'
import type { PlanGoal } from './goal.js'
import { type CallPlan, type PlanCallsOptions, planCalls } from './plan-calls.js'

export interface FrontPoint {
  latencyMs: number
  costPerMillionUsd: number
  setup: FusionSetup
  /** As of the plan: how far from the optimum for this budget, under the model. */
  gap: number
}

export interface ParetoFront {
  /** The fastest last; cost rises, latency falls. */
  points: FrontPoint[]
  /** Index of the knee in `points`. */
  knee: number
}

/**
 * What can be had without a goal: for budgets spread between the cheapest plan's cost and the fastest one's, the lowest percentile. The knee is the point farthest
 * below the straight line between the two ends, both axes scaled to it (Satopää et al., Kneedle, 2011).
 * @param count budgets, the ends included
 */
export function paretoFront(
  dag: CallDag,
  percentile: 'p50' | 'p95' | 'p99',
  facts: PlannerFacts,
  options: PlanCallsOptions = {},
  count = 9,
): ParetoFront {
  const reuse: PlanCallsOptions['reuse'] = { fronts: new Map(), plans: [] }
  const plan = (goal: PlanGoal): CallPlan => {
    const found = planCalls(dag, goal, facts, { ...options, reuse })
    reuse.plans.push(found)
    return found
  }
  const cheapest = plan({ minimize: 'cost' })
  const fastest = plan({ minimize: percentile })
  const [low, high] = [cheapest.figures.costPerMillionUsd, fastest.figures.costPerMillionUsd]
  const between = Array.from({ length: Math.max(0, count - 2) }, (_, i) => {
    const costPerMillionUsd = low * (high / low) ** ((i + 1) / (count - 1))
    return plan({ minimize: percentile, subjectTo: { costPerMillionUsd } })
  })
  const pointOf = ({ figures, setup, gap }: CallPlan): FrontPoint => ({
    latencyMs: figures[`${percentile}Ms`],
    costPerMillionUsd: figures.costPerMillionUsd,
    setup,
    gap,
  })
  const all = [cheapest, ...between.filter(({ feasible }) => feasible), fastest].map(pointOf)
  all.sort((a, b) => a.costPerMillionUsd - b.costPerMillionUsd || a.latencyMs - b.latencyMs)
  const points = all.filter((point, i) => all.slice(0, i).every(({ latencyMs }) => latencyMs > point.latencyMs))
  return { points, knee: kneeOf(points) }
}

/** @returns index; 0 for fewer than three points */
export function kneeOf(points: readonly Pick<FrontPoint, 'latencyMs' | 'costPerMillionUsd'>[]): number {
  const [first, last] = [points[0], points.at(-1)]
  if (!first || !last || points.length < 3) return 0
  const [width, height] = [last.costPerMillionUsd - first.costPerMillionUsd, first.latencyMs - last.latencyMs]
  const below = points.map(
    ({ latencyMs, costPerMillionUsd }) =>
      1 - (costPerMillionUsd - first.costPerMillionUsd) / width - (latencyMs - last.latencyMs) / height,
  )
  return below.indexOf(Math.max(...below))
}
