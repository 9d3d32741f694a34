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
