import { composeValue } from '../../stages/compose.js'
import { gridSamples } from '../../stages/grid.js'
import type { SizedGroup, StageModel } from '../../stages/model.js'
import { quantile } from '../../statistics/bootstrap.js'
import { seededRandom } from '../../statistics/random.js'

/** Orion's step [code: 0.1 s]. */
const STEP_MS = 100
const REQUESTS = 400

export interface Prewarming {
  /** Ms after the request's arrival, by group; undefined = started when it is needed. */
  delaysMs: (number | undefined)[]
  percentileMs: number
  /** Ms of sandboxes kept waiting per request, summed over groups: what starting ahead costs beside the start-up itself. */
  idleMs: number
}

/**
 * When to start each stage's sandboxes ahead of its turn (BASELINES, `orion` 4 [code]): start₂ = max(f₁, d₂ + init₂), all delays 0 at first, then
 * later in steps of 0.1 s while the percentile does not rise: as late as possible is cheapest. For workflows in series [ours: in others the group's turn comes
 * when all before it in the order of stages have ended].
 */
export function prewarmDelays(model: StageModel, percentile: number, groups: readonly SizedGroup[]): Prewarming {
  const initMs = groups.map(({ stages }) => model.workflow.stages[stages[0] as string]?.initMs ?? 0)
  const random = seededRandom(1)
  const times = groups.map((group) => shuffled(gridSamples(model.stage(group, group.memoryMb), REQUESTS), random))
  const run = (delays: readonly number[]) => {
    let idle = 0
    const ends = Float64Array.from({ length: REQUESTS }, (_, r) => {
      let ready = 0
      for (let g = 0; g < groups.length; g++) {
        const warm = g === 0 ? (initMs[0] as number) : (delays[g] as number) + (initMs[g] as number)
        const start = Math.max(ready, warm)
        idle += start - warm
        ready = start + ((times[g] as number[])[r] as number)
      }
      return ready
    }).sort()
    return { percentileMs: quantile(ends, percentile), idleMs: idle / REQUESTS }
  }
  let delays = groups.map(() => 0)
  let best = run(delays)
  for (let changed = true; changed; ) {
    changed = false
    for (let g = 1; g < groups.length; g++) {
      const later = delays.with(g, (delays[g] as number) + STEP_MS)
      const outcome = run(later)
      if (outcome.percentileMs > best.percentileMs + 1e-9 || outcome.idleMs >= best.idleMs) continue
      delays = later
      best = outcome
      changed = true
    }
  }
  return { delaysMs: delays.map((delay, g) => (g === 0 ? undefined : delay)), ...best }
}

/** What a request waits without starting anything ahead: every stage's start-up in its turn. */
export function coldPercentile(model: StageModel, percentile: number, groups: readonly SizedGroup[]): number {
  const random = seededRandom(1)
  const times = groups.map((group) => shuffled(gridSamples(model.stage(group, group.memoryMb), REQUESTS), random))
  const byStage = new Map(groups.map((group, g) => [group.stages[0], g]))
  const ends = Float64Array.from({ length: REQUESTS }, (_, r) =>
    composeValue(model.workflow.shape, (name) => {
      const g = byStage.get(name)
      return g === undefined ? 0 : ((times[g] as number[])[r] as number) + (model.workflow.stages[name]?.initMs ?? 0)
    }),
  ).sort()
  return quantile(ends, percentile)
}

function shuffled(values: number[], random: () => number): number[] {
  for (let i = values.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const kept = values[i] as number
    values[i] = values[j] as number
    values[j] = kept
  }
  return values
}
