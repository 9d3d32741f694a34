import type { InvocationRecord } from 'fusionize/record'
import type { PlannerFacts } from '../types.js'

/** Parts of a cost, USD. */
export interface Cost {
  compute: number
  requests: number
  startup: number
  gateway: number
}

/**
 * What one invocation costs (METRICS, cost): GB × billed time, rounded up, the request fee, and the start-up where the platform bills it. The
 * gateway's fee belongs to the external request, not here.
 */
export function costOf(record: InvocationRecord, { prices }: PlannerFacts): Cost {
  const gb = record.memory / 1024
  const billed = (ms: number) =>
    (gb * Math.ceil(ms / prices.granularityMs) * prices.granularityMs * prices.perGbSecond) / 1000
  return {
    compute: billed(record.wall),
    requests: prices.perRequest,
    startup: record.cold !== null && prices.billsInit ? billed(record.cold) : 0,
    gateway: 0,
  }
}

export const totalOf = (cost: Cost): number => cost.compute + cost.requests + cost.startup + cost.gateway
