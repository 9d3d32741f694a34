import { type ExecutionPlan, meets, type PlannedGroup, wordsOf } from '../../stages/execution-plan.js'
import { type Group, type SizedGroup, type StageModel, separateGroups, stageModel } from '../../stages/model.js'
import { type StageFacts, type StageGoal, sizesFrom, type Workflow } from '../../stages/types.js'
import { optionsOf } from '../plan/stage-options.js'
import { searchOptions } from '../plan/stage-search.js'
import { bestFirst, STEP_MB, startMb } from './grow.js'

/**
 * `photons` (BASELINES). 1 [abstract] concurrent invocations of the same function share one runtime. 2 no fusion, every edge remote. 3 one sandbox of f takes
 * up to C_f invocations, from any request or map, the fullest first. 4 need(f, c) = base_f + c·own_f; C_f = the largest c that fits. 5 CPU-bound invocations
 * on threads, at most ⌈vCPU⌉ at once. 6 billing: a busy period once × memory, plus a fee per invocation.
 *
 * [ours]: sizes by Orion's best-first search, as for every competitor that does not decide them; predicted for one request alone, so the workers of a stage
 * share sandboxes with each other only.
 */
export function photons(workflow: Workflow, goal: StageGoal, facts: StageFacts): ExecutionPlan {
  const model = stageModel(workflow, facts, { dependence: 'independent' })
  const resize = (group: SizedGroup) => ({ ...group, bundle: capacity(model, group, group.memoryMb) })
  const start = threaded(model).map((group) => resize({ ...group, memoryMb: startMb(model, group) }))
  const { groups } = bestFirst(model, goal, start, resize)
  return planOf('photons', model, goal, groups, 'as many invocations share a sandbox as fit; sizes best-first')
}

/** `photons-best`: C_f and size swept for the goal; wins are claimed against this row (BASELINES). */
export function photonsBest(workflow: Workflow, goal: StageGoal, facts: StageFacts): ExecutionPlan {
  const model = stageModel(workflow, facts, { dependence: 'independent' })
  const cost = (of: StageModel, group: Group, memoryMb: number) => costOf(of, { ...group, memoryMb })
  const options = threaded(model).map((group) => {
    const { time } = workflow.stages[group.stages[0] as string] as Workflow['stages'][string]
    const lowMb = time.kind === 'measured' ? (time.sizes[0]?.memoryMb ?? facts.minMb) : facts.minMb
    return optionsOf(model, group, sizesFrom(facts, lowMb, STEP_MB), cost)
  })
  const { percentile } = goal
  const any = Number.POSITIVE_INFINITY
  const { best } =
    goal.kind === 'slo'
      ? searchOptions(model, options, { minimize: 'cost', percentile, withinMs: goal.ms })
      : searchOptions(model, options, { minimize: 'latency', percentile, withinCost: goal.usdPerRequest })
  const nearest = () => searchOptions(model, options, { minimize: 'latency', percentile, withinCost: any }).best
  const groups = (best ?? nearest())?.groups
  if (!groups) throw new RangeError(`no size holds one invocation of each stage of '${workflow.name}'`)
  return planOf('photons-best', model, goal, groups, 'invocations per sandbox and sizes swept for the goal')
}

/** Rule 2 and 5. */
function threaded({ workflow }: StageModel): Group[] {
  return separateGroups(workflow).map((group) => ({ ...group, parallel: 'threads' }))
}

/** Rule 4: C_f at a size; at least one, at most the workers that there are. */
function capacity(model: StageModel, group: Group, memoryMb: number): number {
  const { dop, time } = model.workflow.stages[group.stages[0] as string] as Workflow['stages'][string]
  let c = 1
  // Measured and fixed stages are one item, whatever ran inside.
  while (time.kind === 'work' && c < dop && model.fits({ ...group, bundle: c + 1 }, memoryMb)) c++
  return c
}

/** Rule 6. */
function costOf(model: StageModel, group: SizedGroup): number {
  const { perGbSecond, perRequest } = model.facts.prices
  const busyMs = model.billedMs(group, group.memoryMb)
  const { dop } = model.workflow.stages[group.stages[0] as string] as Workflow['stages'][string]
  return ((model.sandboxes(group) * busyMs * group.memoryMb) / 1024 / 1000) * perGbSecond + dop * perRequest
}

function planOf(
  strategy: string,
  model: StageModel,
  goal: StageGoal,
  groups: readonly SizedGroup[],
  why: string,
): ExecutionPlan {
  const { latency, mbMs } = model.predict(groups)
  const predicted = {
    percentileMs: model.percentile(latency, goal.percentile),
    costUsd: groups.reduce((sum, group) => sum + costOf(model, group), 0),
    mbMs,
  }
  return {
    strategy,
    // Invocations of any request may share a sandbox, one item each: that is concurrency, not a bundle.
    groups: groups.map((group): PlannedGroup => ({ ...group, bundle: 1, concurrency: group.bundle })),
    passing: {},
    predicted,
    feasible: meets(goal, predicted),
    reasons: [{ change: wordsOf(groups), why }],
  }
}
