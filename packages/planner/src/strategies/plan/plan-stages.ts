import { type ExecutionPlan, predictedOf, wordsOf } from '../../stages/execution-plan.js'
import { type SizedGroup, type StageModel, type StageModelOptions, stageModel } from '../../stages/model.js'
import { type StageFacts, type StageGoal, sizesFrom, type Workflow } from '../../stages/types.js'
import type { Reason } from '../../types.js'
import { safetyMs } from './safety.js'
import { fusableEdges, groupsOf, mbMsOf, optionsOf, usdOf } from './stage-options.js'
import { type StageObjective, type StageSearch, searchOptions } from './stage-search.js'

/** Defaults of the search over stages. */
export const planStagesDefaults = {
  /** Distance of the sizes that are looked at, before the last MB are taken back. */
  stepMb: 64,
  /**
   * Share of a latency target that is kept free: below the 2% up to which a measured percentile counts as kept (BASELINES, `wisefuse`, Confirm), and about
   * what the 95th percentiles of the two halves of a 300-run profile (Orion's Video Analytics) differ by. A policy, not a constant of nature.
   */
  guard: 0.015,
  maxNodes: 20_000,
  /** Fusable edges up to which every subset is looked at. */
  maxEdges: 12,
} as const

export interface PlanStagesOptions extends StageModelOptions {
  stepMb?: number
  guard?: number
  /** Instead of the guard: share of repetitions of the profile in which the plan would keep its target (`safetyMs`). */
  confidence?: number
  maxNodes?: number
  /** What costs: USD, or Σ MB × ms of stages. @default 'usd' */
  cost?: 'usd' | 'mbMs'
}

export interface StagePlan extends ExecutionPlan {
  /** (objective − lower bound) / lower bound on the sizes looked at, under the model; 0: proved optimal. */
  gap: number
  nodes: number
  /** What the target was lowered by, because no prediction is exact. ms */
  safetyMs: number
  /** Only when the goal cannot be met: the nearest that can. */
  nearest?: { percentileMs: number; costUsd: number }
}

/**
 * `plan` for a workflow of stages: the cheapest fusion, bundles and sizes that keep a percentile, or the lowest percentile within a budget, by
 * branch and bound over every subset of fusable edges × bundles × sizes. Sizes are then taken back MB by MB while the goal holds, which no step of 64 MB finds.
 * A latency target is lowered by a guard, or by what the percentile of so few samples may be off.
 */
export function planStages(
  workflow: Workflow,
  goal: StageGoal,
  facts: StageFacts,
  options: PlanStagesOptions = {},
): StagePlan {
  const settings = { ...planStagesDefaults, ...options }
  const model = stageModel(workflow, facts, options)
  if (goal.kind === 'budget') return finish(model, goal, settings, search(model, goal, settings, 0), 0)
  const guarded = search(model, goal, settings, settings.guard * goal.ms)
  if (!guarded.groups) return finish(model, goal, settings, search(model, goal, settings, 0), 0)
  if (settings.confidence === undefined) return finish(model, goal, settings, guarded, settings.guard * goal.ms)
  const safety = safetyMs(workflow, facts, options, goal.percentile, guarded.groups, settings.confidence)
  const safe = search(model, goal, settings, safety)
  return safe.groups
    ? finish(model, goal, settings, safe, safety)
    : finish(model, goal, settings, guarded, settings.guard * goal.ms)
}

type Settings = Required<Pick<PlanStagesOptions, 'stepMb' | 'guard' | 'maxNodes'>> & PlanStagesOptions

interface Found {
  groups?: SizedGroup[]
  gap: number
  nodes: number
}

function search(model: StageModel, goal: StageGoal, settings: Settings, safety: number): Found {
  const { percentile } = goal
  const objective: StageObjective =
    goal.kind === 'slo'
      ? { minimize: 'cost', percentile, withinMs: goal.ms - safety }
      : { minimize: 'latency', percentile, withinCost: goal.usdPerRequest }
  const { best, ...found } = overFusions(model, objective, settings)
  return best ? { ...found, groups: takeBack(model, objective, best.groups, settings) } : found
}

/** The best over all subsets of fusable edges; the best so far bounds the next. */
function overFusions(model: StageModel, objective: StageObjective, settings: Settings) {
  const costOf = settings.cost === 'mbMs' ? mbMsOf : usdOf
  const edges = fusableEdges(model)
  const subsets = 2 ** Math.min(edges.length, planStagesDefaults.maxEdges)
  const known = new Map<string, ReturnType<typeof optionsOf>>()
  let best: StageSearch['best']
  let [nodes, incumbent, lowerBound] = [0, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (let bits = subsets - 1; bits >= 0; bits--) {
    const groups = groupsOf(
      model,
      edges.filter((_, i) => bits & (1 << i)),
    )
    const options = groups.map((group) => {
      const key = group.stages.join()
      const found = known.get(key) ?? optionsOf(model, group, ladderOf(model, group.stages, settings.stepMb), costOf)
      known.set(key, found)
      return found
    })
    // A fused group may need more memory than any sandbox has.
    if (options.some((of) => of.length === 0)) continue
    const found = searchOptions(model, options, objective, incumbent, Math.max(1, settings.maxNodes - nodes))
    nodes += found.nodes
    lowerBound = Math.min(lowerBound, found.lowerBound)
    if (!found.best) continue
    best = found.best
    incumbent = objective.minimize === 'cost' ? best.cost : best.percentileMs
  }
  const gap = best ? Math.max(0, incumbent / Math.min(lowerBound, incumbent) - 1) : 0
  return { ...(best ? { best } : {}), nodes, gap }
}

/** Sizes from the smallest to the largest known, and the measured ones among them. */
function ladderOf({ workflow, facts }: StageModel, stages: readonly string[], stepMb: number): number[] {
  const measured = stages.flatMap((name) => {
    const time = workflow.stages[name]?.time
    return time?.kind === 'measured' ? time.sizes.map(({ memoryMb }) => memoryMb) : []
  })
  const [low, high] = measured.length > 0 ? [Math.min(...measured), Math.max(...measured)] : [facts.minMb, facts.maxMb]
  const sizes = new Set([...sizesFrom({ ...facts, maxMb: high }, low, stepMb), ...measured, high])
  return [...sizes].sort((a, b) => a - b)
}

/** Cheaper by the last MB: each group in turn, the dearest first, as small as the bound allows. */
function takeBack(
  model: StageModel,
  objective: StageObjective,
  groups: readonly SizedGroup[],
  settings: Settings,
): SizedGroup[] {
  if (objective.minimize !== 'cost') return [...groups]
  const costOf = settings.cost === 'mbMs' ? mbMsOf : usdOf
  const cost = ({ memoryMb, ...group }: SizedGroup) => costOf(model, group, memoryMb)
  let at = [...groups]
  const dearest = groups.map((_, i) => i).sort((a, b) => cost(groups[b] as SizedGroup) - cost(groups[a] as SizedGroup))
  for (const i of dearest)
    for (let stepMb = settings.stepMb / 2; stepMb >= 1; stepMb /= 2) {
      const group = at[i] as SizedGroup
      const smaller = { ...group, memoryMb: Math.ceil(group.memoryMb - stepMb) }
      if (!model.fits(smaller, smaller.memoryMb) || cost(smaller) >= cost(group)) continue
      const next = at.with(i, smaller)
      if (model.percentile(model.predict(next).latency, objective.percentile) <= objective.withinMs) at = next
    }
  return at
}

function finish(model: StageModel, goal: StageGoal, settings: Settings, found: Found, safety: number): StagePlan {
  const feasible = found.groups !== undefined
  const groups = found.groups ?? nearestOf(model, goal, settings)
  const predicted = predictedOf(model, goal, model.predict(groups))
  return {
    strategy: 'plan',
    groups: groups.map((group) => ({ ...group, concurrency: 1 })),
    passing: {},
    predicted,
    feasible,
    reasons: reasonsOf(goal, groups, found, safety, feasible, predicted),
    gap: found.gap,
    nodes: found.nodes,
    safetyMs: safety,
    ...(feasible ? {} : { nearest: { percentileMs: predicted.percentileMs, costUsd: predicted.costUsd } }),
  }
}

/** When a goal cannot be met: the lowest percentile at any cost, or the lowest cost at any percentile. */
function nearestOf(model: StageModel, { kind, percentile }: StageGoal, settings: Settings): SizedGroup[] {
  const any = Number.POSITIVE_INFINITY
  const objective: StageObjective =
    kind === 'slo'
      ? { minimize: 'latency', percentile, withinCost: any }
      : { minimize: 'cost', percentile, withinMs: any }
  const { best } = overFusions(model, objective, {
    ...settings,
    ...(kind === 'budget' ? { cost: 'usd' as const } : {}),
  })
  if (!best) throw new RangeError(`no size holds what the stages of '${model.workflow.name}' need`)
  return best.groups
}

function reasonsOf(
  goal: StageGoal,
  groups: readonly SizedGroup[],
  { gap, nodes }: Found,
  safety: number,
  feasible: boolean,
  { percentileMs, costUsd }: ExecutionPlan['predicted'],
): Reason[] {
  const name = `p${goal.percentile * 100}`
  const figures = `${name} ${percentileMs.toFixed(0)} ms, $${(costUsd * 1e6).toFixed(2)} per million requests`
  if (!feasible) {
    const wanted =
      goal.kind === 'slo' ? `${name} ≤ ${goal.ms} ms` : `$${(goal.usdPerRequest * 1e6).toFixed(2)} per million`
    return [{ change: wordsOf(groups), why: `${wanted} cannot be met; the nearest that can is ${figures}` }]
  }
  const proof =
    gap === 0
      ? 'no other fusion, bundle or size looked at is better'
      : `at most ${(gap * 100).toFixed(1)}% from the optimum`
  const kept = safety > 0 ? `; ${safety.toFixed(0)} ms of the target are kept free` : ''
  return [{ change: wordsOf(groups), why: `predicted ${figures}; ${proof} (${nodes} part plans)${kept}` }]
}
