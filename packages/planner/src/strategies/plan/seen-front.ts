import { kneeOf } from './pareto.js'
import type { SeenPlan, SeenPlanner } from './plan-seen.js'
import type { SetupFigures } from './predictor.js'

export interface SeenFront {
  /** The fastest last; cost rises, latency falls. */
  points: SeenPlan[]
  /** Index of the knee in `points`. */
  knee: number
}

/**
 * What can be had of an application that was seen when no goal is given: for budgets spread between the cheapest plan's cost and the fastest one's, the lowest
 * percentile; plans that another one beats in both are left out.
 * @param count budgets, the ends included
 */
export function frontOf(planner: SeenPlanner, percentile: 'p50' | 'p95' | 'p99', count = 9): SeenFront {
  const cheapest = planner.plan({ minimize: 'cost' }, 'quick')
  const fastest = planner.plan({ minimize: percentile }, 'quick')
  const costOf = ({ figures }: { figures: SetupFigures }) => figures.costPerMillionUsd
  const latencyOf = ({ figures }: { figures: SetupFigures }) => figures[`${percentile}Ms`]
  const [low, high] = [costOf(cheapest), costOf(fastest)]
  const between = Array.from({ length: high > low ? Math.max(0, count - 2) : 0 }, (_, i) =>
    planner.plan(
      { minimize: percentile, subjectTo: { costPerMillionUsd: low * (high / low) ** ((i + 1) / (count - 1)) } },
      'quick',
    ),
  )
  const all = [cheapest, ...between.filter(({ feasible }) => feasible), fastest]
  all.sort((a, b) => costOf(a) - costOf(b) || latencyOf(a) - latencyOf(b))
  const points = all.filter((point, i) => all.slice(0, i).every((other) => latencyOf(other) > latencyOf(point)))
  return {
    points,
    knee: kneeOf(points.map((point) => ({ latencyMs: latencyOf(point), costPerMillionUsd: costOf(point) }))),
  }
}
