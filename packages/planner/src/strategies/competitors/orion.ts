import { type ExecutionPlan, meets, predictedOf } from '../../stages/execution-plan.js'
import { type Group, type SizedGroup, type StageModel, separateGroups, stageModel } from '../../stages/model.js'
import type { InterpolationLaw, StageFacts, StageGoal, Workflow } from '../../stages/types.js'
import type { Reason } from '../../types.js'
import { bestFirst, STEP_MB, startMb } from './grow.js'
import { prewarmDelays } from './prewarm.js'

/** Rule 1 [code]. */
const BUNDLES = [1, 2, 5, 10]
const MB_PER_ITEM = 1472
/** Rule 3 [code]: 100 ms for a target of 25 s; for shorter targets in proportion [ours]. */
const BIN_MS = 100
const BINS_PER_TARGET = 250
const binsFor = (goal: StageGoal) => (goal.kind === 'slo' ? { binMs: Math.min(BIN_MS, goal.ms / BINS_PER_TARGET) } : {})

export interface OrionOptions {
  /** How percentiles between measured sizes are known; Orion's own is linear in MB [code]. @default 'linear' */
  law?: InterpolationLaw
  /** Whether requests meet cold sandboxes, so that rule 4 applies. @default false */
  cold?: boolean
}

/**
 * `orion` (BASELINES, after OSDI 2022). 1 [code] bundles {1, 2, 5, 10}, one process per item, memory min(1472·b, 10240), the lowest percentile kept
 * [memory]. 2 [code] sizing best-first: from 1000 MB, +64 MB to whichever stage lowers the percentile most, until the target; cost is never
 * consulted, nothing is taken back. 3 [code] series = convolution in 100 ms bins, n parallel = F⁻¹(p^(1/n)). 4 [code] start-ups ahead by
 * hill-climbing, only in cold loads. 5 the order bundle → size → start-ups [memory]. No fusion.
 *
 * [ours]: a time counts in the bin that it ends in, as that bin's end, so that no percentile is too low; percentiles are interpolated inside a bin,
 * since one step of 64 MB often moves them by less than a bin; a workflow never measured at 1000 MB starts at its smallest size from there on. A
 * budget, which Orion's search does not know, ends the steps when the next would cost more.
 */
export function orion(
  workflow: Workflow,
  goal: StageGoal,
  facts: StageFacts,
  options: OrionOptions = {},
): ExecutionPlan {
  const { law = 'linear', cold = false } = options
  const model = stageModel(workflow, facts, {
    ...binsFor(goal),
    rounding: 'up',
    between: true,
    law,
    dependence: 'independent',
  })
  const reasons: Reason[] = []
  const bundled = chooseBundles(model, goal.percentile, reasons)
  const sized = chooseSizes(model, goal, bundled, reasons)
  const predicted = predictedOf(model, goal, model.predict(sized))
  const delays = cold ? prewarmDelays(model, goal.percentile, sized) : undefined
  if (delays)
    reasons.push({ change: 'start-ups ahead', why: `lower the percentile to ${delays.percentileMs.toFixed(0)} ms` })
  return {
    strategy: 'orion',
    groups: sized.map((group, i) => {
      const prewarmMs = delays?.delaysMs[i]
      return { ...group, concurrency: 1, ...(prewarmMs === undefined ? {} : { prewarmMs }) }
    }),
    passing: {},
    predicted,
    feasible: meets(goal, predicted),
    reasons,
  }
}

/** Rule 1: one stage after the other, in order, the others at their best so far. */
function chooseBundles(model: StageModel, percentile: number, reasons: Reason[]): Group[] {
  const { stages } = model.workflow
  return separateGroups(model.workflow).reduce((groups, _, i) => {
    const group = groups[i] as Group
    const dop = stages[group.stages[0] as string]?.dop ?? 1
    const tried = BUNDLES.filter((bundle) => bundle <= dop).flatMap((bundle) => {
      const next = { ...group, bundle }
      const memoryMb = Math.min(MB_PER_ITEM * bundle, model.facts.maxMb)
      if (dop === 1 || !model.fits(next, memoryMb)) return []
      return [{ next, ms: model.percentile(model.stage(next, memoryMb), percentile) }]
    })
    if (tried.length === 0) return groups
    const best = tried.reduce((a, b) => (b.ms < a.ms ? b : a))
    const others = tried.map(({ next, ms }) => `${next.bundle}: ${ms.toFixed(0)} ms`).join(', ')
    reasons.push({ change: `${best.next.bundle} items of ${group.stages[0]} per sandbox`, why: `lowest of ${others}` })
    return groups.with(i, best.next)
  }, separateGroups(model.workflow))
}

/** Rule 2. */
function chooseSizes(model: StageModel, goal: StageGoal, groups: readonly Group[], reasons: Reason[]): SizedGroup[] {
  const start = groups.map((group) => ({ ...group, memoryMb: startMb(model, group) }))
  const { groups: sized, percentileMs } = bestFirst(model, goal, start)
  const grownMb = sized.reduce((sum, { memoryMb }, i) => sum + memoryMb - (start[i] as SizedGroup).memoryMb, 0)
  const stepWords = model.facts.ladderMb ? 'to the next size' : `of ${STEP_MB} MB`
  reasons.push({
    change: `sizes after ${grownMb} MB in steps ${stepWords}`,
    why: `each went to the stage that lowered the percentile most; it is predicted at ${percentileMs.toFixed(0)} ms`,
  })
  return sized
}
