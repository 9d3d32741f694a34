import { awsLambdaX86, lambdaMbPerCore, ratesOf } from 'fusionize/prices'
/** How latencies between two measured memory sizes are interpolated, percentile by percentile: linearly in MB (Orion) or in 1/MB (the CPU law of PAPERS §1). */
export type InterpolationLaw = 'linear' | 'inverse'

/** A latency distribution per memory size, as it was measured. */
export interface Measured {
  kind: 'measured'
  /** By memory, MB, ascending, without duplicates. `ms`: samples in order of the runs, of a whole stage: parallel workers already as their maximum. */
  sizes: { memoryMb: number; ms: readonly number[] }[]
}

/** What no memory changes: orchestration, hand-overs, a residual. */
export interface Fixed {
  kind: 'fixed'
  ms: readonly number[]
}

/** Work of one worker, split into computing and waiting, so that any size and any bundle can be predicted. */
export interface Work {
  kind: 'work'
  /** `cpuMs` at one full core. In order of the requests, so that stages with as many samples can be paired. */
  samples: { cpuMs: number; waitMs: number }[]
}

export interface Stage {
  name: string
  /** Degree of parallelism: workers per request, 1 or more. Stages of kind `measured` and `fixed` are one, whatever ran inside. */
  dop: number
  time: Measured | Fixed | Work
  /** Memory that a sandbox of it takes whatever it holds, and what each item adds. MB */
  baseMb?: number
  ownMb?: number
  /** Rank correlation of two workers of one request, −1…1; 0 when absent. */
  workerCorrelation?: number
  /** Bytes that one worker takes in and gives out, for the strategies that choose how data is passed. */
  bytesIn?: number
  bytesOut?: number
  /** Start-up of a sandbox, ms; 0 when absent. */
  initMs?: number
}

/** Stages in series and parallel; a string is a stage. */
export type Shape = string | { series: Shape[] } | { parallel: Shape[] }

/** Hand-over between two stages that follow each other, outside any sandbox. */
export interface StageEdge {
  from: string
  to: string
  handOverMs: readonly number[]
  /** Rank correlation of the two stages' times; 0 when absent. */
  correlation?: number
}

/** Joint levels of stages: `levels[stage][run]`, 0…1, is the share of runs in which the stage was faster than in this one. */
export interface Dependence {
  levels: Record<string, number[]>
}

/** A workflow as the WiseFuse and Orion papers see it: a series-parallel graph of stages. */
export interface Workflow {
  name: string
  shape: Shape
  stages: Record<string, Stage>
  edges: StageEdge[]
  /** How the stages of one request go together, where it was measured. */
  dependence?: Dependence
}

/** What strategies need to know of the platform to plan a workflow. */
export interface StageFacts {
  minMb: number
  maxMb: number
  /** Memory that gives a full core, and the most cores that a sandbox has. */
  mbPerCore: number
  maxCores: number
  prices: { perGbSecond: number; perRequest: number }
  /** κ of BASELINES: ms that each further item adds to a bundle. */
  bundleItemMs: number
}

/** AWS Lambda x86, 2026 (PAPERS §4; κ: BASELINES gives no value, so none is charged). */
export const lambdaStageFacts: StageFacts = {
  minMb: 128,
  maxMb: 10_240,
  mbPerCore: lambdaMbPerCore,
  maxCores: 6,
  prices: ratesOf(awsLambdaX86),
  bundleItemMs: 0,
}

/** What a plan must keep: a latency percentile (0…1) at the lowest cost, or a cost at the lowest percentile. */
export type StageGoal =
  | { kind: 'slo'; percentile: number; ms: number }
  | { kind: 'budget'; percentile: number; usdPerRequest: number }
