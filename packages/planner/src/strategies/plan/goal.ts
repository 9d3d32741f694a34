import type { Goal } from '../../types.js'
import type { SetupFigures } from './predictor.js'

/** What `plan` minimises: as any goal, or latency to the power of one weight times cost to the power of the other. */
export type PlanGoal =
  | Goal
  | (Omit<Goal, 'minimize'> & {
      minimize: { percentile: 'p50' | 'p95' | 'p99'; latencyWeight: number; costWeight: number }
    })

export function objectiveOf({ minimize }: PlanGoal, figures: SetupFigures): number {
  if (minimize === 'cost') return figures.costPerMillionUsd
  if (minimize === 'balanced') return figures.p50Ms * figures.costPerMillionUsd
  if (typeof minimize === 'string') return figures[`${minimize}Ms`]
  const { percentile, latencyWeight, costWeight } = minimize
  return figures[`${percentile}Ms`] ** latencyWeight * figures.costPerMillionUsd ** costWeight
}

/** The largest ratio of a figure to its bound; up to 1 the goal's bounds are kept. */
export function overshootOf({ subjectTo = {} }: PlanGoal, figures: SetupFigures): number {
  const keys = ['p50Ms', 'p95Ms', 'p99Ms', 'costPerMillionUsd'] as const
  return Math.max(0, ...keys.map((key) => (subjectTo[key] === undefined ? 0 : figures[key] / subjectTo[key])))
}

/** Order of figures under a goal, the best first: bounds kept or the least overshoot, then the objective. */
export function compareFigures(goal: PlanGoal): (a: SetupFigures, b: SetupFigures) => number {
  return (a, b) =>
    Math.max(1, overshootOf(goal, a)) - Math.max(1, overshootOf(goal, b)) || objectiveOf(goal, a) - objectiveOf(goal, b)
}
