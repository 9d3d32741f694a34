import type { Estimate } from '../types.js'
import type { Compiled } from './compile.js'
import { addFirstExtra } from './first-extra.js'
import { meanAt, quantileAt, rangeOf } from './interval.js'
import type { Observed } from './observe.js'
import { type Assumption, type Replayed, type ReplayOptions, replay } from './replay.js'
import type { AdviceOptions, Figures } from './types.js'

/** The kept requests in order of arrival; each stands for `weight` that were seen. */
export interface Requests {
  traces: Compiled[]
  entry: string[]
  weight: Float64Array
  /** As they were. */
  now: Replayed[]
  /** Those that make a call along an edge, by its number. */
  byEdge: Map<number, Int32Array>
  all: Int32Array
}

/** The same requests under both assumptions. */
export type Outcome = Record<Assumption, Replayed[]>

export type Replayer = (inline: (edge: number) => boolean, assume: Assumption, trace: Compiled) => Replayed

export function replayerOf({ assumedMemoryMb, facts }: AdviceOptions): Replayer {
  const shared: Omit<ReplayOptions, 'inline' | 'assume'> = { prices: facts.prices, mbPerCore: facts.mbPerCore }
  if (assumedMemoryMb !== undefined) shared.assumedMemoryMb = assumedMemoryMb
  return (inline, assume, trace) => replay(trace, { inline, assume, ...shared })
}

export function requestsOf(seen: Observed, replayed: Replayer): Requests {
  const kept = [...seen.entries]
    .flatMap(([entry, sample]) =>
      sample.items.map((trace) => ({ entry, trace, weight: sample.seen / sample.items.length })),
    )
    .sort((a, b) => a.trace.arrivalMs - b.trace.arrivalMs)
  const traces = kept.map(({ trace }) => trace)
  addFirstExtra(traces)
  const byEdge = new Map<number, number[]>()
  for (const [i, { runs }] of traces.entries())
    for (const edge of new Set(runs.map((run) => run.edge))) {
      const list = byEdge.get(edge)
      if (list) list.push(i)
      else byEdge.set(edge, [i])
    }
  return {
    traces,
    entry: kept.map(({ entry }) => entry),
    weight: Float64Array.from(kept, ({ weight }) => weight),
    now: traces.map((trace) => replayed(() => false, 'best', trace)),
    byEdge: new Map([...byEdge].map(([edge, list]) => [edge, Int32Array.from(list)])),
    all: Int32Array.from(kept, (_, i) => i),
  }
}

/** Replays what may change; the others stay as they were. */
export function outcomeOf(
  { now, traces }: Requests,
  replayed: Replayer,
  inline: (edge: number) => boolean,
  changed: Int32Array,
): Outcome {
  const outcome: Outcome = { best: [...now], worst: [...now] }
  for (const i of changed)
    for (const assume of ['best', 'worst'] as const)
      outcome[assume][i] = replayed(inline, assume, traces[i] as Compiled)
  return outcome
}

/** How much earlier the replies of some requests come, ms. */
export function savedMs({ now }: Requests, outcome: Outcome, some: Int32Array, seed: number): Estimate {
  const saved = (list: Replayed[]) =>
    Float64Array.from(some, (i) => (now[i] as Replayed).latencyMs - (list[i] as Replayed).latencyMs)
  return rangeOf(some.length, [meanAt(saved(outcome.best)), meanAt(saved(outcome.worst))], seed)
}

/** USD per million requests of all kinds that are saved; null when a memory is not known. */
export function savedUsd(requests: Requests, outcome: Outcome, seed: number): Estimate | null {
  const { all, now } = requests
  const saved = (list: Replayed[]) =>
    Float64Array.from(all, (i) => 1e6 * ((now[i] as Replayed).costUsd - (list[i] as Replayed).costUsd))
  const values = [saved(outcome.best), saved(outcome.worst)]
  if (values.some((list) => list.some(Number.isNaN))) return null
  return rangeOf(
    all.length,
    values.map((list) => weightedMeanAt(list, requests.weight)),
    seed,
  )
}

/** The mean over all requests that were seen, of values of the kept ones. */
export const weightedMeanAt =
  (values: ArrayLike<number>, weights: ArrayLike<number>) =>
  (indices: Int32Array): number => {
    let [sum, weight] = [0, 0]
    for (let i = 0; i < indices.length; i++) {
      const at = indices[i] as number
      sum += (values[at] as number) * (weights[at] as number)
      weight += weights[at] as number
    }
    return sum / weight
  }

/** Figures of some requests under both assumptions (the same list twice: nothing was assumed). */
export function figuresOf(lists: readonly (readonly Replayed[])[], some: Int32Array, seed: number): Figures {
  const pick = (of: (r: Replayed) => number) =>
    lists.map((list) => Float64Array.from(some, (i) => of(list[i] as Replayed)))
  const latencies = pick((r) => r.latencyMs)
  const costs = pick((r) => 1e6 * r.costUsd)
  const mean = (of: (r: Replayed) => number) => {
    const values = pick(of)
    return values.reduce((sum, list) => sum + list.reduce((a, b) => a + b, 0) / list.length, 0) / values.length
  }
  const percentile = (p: number) =>
    rangeOf(
      some.length,
      latencies.map((list) => quantileAt(list, p)),
      seed,
    )
  const inGb = mean((r) => r.billedGbMs)
  return {
    p50Ms: percentile(0.5),
    p95Ms: percentile(0.95),
    costPerMillionUsd: costs.some((list) => list.some(Number.isNaN))
      ? null
      : rangeOf(some.length, costs.map(meanAt), seed),
    invocationsPerRequest: mean((r) => r.invocations),
    startUpsPerRequest: mean((r) => r.startUps),
    doubleBillingShare: Number.isNaN(inGb)
      ? mean((r) => r.doubleBilledMs) / mean((r) => r.billedMs) || 0
      : mean((r) => r.doubleBilledGbMs) / inGb || 0,
  }
}
