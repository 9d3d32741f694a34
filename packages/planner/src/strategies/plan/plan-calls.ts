import type { FusionSetup } from 'fusionize/setup'
import type { PlannerFacts, Reason } from '../../types.js'
import { costBoundOf, productOf, tightened } from './bounds.js'
import { branchAndBound, type Outcome, type Search } from './branch.js'
import type { CallDag } from './call-dag.js'
import { prunerOf } from './contexts.js'
import { decisionsOf, setupOf } from './decisions.js'
import { explain } from './explain.js'
import type { Fronts } from './fronts.js'
import { compareFigures, looksAtLatency, objectiveOf, overshootOf, type PlanGoal } from './goal.js'
import { improved, type Planned } from './improve.js'
import { noLimits, type PlanLimits } from './limits.js'
import { analyticPredictor, figuresOf, type Predictor, type SetupFigures } from './predictor.js'
import { rulesOf } from './visit.js'

/** Defaults of the search over call DAGs. */
export const planCallsDefaults = {
  /** Tasks up to which fronts are kept whole, so that the optimum is proved. */
  exactTasks: 12,
  /** Length of a front beyond that. */
  most: 16,
  /** Branches over shared functions. */
  maxBranches: 64,
  /** Best plans that another predictor judges. */
  shortlist: 20,
  /** Steps tried around the best plan of short fronts. */
  tries: 5000,
  /** Rounds of bounding, each with longer fronts. */
  passes: 3,
  passesBeyond: 2,
  /** Length of a front with one scenario. */
  mostAveraged: 64,
  /** Gap that needs no further bound. */
  enough: 0.05,
  /** Length of a front, and part plans looked at, at which even a small DAG is not searched whole. */
  mostExact: 8000,
  mostWork: 3_000_000,
} as const

export interface PlanCallsOptions {
  limits?: PlanLimits
  /** Judges the best plans found; the search itself composes them by the rules of `visit.ts`. */
  predictor?: Predictor
  exactTasks?: number
  most?: number
  maxBranches?: number
  /** Whether the plan is proved, or bounded; false: several times as fast, and `gap` is mostly infinite. @default true */
  proof?: boolean
  /** What searches of the same DAG under the same options, for other goals, have found; this one adds its fronts. */
  reuse?: { fronts: Map<string, Fronts>; plans: Planned[] }
}

export interface CallPlan {
  setup: FusionSetup
  figures: SetupFigures
  /** Whether the goal's bounds are kept; else the plan is the nearest that was found. */
  feasible: boolean
  /** No plan's objective is lower, under the model. */
  lowerBound: number
  /** (objective − lowerBound) / lowerBound; 0: proved optimal. Infinite when no plan keeps the bounds. */
  gap: number
  /** The whole, and for DAGs up to 40 tasks what each decision would come to the other way. */
  reasons: Reason[]
  /** Part plans kept, and branches over shared functions. */
  labels: number
  branches: number
}

/**
 * `plan` for any application without recursion: the routes of every call, bundles of maps and the memory of every function, the entry included, that
 * serve a goal best. Exact up to `exactTasks`: part plans are only left out when another one is at least as good in every scenario and in cost. Beyond, fronts
 * are thinned twice: once so that what is found exists, once so that it bounds what could exist.
 */
export function planCalls(dag: CallDag, goal: PlanGoal, facts: PlannerFacts, options: PlanCallsOptions = {}): CallPlan {
  const { exactTasks, most, maxBranches, limits, reuse, proof } = {
    ...planCallsDefaults,
    limits: noLimits,
    proof: true,
    ...options,
  }
  const latencyCounts = looksAtLatency(goal) || options.predictor !== undefined
  const whole = Object.keys(dag.tasks).length <= exactTasks
  const search = {
    dag,
    goal,
    facts,
    rules: rulesOf(dag, facts),
    limits,
    most,
    maxBranches: 1,
    latencyCounts,
    ...(reuse ? { reuse: reuse.fronts } : {}),
  }
  const found = branchAndBound(search, 'restrict')
  if (!found.best)
    throw new RangeError(
      `no size of ${facts.memoryLadder.join(', ')} MB lets '${dag.name}' run as its constraints demand`,
    )
  // Plans of another predictor may come with its figures.
  for (const { setup } of reuse?.plans ?? []) {
    const known = { setup, figures: analyticPredictor(dag, facts).predict(setup) }
    if (compareFigures(goal)(known.figures, found.best.figures) < 0) found.best = known
  }
  if (overshootOf(goal, found.best.figures) > 1) found.best = nearestOf(dag, goal, facts, options, found.best)
  found.best = improved(search, found.best, planCallsDefaults.tries)
  let bound = found
  const passes = whole ? planCallsDefaults.passes : planCallsDefaults.passesBeyond
  if (found.thinned && proof) bound = whole ? tightened(search, found.best, passes) : boundBeyond(search, found)
  const { best: start } = found
  if (proof && whole && (bound.lowerBound < objectiveOf(goal, start.figures) || overshootOf(goal, start.figures) > 1)) {
    const prune = prunerOf(dag, facts, search.rules, goal, bound.root as Fronts, start.figures)
    const last = {
      ...search,
      most: planCallsDefaults.mostExact,
      maxBranches,
      prune,
      mostWork: planCallsDefaults.mostWork,
    }
    const exact = branchAndBound(last, 'restrict', start)
    if (exact.best) found.best = exact.best
    if (!exact.thinned) bound = exact
  }
  const candidates = options.predictor ? shortlistOf(search, found, options.predictor) : []
  const best = [found.best, ...candidates].reduce((a, b) =>
    options.predictor &&
    compareFigures(goal)(options.predictor.predict(b.setup), options.predictor.predict(a.setup)) < 0
      ? b
      : a,
  )
  const reached = objectiveOf(goal, found.best.figures)
  const feasible = overshootOf(goal, best.figures) <= 1
  const lowerBound = Math.min(bound.lowerBound, reached)
  const isBound = proof || !found.thinned
  const gap = feasible && isBound ? reached / lowerBound - 1 : Number.POSITIVE_INFINITY
  return {
    ...best,
    feasible,
    lowerBound,
    gap,
    reasons: [wholeOf(goal, best.figures, feasible, gap), ...explain(dag, facts, best.setup, best.figures)],
    labels: found.labels + (bound === found ? 0 : bound.labels),
    branches: found.branches,
  }
}

/** Short fronts may have missed what keeps a bound: the plan that serves each bound alone best is tried too. */
function nearestOf(
  dag: CallDag,
  goal: PlanGoal,
  facts: PlannerFacts,
  options: PlanCallsOptions,
  found: Planned,
): Planned {
  const { p50Ms, p95Ms, p99Ms, costPerMillionUsd } = goal.subjectTo ?? {}
  const bounds = { p50: p50Ms, p95: p95Ms, p99: p99Ms, cost: costPerMillionUsd }
  const { predictor: _, ...own } = options
  return (['p50', 'p95', 'p99', 'cost'] as const)
    .filter((minimize) => bounds[minimize] !== undefined)
    .map((minimize): Planned => planCalls(dag, { minimize }, facts, own))
    .reduce((a, b) => (compareFigures(goal)(b.figures, a.figures) < 0 ? b : a), found)
}

/** Where fronts stay short: bounds of cost alone and of latency alone, and what both say together; bounds of the whole only where these leave much open. */
function boundBeyond(search: Search, found: Outcome): Outcome {
  const { goal } = search
  const { mostAveraged, passesBeyond, enough } = planCallsDefaults
  const known = found.best as Planned
  const { minimize } = goal
  const hasCost = minimize === 'cost' || minimize === 'balanced' || typeof minimize === 'object'
  if (!hasCost) return tightened(search, known, passesBeyond)
  const cost = costBoundOf(search, known, mostAveraged, passesBeyond)
  const latencyBound = (percentile: 'p50' | 'p95' | 'p99') =>
    tightened({ ...search, goal: { minimize: percentile } }, known, passesBeyond).lowerBound
  const lowerBound = productOf(goal, cost, latencyBound)
  if (minimize !== 'cost' || objectiveOf(goal, known.figures) <= lowerBound * (1 + enough))
    return { ...found, lowerBound }
  const bound = tightened(search, known, passesBeyond)
  return { ...bound, lowerBound: Math.max(bound.lowerBound, lowerBound) }
}

function wholeOf(goal: PlanGoal, figures: SetupFigures, feasible: boolean, gap: number): Reason {
  const { p50Ms, p95Ms, p99Ms, costPerMillionUsd } = figures
  const change = `predicted p50 ${p50Ms.toFixed(0)} ms, p95 ${p95Ms.toFixed(0)} ms, p99 ${p99Ms.toFixed(0)} ms, $${costPerMillionUsd.toFixed(2)} per million requests`
  if (!feasible)
    return {
      change,
      why: `no plan was found that keeps the bounds ${JSON.stringify(goal.subjectTo)}; this is the nearest`,
    }
  return {
    change,
    why:
      gap < 1e-9
        ? 'proved optimal under the model'
        : `at most ${(100 * gap).toFixed(1)}% from the optimum under the model`,
  }
}

function shortlistOf({ dag, goal, facts, rules, limits }: Search, { root }: Outcome, predictor: Predictor): Planned[] {
  const compare = compareFigures(goal)
  return (root?.entry ?? [])
    .map((entry) => ({ entry, figures: figuresOf(rules.close(entry.label.visit, entry.memoryMb), facts) }))
    .sort((a, b) => compare(a.figures, b.figures))
    .slice(0, planCallsDefaults.shortlist)
    .map(({ entry }) => setupOf(dag, decisionsOf(entry), facts.memoryLadder, limits))
    .map((setup) => ({ setup, figures: predictor.predict(setup) }))
}
