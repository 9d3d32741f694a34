import type { FusionSetup, TaskName } from 'fusionize/setup'
import type { PlannerFacts, Reason } from '../../types.js'
import type { CallDag } from './call-dag.js'
import { prunerOf } from './contexts.js'
import { decisionsOf, setupOf } from './decisions.js'
import { explain } from './explain.js'
import { type Fronts, frontsOf, type Pruner } from './fronts.js'
import { compareFigures, looksAtLatency, objectiveOf, overshootOf, type PlanGoal } from './goal.js'
import { improved, type Planned } from './improve.js'
import type { FunctionLabel } from './labels.js'
import { noLimits, type PlanLimits } from './limits.js'
import { analyticPredictor, figuresOf, type Predictor, type SetupFigures } from './predictor.js'
import { type Rules, rulesOf } from './visit.js'

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
  const { exactTasks, most, maxBranches, limits } = { ...planCallsDefaults, limits: noLimits, ...options }
  const latencyCounts = looksAtLatency(goal) || options.predictor !== undefined
  const whole = Object.keys(dag.tasks).length <= exactTasks
  const search = { dag, goal, facts, rules: rulesOf(dag, facts), limits, most, maxBranches: 1, latencyCounts }
  const found = branchAndBound(search, 'restrict')
  if (!found.best)
    throw new RangeError(
      `no size of ${facts.memoryLadder.join(', ')} MB lets '${dag.name}' run as its constraints demand`,
    )
  if (overshootOf(goal, found.best.figures) > 1) found.best = nearestOf(dag, goal, facts, options, found.best)
  found.best = improved(search, found.best, planCallsDefaults.tries)
  let bound = found
  const passes = whole ? planCallsDefaults.passes : planCallsDefaults.passesBeyond
  if (found.thinned) bound = tightened(search, found, passes)
  const { best: start } = found
  if (whole && (bound.lowerBound < objectiveOf(goal, start.figures) || overshootOf(goal, start.figures) > 1)) {
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
  const gap = feasible ? reached / lowerBound - 1 : Number.POSITIVE_INFINITY
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

/** Bounds from relaxed fronts, which leave out what the bounds before them rule out, and so can be longer. */
function tightened(search: Search, found: Outcome, passes: number): Outcome {
  const { dag, goal, facts, rules } = search
  const best = (found.best as Planned).figures
  let bound = branchAndBound(search, 'relax')
  for (let pass = 1; pass < passes; pass++) {
    if (bound.lowerBound >= objectiveOf(goal, best) && overshootOf(goal, best) <= 1) break
    const prune = prunerOf(dag, facts, rules, goal, bound.root as Fronts, best)
    const next = branchAndBound({ ...search, most: search.most * 2 ** pass, prune }, 'relax')
    if (next.root === undefined) return { ...bound, lowerBound: objectiveOf(goal, best) }
    bound = { ...next, lowerBound: Math.max(next.lowerBound, bound.lowerBound), labels: next.labels + bound.labels }
  }
  return bound
}

interface Search {
  dag: CallDag
  goal: PlanGoal
  facts: PlannerFacts
  rules: Rules
  limits: PlanLimits
  most: number
  maxBranches: number
  latencyCounts: boolean
  prune?: Pruner
  /** Of a search that is worth nothing when it has to thin. */
  mostWork?: number
}

interface Outcome {
  best?: Planned
  /** Objective that no plan that keeps the goal's bounds is below. */
  lowerBound: number
  thinned: boolean
  labels: number
  branches: number
  /** Absent when every plan was ruled out. */
  root?: Fronts
}

/**
 * Hosts choose the functions that they call on their own; where two choose differently for the same one, a branch for each way to run it decides for all.
 * The most promising branch goes first.
 */
function branchAndBound(search: Search, how: 'restrict' | 'relax', known?: Planned): Outcome {
  const { dag, goal, facts, rules, limits, most, maxBranches, prune, mostWork, latencyCounts } = search
  const compare = compareFigures(goal)
  const predictor = analyticPredictor(dag, facts)
  let [labels, branches, thinned] = [0, 0, false]
  let best = known
  let settledBound = Number.POSITIVE_INFINITY
  interface Node {
    decided: ReadonlyMap<TaskName, FunctionLabel>
    bound: SetupFigures
    entry: FunctionLabel
    fronts: Fronts
  }
  const nodeOf = (decided: ReadonlyMap<TaskName, FunctionLabel>): Node | undefined => {
    const fronts = frontsOf(dag, rules, {
      ladder: facts.memoryLadder,
      limits,
      most,
      how,
      decided,
      latencyCounts,
      ...(prune ? { prune } : {}),
      ...(mostWork === undefined ? {} : { mostWork, allOrNothing: true }),
    })
    labels += fronts.labels
    branches++
    thinned ||= fronts.thinned
    const ends = fronts.entry.map((entry) => ({
      entry,
      bound: figuresOf(rules.close(entry.label.visit, entry.memoryMb), facts),
    }))
    const [first] = ends
    if (!first) return undefined
    return { decided, fronts, ...ends.reduce((a, b) => (compare(b.bound, a.bound) < 0 ? b : a), first) }
  }
  const root = nodeOf(new Map())
  const open = root ? [root] : []
  // Nothing that a bound is worse than what exists can be better.
  const isWorse = (node: Node) => best !== undefined && compare(best.figures, node.bound) <= 0
  while (open.length > 0) {
    open.sort((a, b) => compare(a.bound, b.bound))
    const node = open.shift() as Node
    if (isWorse(node)) break
    const bound = overshootOf(goal, node.bound) <= 1 ? objectiveOf(goal, node.bound) : Number.POSITIVE_INFINITY
    const { disputed, ...decisions } = decisionsOf(node.entry)
    if (how === 'restrict') {
      const setup = setupOf(dag, { ...decisions, disputed }, facts.memoryLadder, limits)
      const figures = predictor.predict(setup)
      if (!best || compare(figures, best.figures) < 0) best = { setup, figures }
    }
    const [shared] = disputed
    if (how === 'relax' || shared === undefined || branches >= maxBranches) {
      settledBound = Math.min(settledBound, bound)
      if (how === 'relax' || branches >= maxBranches) break
      continue
    }
    const labelsOf = node.fronts.functions(shared)
    // Branches that there is no room for are bounded by the one that they come from.
    if (branches + labelsOf.length > maxBranches) {
      settledBound = Math.min(settledBound, bound)
      continue
    }
    for (const label of labelsOf) {
      const next = nodeOf(new Map([...node.decided, [shared, label]]))
      if (next && !isWorse(next)) open.push(next)
    }
  }
  const lowerBound = Math.min(settledBound, best ? objectiveOf(goal, best.figures) : Number.POSITIVE_INFINITY)
  return { ...(best ? { best } : {}), lowerBound, thinned, labels, branches, ...(root ? { root: root.fronts } : {}) }
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
