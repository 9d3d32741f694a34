import { composeValue, type InterpolationLaw, samplesAt, type Workflow } from '@fusionize/planner'
import { quantile } from '../quantile.js'

/** Points of an interpolated distribution, which the runs' levels read. */
const POINTS = 1000

export interface Judged {
  /** End-to-end time of every run of the profile, had its stages had these sizes. ms */
  runs: number[]
  /** Σ MB × mean ms of the sized stages. */
  mbMs: number
}

/**
 * What a choice of sizes comes to on given lines: every run keeps the rank that each of its stages has among the runs of its file, and each stage takes the
 * time of that rank at its size, interpolated percentile by percentile. It shares no code with the strategies' model but that interpolation.
 */
export function judge(workflow: Workflow, sizesMb: Readonly<Record<string, number>>, law: InterpolationLaw): Judged {
  const levels = workflow.dependence?.levels ?? {}
  let mbMs = 0
  const times = Object.fromEntries(
    Object.values(workflow.stages).map(({ name, time }) => {
      if (time.kind === 'work') throw new Error(`stage '${name}' has no measured times`)
      if (time.kind === 'fixed') return [name, Float64Array.from(time.ms).sort()]
      const memoryMb = sizesMb[name] as number
      const sorted = samplesAt(time, memoryMb, law, POINTS)
      mbMs += (sorted.reduce((sum, ms) => sum + ms, 0) / sorted.length) * memoryMb
      return [name, sorted]
    }),
  )
  const count = Object.values(levels)[0]?.length ?? 0
  const runs = Array.from({ length: count }, (_, run) =>
    composeValue(workflow.shape, (name) => atLevel(times[name] as Float64Array, levels[name]?.[run] as number)),
  )
  return { runs, mbMs }
}

/** The same runs as if their stages had nothing to do with each other: every stage's levels are dealt anew. */
export function shuffledLevels(workflow: Workflow, random: () => number): Workflow {
  const levels = Object.fromEntries(
    Object.entries(workflow.dependence?.levels ?? {}).map(([stage, of]) => [stage, shuffled(of, random)]),
  )
  return { ...workflow, dependence: { levels } }
}

function shuffled(values: readonly number[], random: () => number): number[] {
  const all = [...values]
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[all[i], all[j]] = [all[j] as number, all[i] as number]
  }
  return all
}

/** Inverse of level = (rank + ½) / n. */
function atLevel(sorted: Float64Array, level: number): number {
  const rank = level * sorted.length - 0.5
  return quantile(sorted, Math.min(1, Math.max(0, rank / (sorted.length - 1))))
}
