import type { Evidence } from '@fusionize/cli/control'
import {
  bootstrap,
  costOf,
  type Estimate,
  type Goal,
  mean,
  type PlannerFacts,
  quantile,
  student975,
  totalOf,
  weightsOf,
} from '@fusionize/planner'

/** One answered request: what it took, and what everything cost that it caused; null where cost cannot be known. */
export interface RequestFigures {
  latencyMs: number
  costUsd: number | null
}

/** By place in the load; undefined where a request failed. */
export type Requests = readonly (RequestFigures | undefined)[]

export function requestsOf({ samples, records }: Evidence, facts: PlannerFacts): Requests {
  const bySession = new Map<string, number>()
  for (const record of records)
    bySession.set(record.session, (bySession.get(record.session) ?? 0) + totalOf(costOf(record, facts)))
  return samples.map(({ latencyMs, session = '', error }) => {
    if (error !== undefined) return undefined
    const costUsd = (bySession.get(session) ?? 0) + facts.prices.perGatewayRequest
    return { latencyMs, costUsd: facts.cpuShareEnforced ? costUsd : null }
  })
}

/**
 * The realised gap (METRICS): objective of `a` / objective of `b` − 1 with its 95% interval, by block bootstrap of requests that both served in the same
 * places of interleaved loads: what chance and the machine did to one place they did to both.
 * @throws {RangeError} when the loads are not equally long, or nothing was answered by both
 */
export function gapBetween(goal: Goal, a: Requests, b: Requests): Estimate {
  if (a.length !== b.length) throw new RangeError(`${a.length} requests cannot be paired with ${b.length}`)
  const pairs = a.flatMap((one, i) => {
    const other = b[i]
    return one && other ? [[one, other] as const] : []
  })
  if (pairs.length === 0) throw new RangeError('no request was answered by both')
  const [left, right] = [pairs.map(([one]) => one), pairs.map(([, other]) => other)]
  const places = Float64Array.from(pairs, (_, i) => i)
  return bootstrap(places, (drawn) => objectiveAt(goal, left, drawn) / objectiveAt(goal, right, drawn) - 1)
}

/**
 * As `gapBetween`, over turns: two deployments of one setup differ by more than the requests of one do, so whole turns are what chance draws. Mean of the
 * turns' log ratios, by Student's t; of one turn, by its requests.
 * @param a,b requests of each turn
 */
export function gapOverTurns(goal: Goal, a: readonly Requests[], b: readonly Requests[]): Estimate {
  const gaps = a.flatMap((turn, i) => (b[i] ? [gapBetween(goal, turn, b[i])] : []))
  const [first] = gaps
  if (first === undefined) throw new RangeError('no turn was served by both')
  if (gaps.length === 1) return first
  const logs = gaps.map(({ value }) => Math.log1p(value))
  const n = logs.length
  const centre = mean(logs)
  const spread = Math.sqrt(logs.reduce((sum, log) => sum + (log - centre) ** 2, 0) / (n - 1) / n)
  const half = spread * student975(n - 1)
  return { value: Math.expm1(centre), low: Math.expm1(centre - half), high: Math.expm1(centre + half), n }
}

/** What the goal minimises, of all answered requests. NaN without any */
export function objectiveOf(goal: Goal, requests: Requests): number {
  const answered = requests.filter((one) => one !== undefined)
  return objectiveAt(
    goal,
    answered,
    Float64Array.from(answered, (_, i) => i),
  )
}

function objectiveAt(goal: Goal, requests: readonly RequestFigures[], places: Float64Array): number {
  const { percentile, latencyWeight, costWeight } = weightsOf(goal.minimize)
  const all = Array.from(places, (place) => requests[place] as RequestFigures)
  const latencyMs = () =>
    quantile(Float64Array.from(all, (one) => one.latencyMs).sort(), Number(percentile.slice(1)) / 100)
  if (costWeight === 0 || all.some(({ costUsd }) => costUsd === null)) return latencyMs()
  const cost = mean(all.map(({ costUsd }) => costUsd ?? 0)) ** costWeight
  return latencyWeight === 0 ? cost : latencyMs() ** latencyWeight * cost
}
