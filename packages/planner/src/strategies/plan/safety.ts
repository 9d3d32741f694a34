import { dependenceOf } from '../../stages/dependence.js'
import { type SizedGroup, type StageModelOptions, stageModel } from '../../stages/model.js'
import type { Stage, StageFacts, Workflow } from '../../stages/types.js'
import { quantile } from '../../statistics/bootstrap.js'
import { seededRandom } from '../../statistics/random.js'

const RESAMPLES = 200

/**
 * By how much the percentile of a plan may be too low because a profile is a sample: how far above their median lies, at `confidence`, what the
 * percentile comes to when the runs are drawn anew (bootstrap). Above the median, not above the percentile itself: drawing anew moves a percentile of
 * a thin tail upwards as a whole, which says nothing about the sample [ours]. ms, 0 or more
 */
export function safetyMs(
  workflow: Workflow,
  facts: StageFacts,
  options: StageModelOptions,
  percentile: number,
  groups: readonly SizedGroup[],
  confidence: number,
): number {
  if (confidence <= 0.5) return 0
  const { binMs } = stageModel(workflow, facts, options)
  const percentileOf = (of: Workflow) => {
    const model = stageModel(of, facts, { ...options, binMs })
    return model.percentile(model.predict(groups).latency, percentile)
  }
  const random = seededRandom(1)
  const drawn = Float64Array.from({ length: RESAMPLES }, () => percentileOf(resampled(workflow, random))).sort()
  return quantile(drawn, confidence) - quantile(drawn, 0.5)
}

/**
 * Runs drawn anew, each with all its stages, so that what goes together stays together; work samples, which are of no common runs, stage by
 * stage.
 */
function resampled(workflow: Workflow, random: () => number): Workflow {
  const drawn = new Map<string, number[]>()
  const indices = (key: string, count: number) => {
    const found = drawn.get(key) ?? Array.from({ length: count }, () => Math.floor(random() * count))
    drawn.set(key, found)
    return found
  }
  const pick = <T>(all: readonly T[], of: readonly number[]) => of.map((i) => all[i] as T)
  const bySize = (memoryMb: number, count: number) => indices(`${memoryMb} MB, ${count} runs`, count)
  const measured = Object.values(workflow.stages).flatMap(({ time }) => (time.kind === 'measured' ? [time] : []))
  const blocks = (measured[0]?.sizes ?? []).map(({ memoryMb, ms }) => ({ memoryMb, count: ms.length }))
  const runs = blocks.reduce((sum, { count }) => sum + count, 0)
  const fixedRuns = (count: number): number[] => {
    if (count !== runs) return indices(`${count} runs`, count)
    let from = 0
    return blocks.flatMap(({ memoryMb, count: of }) => {
      const start = from
      from += of
      return bySize(memoryMb, of).map((i) => start + i)
    })
  }
  const redraw = ({ time, ...stage }: Stage): Stage => {
    if (time.kind === 'fixed') return { ...stage, time: { ...time, ms: pick(time.ms, fixedRuns(time.ms.length)) } }
    if (time.kind === 'work') {
      const { length } = time.samples
      return { ...stage, time: { ...time, samples: pick(time.samples, indices(stage.name, length)) } }
    }
    const sizes = time.sizes.map(({ memoryMb, ms }) => ({ memoryMb, ms: pick(ms, bySize(memoryMb, ms.length)) }))
    return { ...stage, time: { ...time, sizes } }
  }
  const stages = Object.fromEntries(Object.entries(workflow.stages).map(([name, stage]) => [name, redraw(stage)]))
  const again: Workflow = { ...workflow, stages }
  return workflow.dependence ? { ...again, dependence: dependenceOf(again) ?? workflow.dependence } : again
}
