import type { TaskName } from 'fusionize/setup'
import type { PlannerFacts } from '../../types.js'
import type { CallDag } from './call-dag.js'
import { decisionsOf, setupOf } from './decisions.js'
import { type Fronts, frontsOf, type Pruner } from './fronts.js'
import { compareFigures, objectiveOf, overshootOf, type PlanGoal } from './goal.js'
import type { Planned } from './improve.js'
import type { FunctionLabel } from './labels.js'
import type { PlanLimits } from './limits.js'
import { analyticPredictor, figuresOf, type SetupFigures } from './predictor.js'
import type { Rules } from './visit.js'

/** A search and how far it goes. */
export interface Search {
  dag: CallDag
  goal: PlanGoal
  facts: PlannerFacts
  rules: Rules
  limits: PlanLimits
  most: number
  maxBranches: number
  latencyCounts: boolean
  prune?: Pruner
  /** Fronts that depend on no goal, for searches of the same DAG with other goals. */
  reuse?: Map<string, Fronts>
  /** Of a search that is worth nothing when it has to thin. */
  mostWork?: number
}

export interface Outcome {
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
export function branchAndBound(search: Search, how: 'restrict' | 'relax', known?: Planned): Outcome {
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
    const key = `${how} ${most} ${latencyCounts}`
    const isAny = prune === undefined && decided.size === 0 && mostWork === undefined
    const fronts =
      (isAny ? search.reuse?.get(key) : undefined) ??
      frontsOf(dag, rules, {
        ladder: facts.memoryLadder,
        limits,
        most,
        how,
        decided,
        latencyCounts,
        ...(prune ? { prune } : {}),
        ...(mostWork === undefined ? {} : { mostWork, allOrNothing: true }),
      })
    if (isAny) search.reuse?.set(key, fronts)
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
