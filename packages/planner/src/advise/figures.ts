import type { Estimate } from '../types.js'
import { meanAt, quantileAt, rangeOf } from './interval.js'
import type { Kept } from './kept.js'
import { type Assumption, assumptions, type Replayed, type Replayer } from './replayer.js'
import type { Figures } from './types.js'

/** The kept requests in order of arrival; each stands for `weight` that were seen. */
export interface Requests {
  kept: readonly Kept[]
  weight: Float64Array
  /** As they were. */
  now: Replayed[]
  /** Those that make a call along an edge, by its number. */
  byEdge: Map<number, Int32Array>
  all: Int32Array
}

/** The same requests under both assumptions. */
export type Outcome = Record<Assumption, Replayed[]>

export function requestsOf(kept: readonly Kept[], replayed: Replayer): Requests {
  const byEdge = new Map<number, number[]>()
  for (const [i, { edge }] of kept.entries())
    for (const one of new Set(edge)) {
      const list = byEdge.get(one)
      if (list) list.push(i)
      else byEdge.set(one, [i])
    }
  return {
    kept,
    weight: Float64Array.from(kept, ({ weight }) => weight),
    now: kept.map((one) => replayed(() => false, 'computing', one, true)),
    byEdge: new Map([...byEdge].map(([edge, list]) => [edge, Int32Array.from(list)])),
    all: Int32Array.from(kept, (_, i) => i),
  }
}

/** Replays what may change; the others stay as they were. @param doubleBilling whether it is told, which takes longer */
export function outcomeOf(
  { kept, now }: Requests,
  replayed: Replayer,
  inline: (edge: number) => boolean,
  changed: Int32Array,
  doubleBilling = false,
): Outcome {
  const outcome: Outcome = { waiting: [...now], computing: [...now] }
  for (const i of changed) {
    const one = kept[i] as Kept
    const computing = replayed(inline, 'computing', one, doubleBilling)
    outcome.computing[i] = computing
    outcome.waiting[i] = replayed.isSure(one) ? computing : replayed(inline, 'waiting', one, doubleBilling)
  }
  return outcome
}

/** Both assumptions' lists. */
export const listsOf = (outcome: Outcome): Replayed[][] => assumptions.map((assume) => outcome[assume])

/** How much earlier the replies of some requests come, ms. */
export function savedMs({ now }: Requests, outcome: Outcome, some: Int32Array, seed: number): Estimate {
  const saved = (list: Replayed[]) =>
    Float64Array.from(some, (i) => (now[i] as Replayed).latencyMs - (list[i] as Replayed).latencyMs)
  return rangeOf(
    some.length,
    listsOf(outcome).map((list) => meanAt(saved(list))),
    seed,
  )
}

/** USD per million requests of all kinds that are saved; null when a memory is not known. */
export function savedUsd(requests: Requests, outcome: Outcome, seed: number): Estimate | null {
  const { all, now } = requests
  const saved = (list: Replayed[]) =>
    Float64Array.from(all, (i) => 1e6 * ((now[i] as Replayed).costUsd - (list[i] as Replayed).costUsd))
  const values = listsOf(outcome).map(saved)
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
