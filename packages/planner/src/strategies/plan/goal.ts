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

/** A quantile of latency that must not be above so many ms. */
export interface LatencyBound {
  share: number
  ms: number
}

/**
 * What figures must keep to be better than known ones: bounds of latency for a cost (USD per million requests), or undefined when that cost is too high already. Where
 * the known ones miss a bound of the goal, others may miss it by as much.
 */
export function betterThan(
  goal: PlanGoal,
  known: SetupFigures,
): (costPerMillionUsd: number) => LatencyBound[] | undefined {
  const { minimize, subjectTo = {} } = goal
  const missed = Math.max(1, overshootOf(goal, known))
  const shares = { p50: 0.5, p95: 0.95, p99: 0.99 } as const
  const kept = (['p50', 'p95', 'p99'] as const).flatMap((key): LatencyBound[] => {
    const ms = subjectTo[`${key}Ms`]
    return ms === undefined ? [] : [{ share: shares[key], ms: ms * missed }]
  })
  const budget = (subjectTo.costPerMillionUsd ?? Number.POSITIVE_INFINITY) * missed
  if (missed > 1) return (cost) => (cost <= budget ? kept : undefined)
  const below = objectiveOf(goal, known) * (1 - 1e-12)
  if (minimize === 'cost') return (cost) => (cost <= Math.min(budget, below) ? kept : undefined)
  const isPower = typeof minimize === 'object'
  const share = minimize === 'balanced' ? shares.p50 : shares[isPower ? minimize.percentile : minimize]
  const [latencyWeight, costWeight] = isPower
    ? [minimize.latencyWeight, minimize.costWeight]
    : [1, minimize === 'balanced' ? 1 : 0]
  if (latencyWeight === 0) return (cost) => (cost <= budget && cost ** costWeight <= below ? kept : undefined)
  return (cost) =>
    cost <= budget ? [...kept, { share, ms: (below / cost ** costWeight) ** (1 / latencyWeight) }] : undefined
}

/** Whether latency makes a difference at all. */
export function looksAtLatency({ minimize, subjectTo = {} }: PlanGoal): boolean {
  return minimize !== 'cost' || [subjectTo.p50Ms, subjectTo.p95Ms, subjectTo.p99Ms].some((ms) => ms !== undefined)
}
