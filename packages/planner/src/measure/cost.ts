import type { InvocationRecord } from 'fusionize/record'
import { priceOf } from '../model/prices.js'
import type { PlannerFacts } from '../types.js'

/** Parts of a cost, USD. */
export interface Cost {
  compute: number
  requests: number
  startup: number
  gateway: number
}

/** What one recorded invocation costs (METRICS, cost), start-up included where the platform bills it; without the gateway's fee. */
export function costOf({ cold, memory, wall }: InvocationRecord, { prices }: PlannerFacts): Cost {
  return priceOf(prices, memory, wall, cold ?? 0)
}

export const totalOf = (cost: Cost): number => cost.compute + cost.requests + cost.startup + cost.gateway
