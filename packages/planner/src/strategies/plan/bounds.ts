import { branchAndBound, type Outcome, type Search } from './branch.js'
import type { CallDag } from './call-dag.js'
import { prunerOf } from './contexts.js'
import type { Fronts } from './fronts.js'
import { objectiveOf, overshootOf, type PlanGoal } from './goal.js'
import type { Planned } from './improve.js'
import { analyticPredictor } from './predictor.js'
import { meanOf, rulesOf } from './visit.js'

/** Bounds from relaxed fronts, which leave out what the bounds before them rule out, and so can be longer. */
export function tightened(search: Search, { figures: best }: Planned, passes: number): Outcome {
  const { dag, goal, facts, rules } = search
  let bound = branchAndBound(search, 'relax')
  for (let pass = 1; pass < passes; pass++) {
    if (bound.lowerBound >= objectiveOf(goal, best) && overshootOf(goal, best) <= 1) break
    const prune = prunerOf(dag, facts, rules, goal, bound.root as Fronts, best)
    const next = branchAndBound({ ...search, most: search.most * 2 ** pass, prune }, 'relax')
    if (next.root === undefined) return { ...bound, lowerBound: objectiveOf(goal, best) }
    bound = { ...next, lowerBound: Math.max(next.lowerBound, bound.lowerBound), labels: next.labels + bound.labels }
  }
  // What cannot be better than the known plan may have been left out.
  const reached = overshootOf(goal, best) <= 1 ? objectiveOf(goal, best) : Number.POSITIVE_INFINITY
  return { ...bound, lowerBound: Math.min(bound.lowerBound, reached) }
}

/**
 * The search for the cheapest plan of the same DAG with one scenario: the mean of all. Every rule of `visit.ts` is convex in the scenarios' times (sums, maxima),
 * so a plan's cost at the mean is at most its cost (Jensen), and with one scenario instead of many fronts can be much longer.
 */
export function averaged(search: Search, most: number): Search {
  const { dag, facts } = search
  const mean = (values: Float64Array) => Float64Array.of(meanOf(values))
  const tasks = Object.fromEntries(
    Object.entries(dag.tasks).map(([name, task]) => [
      name,
      { ...task, cpuMs: mean(task.cpuMs), waitMs: mean(task.waitMs) },
    ]),
  )
  const of: CallDag = { ...dag, tasks, scenarios: 1 }
  return { ...search, dag: of, goal: { minimize: 'cost' }, rules: rulesOf(of, facts), most, latencyCounts: false }
}

/** USD per million requests that no plan costs less than. @param known the cheapest plan known */
export function costBoundOf(search: Search, known: Planned, passes: number): number {
  const figures = analyticPredictor(search.dag, search.facts).predict(known.setup)
  return tightened(search, { ...known, figures }, passes).lowerBound
}

/** A bound of an objective that has a part of cost, from bounds of latency and of cost alone. */
export function productOf(
  goal: PlanGoal,
  costPerMillionUsd: number,
  latencyBound: (percentile: 'p50' | 'p95' | 'p99') => number,
): number {
  const { minimize } = goal
  if (minimize === 'cost') return costPerMillionUsd
  if (minimize === 'balanced') return latencyBound('p50') * costPerMillionUsd
  if (typeof minimize === 'string') return latencyBound(minimize)
  const { percentile, latencyWeight, costWeight } = minimize
  return latencyBound(percentile) ** latencyWeight * costPerMillionUsd ** costWeight
}
