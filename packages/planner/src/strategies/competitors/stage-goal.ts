import type { StageGoal } from '../../stages/types.js'
import type { Goal, Measurement } from '../../types.js'

const PERCENTILES = { p50: 0.5, p95: 0.95, p99: 0.99 } as const
const percentiles = ['p95', 'p99', 'p50'] as const

/**
 * The user's goal as one of the two that WiseFuse knows [abstract]: the lowest cost within a latency, or the lowest latency within a cost. A goal with both
 * bounds is the one whose other side is minimised. What neither says becomes the nearest, in words: for `balanced` and weights as fast as possible for what the first
 * setup costs; bounds of single entries do not count, since a workflow has one.
 * @param perGatewayRequest USD of a request that no setup changes
 */
export function stageGoalOf(
  { minimize, subjectTo = {} }: Goal,
  first: Measurement,
  perGatewayRequest: number,
): { goal: StageGoal; why?: string } {
  const { costPerMillionUsd, entries } = subjectTo
  const usdOf = (perMillion: number) => perMillion / 1e6 - perGatewayRequest
  const bounded = percentiles.find((name) => subjectTo[`${name}Ms`] !== undefined)
  const both = typeof minimize !== 'string' || minimize === 'balanced'
  const unsaid = entries ? ['bounds of single entries are not known to it'] : []
  const answer = (goal: StageGoal) => (unsaid.length > 0 ? { goal, why: unsaid.join('; ') } : { goal })
  if (minimize === 'cost' || (bounded && both)) {
    const percentile = bounded ?? 'p95'
    const ms = subjectTo[`${percentile}Ms`] ?? Number.POSITIVE_INFINITY
    if (both) unsaid.push('for a balance of latency and cost: the lowest cost within the latency bound')
    return answer({ kind: 'slo', percentile: PERCENTILES[percentile], ms })
  }
  const name = typeof minimize !== 'string' ? minimize.percentile : minimize === 'balanced' ? 'p50' : minimize
  const percentile = PERCENTILES[name]
  const any = Number.POSITIVE_INFINITY
  if (costPerMillionUsd !== undefined)
    return answer({ kind: 'budget', percentile, usdPerRequest: usdOf(costPerMillionUsd) })
  if (!both) return answer({ kind: 'budget', percentile, usdPerRequest: any })
  unsaid.push(`for a balance of latency and cost: the lowest ${name} within the cost of the first setup`)
  const usdPerRequest = first.costPerMillionUsd ? usdOf(first.costPerMillionUsd.value) : any
  return answer({ kind: 'budget', percentile, usdPerRequest })
}
