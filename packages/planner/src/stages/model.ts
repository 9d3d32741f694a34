import { timeOf } from '../model/law.js'
import { seededRandom } from '../statistics/random.js'
import { compose, stagesOf } from './compose.js'
import { CORRELATED, slowestOf } from './correlated.js'
import { dependentComposer } from './dependence.js'
import { constantGrid, type Grid, gridMean, gridOf, gridQuantile, inParallel, inSeries, type Rounding } from './grid.js'
import { samplesAt } from './interpolate.js'
import type { InterpolationLaw, Stage, StageFacts, Work, Workflow } from './types.js'

export interface StageModelOptions {
  /** @default the workflow's slowest run / `bins` */
  binMs?: number
  /** Times of a convolution grow with its square. @default 400 */
  bins?: number
  /** @default 'linear' */
  law?: InterpolationLaw
  /** @default 'mean' */
  rounding?: Rounding
  /** Interpolates percentiles between grid points. @default false */
  between?: boolean
  /** Whether stages go together as measured, where that is known, or are independent as in the papers. @default 'measured' */
  dependence?: 'measured' | 'independent'
  /** Sandboxes drawn to know the times of a bundle. @default 1000 */
  draws?: number
  /** @default 1 */
  seed?: number
}

export const stageModelDefaults = {
  bins: 400,
  law: 'linear',
  rounding: 'mean',
  between: false,
  dependence: 'measured',
  draws: 1000,
  seed: 1,
} as const

/** How the items of one sandbox share it. `processes` and `threads` run on all its cores, `loop` computes on one. */
export type Parallelism = 'loop' | 'threads' | 'processes'

/** Stages that run in one kind of sandbox, whatever its size. */
export interface Group {
  /** In series, of equal DOP. */
  stages: string[]
  /** Items per sandbox, 1 or more. */
  bundle: number
  parallel: Parallelism
}

export interface SizedGroup extends Group {
  memoryMb: number
}

/** What one execution plan is predicted to do. */
export interface PlanFigures {
  /** End to end, per request. */
  latency: Grid
  /** Σ K·E[T]·m·price + Σ K·fee (BASELINES, `wisefuse`), storage operations excluded. USD per request. */
  costUsd: number
  /** Σ MB × ms of stages (issue: `sizing`). */
  mbMs: number
}

/** Predictions of one workflow. Pure: the same arguments give the same figures. */
export interface StageModel {
  workflow: Workflow
  facts: StageFacts
  binMs: number
  /** Sandboxes of a group per request: ⌈n/b⌉. */
  sandboxes(group: Group): number
  /** Time of one sandbox. */
  sandbox(group: Group, memoryMb: number): Grid
  /** Mean time that one sandbox is billed for. ms */
  billedMs(group: Group, memoryMb: number): number
  /** Time of the slowest of its sandboxes. */
  stage(group: Group, memoryMb: number): Grid
  /** base + b·own ≤ 0.9 m for what its stages need together, and inside the sizes known. */
  fits(group: Group, memoryMb: number): boolean
  predict(groups: readonly SizedGroup[]): PlanFigures
  /**
   * End-to-end distribution from those of groups, each under the name of its first stage; with the hand-overs between groups. At a join of branches the
   * hand-over of one of them is waited for after all.
   */
  compose(gridOfHead: (stage: string) => Grid | undefined): Grid
  percentile(latency: Grid, p: number): number
}

/** Share of a size that may be filled (BASELINES, `wisefuse`). */
const FILLED = 0.9

export function stageModel(workflow: Workflow, facts: StageFacts, options: StageModelOptions = {}): StageModel {
  const { law, rounding, between, dependence, draws, seed } = { ...stageModelDefaults, ...options }
  const binMs = options.binMs ?? widthFor(workflow, options.bins ?? stageModelDefaults.bins)
  const stageOf = (name: string): Stage => {
    const found = workflow.stages[name]
    if (!found) throw new RangeError(`the shape names stage '${name}', which the workflow does not have`)
    return found
  }
  const known = new Map<string, Grid>()
  const memo = (key: string, make: () => Grid) => {
    const found = known.get(key) ?? make()
    known.set(key, found)
    return found
  }
  const keyOf = ({ stages, bundle, parallel }: Group, memoryMb: number) =>
    `${stages.join()}×${bundle} ${parallel} ${memoryMb}`
  const correlation = (from: string, to: string) =>
    workflow.edges.find((edge) => edge.from === from && edge.to === to)?.correlation ?? 0

  const drawn = new Map<string, Sandboxes>()
  const sandboxesOf = (group: Group): Sandboxes => {
    const key = keyOf(group, 0)
    const stages = group.stages.map((name) => stageOf(name).time as Work)
    const paired = group.stages.map(
      (name, i) => i > 0 && Math.abs(correlation(group.stages[i - 1] as string, name)) > CORRELATED,
    )
    const found = drawn.get(key) ?? drawSandboxes(stages, paired, group.bundle, draws, seed)
    drawn.set(key, found)
    return found
  }
  const fixed = (name: string) => stageOf(name).time.kind === 'fixed'

  const sandbox = (group: Group, memoryMb: number): Grid =>
    memo(keyOf(group, fixed(group.stages[0] as string) ? 0 : memoryMb), () => {
      const [name] = group.stages
      const { time } = stageOf(name as string)
      if (time.kind === 'fixed') return gridOf(time.ms, binMs, rounding)
      if (time.kind === 'measured') return gridOf(samplesAt(time, memoryMb, law), binMs, rounding)
      return gridOf(timesAt(sandboxesOf(group), group, memoryMb, facts), binMs, rounding)
    })
  const sandboxes = ({ stages, bundle }: Group) => Math.ceil(stageOf(stages[0] as string).dop / bundle)
  const stage = (group: Group, memoryMb: number): Grid =>
    memo(`${keyOf(group, memoryMb)} slowest`, () => {
      const correlated = stageOf(group.stages.at(-1) as string).workerCorrelation
      const slowest = slowestOf(sandbox(group, memoryMb), sandboxes(group), correlated)
      return inParallel(slowest, constantGrid(leastMs(group), binMs))
    })
  /** All workers compute on one machine: not in less than their work takes on all of its cores [ours]. */
  const leastMs = (group: Group): number => {
    const { dop, time } = stageOf(group.stages[0] as string)
    if (time.kind !== 'work' || facts.machineCores === undefined) return 0
    const { totalCpuMs } = sandboxesOf(group)
    const perItem = totalCpuMs.reduce((sum, ms) => sum + ms, 0) / totalCpuMs.length / group.bundle
    return (dop * perItem) / facts.machineCores
  }
  /** Sandboxes that share few cores are billed while they wait for each other [ours: as if all had as much to do, and so ended together]. */
  const billedMs = (group: Group, memoryMb: number) => Math.max(gridMean(sandbox(group, memoryMb)), leastMs(group))
  const nothing = constantGrid(0, binMs)
  const join =
    workflow.dependence && dependence === 'measured'
      ? dependentComposer(workflow.shape, workflow.dependence, binMs)
      : (gridOfStage: (stage: string) => Grid) => compose(workflow.shape, gridOfStage)
  const composed = (gridOfHead: (stage: string) => Grid | undefined): Grid =>
    join((name) => {
      const own = gridOfHead(name)
      if (!own) return fixed(name) ? sandbox({ stages: [name], bundle: 1, parallel: 'loop' }, 0) : nothing
      const handOver = workflow.edges.find(({ to, handOverMs }) => to === name && handOverMs.length > 0)
      if (!handOver) return own
      return inSeries(
        own,
        memo(`hand-over ${name}`, () => gridOf(handOver.handOverMs, binMs, rounding)),
      )
    })

  return {
    workflow,
    facts,
    binMs,
    sandboxes,
    sandbox,
    billedMs,
    stage,
    fits(group, memoryMb) {
      const stages = group.stages.map(stageOf)
      const base = Math.max(0, ...stages.map(({ baseMb = 0 }) => baseMb))
      const own = stages.reduce((sum, { ownMb = 0 }) => sum + ownMb, 0)
      return (
        memoryMb >= facts.minMb &&
        memoryMb <= facts.maxMb &&
        base + group.bundle * own <= FILLED * memoryMb &&
        stages.every(({ time }) => time.kind !== 'measured' || isKnownAt(time.sizes, memoryMb))
      )
    },
    compose: composed,
    predict(groups) {
      const heads = new Map(groups.map((group) => [group.stages[0], group]))
      const inner = new Set(groups.flatMap(({ stages }) => stages))
      const latency = composed((name) => {
        const group = heads.get(name)
        if (!group && !inner.has(name) && !fixed(name)) missing(name)
        return group && stage(group, group.memoryMb)
      })
      let [mbMs, invocations] = [0, 0]
      for (const group of groups) {
        const k = sandboxes(group)
        mbMs += k * billedMs(group, group.memoryMb) * group.memoryMb
        invocations += k
      }
      const { perGbSecond, perRequest } = facts.prices
      return { latency, mbMs, costUsd: (mbMs / 1024 / 1000) * perGbSecond + invocations * perRequest }
    },
    percentile: (latency, p) => gridQuantile(latency, p, between),
  }
}

/** Every stage that has a size as a group of its own. */
export function separateGroups({ shape, stages }: Workflow, bundle = 1): Group[] {
  return stagesOf(shape)
    .filter((name) => stages[name]?.time.kind !== 'fixed')
    .map((name) => ({ stages: [name], bundle: Math.min(bundle, stages[name]?.dop ?? 1), parallel: 'processes' }))
}

/** Sandboxes drawn from the samples: of each its slowest item's waiting and computing, and the computing of all. */
interface Sandboxes {
  /** Per sandbox and item, flat. */
  cpuMs: Float64Array
  waitMs: Float64Array
  totalCpuMs: Float64Array
}

/** Items are independent; the stages of one item are of the same request where they are paired, else independent (BASELINES, `wisefuse`, Sandbox). */
function drawSandboxes(
  stages: readonly Work[],
  paired: readonly boolean[],
  bundle: number,
  draws: number,
  seed: number,
): Sandboxes {
  const random = seededRandom(seed)
  const [cpuMs, waitMs] = [new Float64Array(draws * bundle), new Float64Array(draws * bundle)]
  const totalCpuMs = new Float64Array(draws)
  for (let item = 0; item < draws * bundle; item++) {
    let at = 0
    for (const [i, { samples }] of stages.entries()) {
      if (!paired[i])
        // The first stage is gone through evenly, so that a bundle of one gives back its samples.
        at = i === 0 && bundle === 1 ? item % samples.length : Math.floor(random() * samples.length)
      const sample = samples[at % samples.length] as Work['samples'][number]
      ;(cpuMs[item] as number) += sample.cpuMs
      ;(waitMs[item] as number) += sample.waitMs
    }
    ;(totalCpuMs[Math.floor(item / bundle)] as number) += cpuMs[item] as number
  }
  return { cpuMs, waitMs, totalCpuMs }
}

/**
 * T(b, m) = max(maxᵢ(wᵢ + cᵢ / min(1, v)), Σ cᵢ / v) + b·κ with v = min(6, m / 1769); a loop computes on one core. Where shares are given in periods, c / v
 * is what such a share takes.
 */
function timesAt(drawn: Sandboxes, { bundle, parallel }: Group, memoryMb: number, facts: StageFacts): Float64Array {
  const all = Math.min(facts.maxCores, memoryMb / facts.mbPerCore)
  const cores = parallel === 'loop' ? Math.min(1, all) : all
  const computing = (coreMs: number, on: number, threads: number) =>
    facts.inPeriods ? timeOf({ coreMs, waitMs: 0 }, on * facts.mbPerCore, threads, facts.mbPerCore) : coreMs / on
  const one = Math.min(1, cores)
  const threads = Math.min(bundle, Math.max(1, Math.ceil(cores)))
  return drawn.totalCpuMs.map((total, k) => {
    let slowest = computing(total, cores, threads)
    for (let i = k * bundle; i < (k + 1) * bundle; i++)
      slowest = Math.max(slowest, (drawn.waitMs[i] as number) + computing(drawn.cpuMs[i] as number, one, 1))
    return slowest + bundle * facts.bundleItemMs
  })
}

function isKnownAt(sizes: readonly { memoryMb: number }[], memoryMb: number): boolean {
  return memoryMb >= (sizes[0]?.memoryMb ?? 0) && memoryMb <= (sizes.at(-1)?.memoryMb ?? 0)
}

function widthFor({ stages }: Workflow, bins: number): number {
  const longest = Object.values(stages).reduce((sum, { time, dop }) => {
    if (time.kind === 'fixed') return sum + Math.max(...time.ms)
    if (time.kind === 'measured') return sum + Math.max(...time.sizes.flatMap(({ ms }) => [...ms]))
    return sum + Math.max(...time.samples.map(({ cpuMs, waitMs }) => waitMs + cpuMs)) * Math.sqrt(dop)
  }, 0)
  return Math.max(longest / bins, 1e-3)
}

function missing(stage: string): never {
  throw new RangeError(`no group of the plan holds stage '${stage}'`)
}
