import type { LatencyBounds } from 'fusionize/setup'
import { weightsOf } from '../../goals.js'
import type { Goal } from '../../types.js'
import type { LatencyFigures, SetupFigures } from './predictor.js'

/** What `plan` is asked for: as any goal. */
export type PlanGoal = Goal

export function objectiveOf({ minimize }: PlanGoal, figures: SetupFigures): number {
  const { percentile, latencyWeight, costWeight } = weightsOf(minimize)
  // A power of 1 is exact, and one of 0 is 1.
  return figures[`${percentile}Ms`] ** latencyWeight * figures.costPerMillionUsd ** costWeight
}

/** The largest ratio of a figure to its bound; up to 1 the goal's bounds are kept. */
export function overshootOf({ subjectTo = {} }: PlanGoal, figures: SetupFigures): number {
  const over = (bound: number | undefined, figure: number) => (bound === undefined ? 0 : figure / bound)
  const latencies = (bounds: LatencyBounds, of: LatencyFigures) =>
    Math.max(...(['p50Ms', 'p95Ms', 'p99Ms'] as const).map((key) => over(bounds[key], of[key])))
  const entries = Object.entries(subjectTo.entries ?? {}).map(([entry, bounds]) => {
    const own = figures.entries ? figures.entries[entry] : figures
    return own ? latencies(bounds, own) : 0
  })
  return Math.max(
    latencies(subjectTo, figures),
    over(subjectTo.costPerMillionUsd, figures.costPerMillionUsd),
    ...entries,
  )
}

/** Order of figures under a goal, the best first: bounds kept or the least overshoot, then the objective. */
export function compareFigures(goal: PlanGoal): (a: SetupFigures, b: SetupFigures) => number {
  return (a, b) =>
    Math.max(1, overshootOf(goal, a)) - Math.max(1, overshootOf(goal, b)) || objectiveOf(goal, a) - objectiveOf(goal, b)
}
