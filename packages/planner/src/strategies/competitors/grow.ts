import type { Group, SizedGroup, StageModel } from '../../stages/model.js'
import { type StageGoal, sizeAfter, sizesFrom, type Workflow } from '../../stages/types.js'

/** Memory that one step of a size search gives, MB (Orion's, also WiseFuse's in BASELINES). */
export const STEP_MB = 64
/** Differences of a percentile below this share of a bin are rounding of sums. */
const NOTHING = 1e-6

/** What a group comes to at another size; `photons` takes more invocations into a larger sandbox. */
export type Resize = (group: SizedGroup) => SizedGroup

/** The plans that one step leads to: each group in turn with a step more (or less), as far as it may; where sizes are few, with the next of them. */
export function steps(
  model: StageModel,
  groups: readonly SizedGroup[],
  stepMb = STEP_MB,
  resize: Resize = (group) => group,
): SizedGroup[][] {
  return groups.flatMap((group, i) => {
    const memoryMb = sizeAfter(model.facts, group.memoryMb, stepMb)
    if (memoryMb === undefined) return []
    const changed = resize({ ...group, memoryMb })
    return model.fits(changed, changed.memoryMb) ? [groups.with(i, changed)] : []
  })
}

/**
 * Orion's best-first sizing [code]: a step to whichever group lowers the percentile most, until the target holds; cost is never consulted, nothing is taken back. A
 * budget, which it does not know, ends it before the step that would break it [ours].
 */
export function bestFirst(model: StageModel, goal: StageGoal, groups: SizedGroup[], resize?: Resize): Step {
  let at = stepOf(model, goal.percentile, groups)
  while (goal.kind === 'budget' || at.percentileMs > goal.ms) {
    const next = steps(model, at.groups, STEP_MB, resize)
      .map((grown) => stepOf(model, goal.percentile, grown))
      .filter((step) => goal.kind === 'slo' || step.costUsd <= goal.usdPerRequest)
      .reduce<Step | undefined>((a, b) => (a && a.percentileMs <= b.percentileMs ? a : b), undefined)
    if (!next || !lowers(model, at, next)) break
    at = next
  }
  return at
}

export interface Step {
  groups: SizedGroup[]
  percentileMs: number
  costUsd: number
}

export function stepOf(model: StageModel, percentile: number, groups: SizedGroup[]): Step {
  const { latency, costUsd } = model.predict(groups)
  return { groups, percentileMs: model.percentile(latency, percentile), costUsd }
}

/** Whether a step lowers the percentile at all. */
export function lowers(model: StageModel, from: Step, to: Step): boolean {
  return to.percentileMs < from.percentileMs - NOTHING * model.binMs
}

/** Orion starts here [code]. */
const START_MB = 1000

/** Where best-first sizing starts: 1000 MB, or the next size known and large enough [ours]. */
export function startMb({ workflow, facts, fits }: StageModel, group: Group): number {
  const { time } = workflow.stages[group.stages[0] as string] as Workflow['stages'][string]
  const smallest = time.kind === 'measured' ? (time.sizes[0]?.memoryMb ?? START_MB) : START_MB
  const sizes = sizesFrom(facts, Math.max(START_MB, smallest), STEP_MB)
  const memoryMb = sizes.find((size) => fits(group, size)) ?? sizes.at(-1) ?? facts.maxMb
  // Measured only below 1000 MB: its largest size is the nearest.
  return time.kind === 'measured' ? Math.min(memoryMb, time.sizes.at(-1)?.memoryMb ?? memoryMb) : memoryMb
}
