import type { SizedGroup, StageModel } from '../../stages/model.js'

/** Memory that one step of a size search gives, MB (Orion's, also WiseFuse's in BASELINES). */
export const STEP_MB = 64
/** Differences of a percentile below this share of a bin are rounding of sums. */
const NOTHING = 1e-6

/** The plans that one step leads to: each group in turn with a step more, as far as it may. */
export function stepsUp(model: StageModel, groups: readonly SizedGroup[], stepMb = STEP_MB): SizedGroup[][] {
  return groups.flatMap((group, i) => {
    const grown = { ...group, memoryMb: group.memoryMb + stepMb }
    return model.fits(grown, grown.memoryMb) ? [groups.with(i, grown)] : []
  })
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
