import type { TaskName } from 'fusionize/setup'
import { branchAndBound, type Outcome, type Search } from './branch.js'
import type { CallDag, CallTask } from './call-dag.js'
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
 * The same DAG with one scenario: the mean of all. Every rule of `visit.ts` is convex in the scenarios' times (sums, maxima), so a plan's cost at the mean is at
 * most its cost (Jensen).
 */
export function averaged(dag: CallDag): CallDag {
  const mean = (values: Float64Array) => Float64Array.of(meanOf(values))
  const tasks = Object.entries(dag.tasks).map(([name, task]): [TaskName, CallTask] => [
    name,
    { ...task, cpuMs: mean(task.cpuMs), waitMs: mean(task.waitMs) },
  ])
  return { ...dag, tasks: Object.fromEntries(tasks), scenarios: 1 }
}

/**
 * USD per million requests that no plan costs less than: the least at the mean, where fronts are shorter and can be kept longer.
 * @param known the cheapest plan known
 * @param most labels of a front
 */
export function costBoundOf(search: Search, { setup }: Planned, most: number, passes: number): number {
  const { facts } = search
  const dag = averaged(search.dag)
  const known = { setup, figures: analyticPredictor(dag, facts).predict(setup) }
  const goal: PlanGoal = { minimize: 'cost' }
  const { reuse: _, ...rest } = search
  const atMean = { ...rest, dag, goal, rules: rulesOf(dag, facts), most, latencyCounts: false }
  return tightened(atMean, known, passes).lowerBound
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
