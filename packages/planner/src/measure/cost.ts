import type { InvocationRecord } from 'fusionize/record'
import type { PlannerFacts } from '../types.js'

/** Parts of a cost, USD. */
export interface Cost {
  compute: number
  /** Fees: of invocations, and of operations that passed their data. */
  requests: number
  startup: number
  gateway: number
}

/**
 * What one invocation costs (METRICS, cost): GB × billed time, rounded up, the request fee, and the start-up where the platform bills it. The
 * gateway's fee belongs to the external request, not here.
 * @param computeMs what it is billed for: of a sandbox that takes several at a time, its share (`billedMs`). @default its wall time, rounded up
 */
export function costOf(record: InvocationRecord, { prices }: PlannerFacts, computeMs?: number): Cost {
  const usdPerMs = ((record.memory / 1024) * prices.perGbSecond) / 1000
  const roundUp = (ms: number) => Math.ceil(ms / prices.granularityMs) * prices.granularityMs
  return {
    compute: usdPerMs * (computeMs ?? roundUp(record.wall + (record.passing?.ms ?? 0))),
    requests: prices.perRequest + (record.passing?.feeUsd ?? 0),
    startup: record.cold !== null && prices.billsInit ? usdPerMs * roundUp(record.cold) : 0,
    gateway: 0,
  }
}

export const totalOf = (cost: Cost): number => cost.compute + cost.requests + cost.startup + cost.gateway
