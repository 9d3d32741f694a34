import type { InvocationRecord } from 'fusionize/record'
import { priceOf } from '../model/prices.js'
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
 * What one recorded invocation costs (METRICS, cost), start-up included where the platform bills it; without the gateway's fee.
 * @param computeMs what it is billed for: of a sandbox that takes several at a time, its share (`billedMs`). @default its own time, rounded up
 */
export function costOf(record: InvocationRecord, { prices }: PlannerFacts, computeMs?: number): Cost {
  const { cold, memory, passing, wall } = record
  const cost = priceOf(prices, memory, wall + (passing?.ms ?? 0), cold ?? 0)
  if (passing) cost.requests += passing.feeUsd
  const { granularityMs } = prices
  if (computeMs !== undefined)
    cost.compute = priceOf(prices, memory, granularityMs).compute * (computeMs / granularityMs)
  return cost
}

export const totalOf = (cost: Cost): number => cost.compute + cost.requests + cost.startup + cost.gateway
