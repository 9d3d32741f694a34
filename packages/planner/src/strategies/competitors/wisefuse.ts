import { type ExecutionPlan, meets, predictedOf, wordsOf } from '../../stages/execution-plan.js'
import { type Group, type SizedGroup, type StageModel, stageModel } from '../../stages/model.js'
import { type StageFacts, type StageGoal, sizesFrom, type Workflow } from '../../stages/types.js'
import { bundleSizes, fusableEdges, groupsOf } from '../plan/stage-options.js'
import { lowers, STEP_MB, type Step, stepOf, steps } from './grow.js'

/** Fusable edges up to which all subsets are tried; beyond, edges are added greedily. */
const MAX_EDGES = 12
/** Sandboxes drawn for a bundle: fewer than elsewhere, since the search looks at thousands of sizes. */
const DRAWS = 400
/** Likewise; percentiles are interpolated between them. */
const BINS = 200
/** Sweeps of the coordinate descent over bundles. */
const SWEEPS = 2

/**
 * `wisefuse` (BASELINES): the three decisions (fusion, bundling, sizes) and two goals are [abstract], composition and sizing [code: Orion]; the search is a
 * reconstruction [ours], so labelled in reports. Chains of stages with equal DOP are fused into groups, bundles found by coordinate descent, sizes by steps of
 * 64 MB up to whichever group lowers the percentile most, then down again while the goal holds.
 * After deployment, `rescaled` and a second plan (BASELINES, Confirm).
 */
export function wisefuse(workflow: Workflow, goal: StageGoal, facts: StageFacts): ExecutionPlan {
  const model = stageModel(workflow, facts, { dependence: 'independent', draws: DRAWS, bins: BINS, between: true })
  const edges = fusableEdges(model)
  const plans = edges.length <= MAX_EDGES ? allSubsets(model, goal, edges) : addedGreedily(model, goal, edges)
  if (plans.length === 0) throw new RangeError(`no size holds one item of each stage of '${workflow.name}'`)
  const best = plans.reduce((a, b) => (isBetter(goal, b, a) ? b : a))
  const predicted = predictedOf(model, goal, model.predict(best.groups))
  return {
    strategy: 'wisefuse',
    groups: best.groups.map((group) => ({ ...group, concurrency: 1 })),
    passing: {},
    predicted,
    feasible: meets(goal, predicted),
    reasons: [
      {
        change: wordsOf(best.groups),
        why: `${goal.kind === 'slo' ? 'cheapest' : 'fastest'} of ${plans.length} fusions, each at its best bundles and sizes (a reconstruction of WiseFuse's search)`,
      },
    ],
  }
}

/** Every group's work scaled by measured / predicted time, to plan again after a deployment that missed its goal (BASELINES, Confirm). */
export function rescaled(workflow: Workflow, ratios: Readonly<Record<string, number>>): Workflow {
  const stages = Object.fromEntries(
    Object.entries(workflow.stages).map(([name, stage]) => {
      const ratio = ratios[name] ?? 1
      const { time } = stage
      if (time.kind === 'fixed') return [name, { ...stage, time: { ...time, ms: time.ms.map((ms) => ms * ratio) } }]
      if (time.kind === 'measured') {
        const sizes = time.sizes.map(({ memoryMb, ms }) => ({ memoryMb, ms: ms.map((of) => of * ratio) }))
        return [name, { ...stage, time: { ...time, sizes } }]
      }
      const samples = time.samples.map(({ cpuMs, waitMs }) => ({ cpuMs: cpuMs * ratio, waitMs: waitMs * ratio }))
      return [name, { ...stage, time: { ...time, samples } }]
    }),
  )
  return { ...workflow, stages }
}

function allSubsets(model: StageModel, goal: StageGoal, edges: readonly [string, string][]): Step[] {
  return Array.from({ length: 2 ** edges.length }, (_, bits) => edges.filter((_, i) => bits & (1 << i))).flatMap(
    (fused) => bestBundles(model, goal, groupsOf(model, fused)) ?? [],
  )
}

function addedGreedily(model: StageModel, goal: StageGoal, edges: readonly [string, string][]): Step[] {
  const found: Step[] = []
  let [fused, at] = [[] as [string, string][], bestBundles(model, goal, groupsOf(model, []))]
  for (let open = [...edges]; at; ) {
    found.push(at)
    const tried = open.flatMap((edge) => {
      const step = bestBundles(model, goal, groupsOf(model, [...fused, edge]))
      return step && step.percentileMs < (at as Step).percentileMs ? [{ edge, step }] : []
    })
    if (tried.length === 0) break
    const best = tried.reduce((a, b) => (b.step.percentileMs < a.step.percentileMs ? b : a))
    fused = [...fused, best.edge]
    open = open.filter((edge) => edge !== best.edge)
    at = best.step
  }
  return found
}

/** Coordinate descent from bundles of one. */
function bestBundles(model: StageModel, goal: StageGoal, groups: readonly Group[]): Step | undefined {
  let at = groups.map((group) => ({ ...group, bundle: 1 }))
  let best = sized(model, goal, at)
  for (let sweep = 0; sweep < SWEEPS; sweep++)
    for (const [i, group] of groups.entries()) {
      const { dop, time } = model.workflow.stages[group.stages[0] as string] as Workflow['stages'][string]
      if (time.kind !== 'work') continue
      for (const bundle of bundleSizes(dop)) {
        if (bundle === at[i]?.bundle) continue
        const next = at.with(i, { ...group, bundle })
        const step = sized(model, goal, next)
        if (!step || (best && !isBetter(goal, step, best))) continue
        best = step
        at = next
      }
    }
  return best
}

/** Sizes for one fusion and its bundles, from the smallest that holds them. */
function sized(model: StageModel, goal: StageGoal, groups: readonly Group[]): Step | undefined {
  const smallest = groups.map((group): SizedGroup => ({ ...group, memoryMb: smallestMb(model, group) }))
  if (smallest.some(({ memoryMb }) => Number.isNaN(memoryMb))) return undefined
  const start = stepOf(model, goal.percentile, smallest)
  return goal.kind === 'slo'
    ? forTarget(model, goal.ms, goal.percentile, start)
    : forBudget(model, goal.usdPerRequest, goal.percentile, start)
}

function forTarget(model: StageModel, targetMs: number, percentile: number, start: Step): Step {
  const evaluate = (groups: SizedGroup[]) => stepOf(model, percentile, groups)
  let at = start
  while (at.percentileMs > targetMs) {
    const next = least(steps(model, at.groups).map(evaluate), ({ percentileMs }) => percentileMs)
    if (!next || !lowers(model, at, next)) return at
    at = next
  }
  for (;;) {
    const { costUsd } = at
    const cheaper = steps(model, at.groups, -STEP_MB)
      .map(evaluate)
      .filter((step) => step.percentileMs <= targetMs && step.costUsd < costUsd)
    const next = least(cheaper, (step) => step.costUsd)
    if (!next) return at
    at = next
  }
}

function forBudget(model: StageModel, budgetUsd: number, percentile: number, start: Step): Step {
  let at = start
  if (at.costUsd > budgetUsd) return at
  for (;;) {
    const from = at
    const gains = steps(model, at.groups)
      .map((groups) => stepOf(model, percentile, groups))
      .filter((step) => step.costUsd <= budgetUsd && lowers(model, from, step))
    // A step that costs nothing gains without end.
    const gain = (step: Step) => (from.percentileMs - step.percentileMs) / Math.max(1e-15, step.costUsd - from.costUsd)
    const next = least(gains, (step) => -gain(step))
    if (!next) return at
    at = next
  }
}

/** The smallest size in steps from the platform's (or measured) smallest; NaN when none holds it. */
function smallestMb({ workflow, facts, fits }: StageModel, group: Group): number {
  const measured = group.stages.flatMap((name) => {
    const time = workflow.stages[name]?.time
    return time?.kind === 'measured' ? [time.sizes[0]?.memoryMb ?? facts.minMb] : []
  })
  return sizesFrom(facts, Math.max(facts.minMb, ...measured), STEP_MB).find((size) => fits(group, size)) ?? Number.NaN
}

function isBetter(goal: StageGoal, a: Step, b: Step): boolean {
  const over = (at: Step) =>
    Math.max(1, goal.kind === 'slo' ? at.percentileMs / goal.ms : at.costUsd / goal.usdPerRequest)
  if (over(a) !== over(b)) return over(a) < over(b)
  return goal.kind === 'slo' ? a.costUsd < b.costUsd : a.percentileMs < b.percentileMs
}

/** The one with the least value; of equals the cheaper. */
function least(all: readonly Step[], by: (step: Step) => number): Step | undefined {
  return all.reduce<Step | undefined>((a, b) => {
    if (!a) return b
    const difference = by(b) - by(a)
    return difference < 0 || (difference === 0 && b.costUsd < a.costUsd) ? b : a
  }, undefined)
}
