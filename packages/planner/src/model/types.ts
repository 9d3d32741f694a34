import type { Mode } from 'fusionize/setup'
import type { Estimate } from '../types.js'
import type { Prices } from './prices.js'

/** What the model needs to know of a setup; a `FusionSetup` is one. */
export interface ModelSetup {
  functions: Record<string, { memory: number; inline: Record<Mode, readonly string[]> }>
}

export interface PredictOptions {
  /** Traces of other setups of the same application: what they add is times at other sizes. */
  also?: readonly (readonly import('../traces/types.js').RequestTrace[])[]
  /**
   * When inline sends run: once the handler has answered (DESIGN, promise 3), or before it answers, as the 2023 prototype did.
   * @default 'after-reply'
   */
  inlineSends?: 'after-reply' | 'awaited'
  /** @default awsLambdaX86 */
  prices?: Prices
  /** Threads that a task keeps busy, by task, where it is known. */
  threads?: Record<string, number>
  /** Share of a task's own time that is computing, 0…1, where it is known; else two sizes tell, or it is taken to be all. */
  computing?: Record<string, number>
  /** Memory that buys one core, MB. @default 1769 (AWS Lambda) */
  mbPerCore?: number
  /**
   * Period of the quota that holds a sandbox to its share of a core, ms (`PERIOD_MS`); 0: a share is a slower core, without stops.
   * @default 20
   */
  periodMs?: number
  /** How start-ups are predicted. `recorded`: as in the traces. @default 'concurrency' */
  startUps?: 'concurrency' | 'recorded'
  /** Of the intervals' bootstrap; 0: no intervals, and several times as fast, for a search. @default 1000 */
  resamples?: number
  /** @default 1 */
  seed?: number
}

/** What a setup is predicted to do under the load that was recorded. */
export interface PredictedFigures {
  p50Ms: Estimate
  p95Ms: Estimate
  p99Ms: Estimate
  costPerMillionUsd: Estimate
  /** Parts of the cost, USD per million requests. */
  cost: { compute: number; requests: number; startup: number; gateway: number }
  /** Share of invocations that start a sandbox, by function. */
  coldShare: Record<string, number>
  invocationsPerRequest: number
  /** Per trace, in their order. */
  latenciesMs: number[]
  costsUsd: number[]
  /** What the figures rest on, and what could make them wrong. */
  reasons: string[]
}
