import type { StageGoal } from '../../stages/types.js'
import type { Goal, Measurement } from '../../types.js'

const PERCENTILES = { p50: 0.5, p95: 0.95, p99: 0.99 } as const
const percentiles = ['p95', 'p99', 'p50'] as const

/**
 * The user's goal as one of the two that WiseFuse knows [abstract]: the lowest cost within a latency, or the lowest latency within a cost. A goal with both
 * bounds is the one whose other side is minimised. What neither says (`balanced`, no bound) becomes the nearest: as fast as possible for what the first setup costs,
 * or with no bound at all for `p50`…`p99` and `cost`.
 * @param perGatewayRequest USD of a request that no setup changes
 */
export function stageGoalOf(
  { minimize, subjectTo = {} }: Goal,
  first: Measurement,
  perGatewayRequest: number,
): { goal: StageGoal; why?: string } {
  const usdOf = (perMillion: number) => perMillion / 1e6 - perGatewayRequest
  const bounded = percentiles.find((name) => subjectTo[`${name}Ms`] !== undefined)
  const { costPerMillionUsd } = subjectTo
  if (minimize === 'cost' || (bounded && minimize === 'balanced')) {
    const percentile = bounded ?? 'p95'
    const ms = subjectTo[`${percentile}Ms`] ?? Number.POSITIVE_INFINITY
    return { goal: { kind: 'slo', percentile: PERCENTILES[percentile], ms } }
  }
  const percentile = minimize === 'balanced' ? PERCENTILES.p50 : PERCENTILES[minimize]
  if (costPerMillionUsd !== undefined)
    return { goal: { kind: 'budget', percentile, usdPerRequest: usdOf(costPerMillionUsd) } }
  if (minimize !== 'balanced') return { goal: { kind: 'budget', percentile, usdPerRequest: Number.POSITIVE_INFINITY } }
  const usdPerRequest = first.costPerMillionUsd ? usdOf(first.costPerMillionUsd.value) : Number.POSITIVE_INFINITY
  return {
    goal: { kind: 'budget', percentile, usdPerRequest },
    why: 'it knows a latency objective and a budget; for a balance of both: the lowest median within the cost of the first setup',
  }
}
