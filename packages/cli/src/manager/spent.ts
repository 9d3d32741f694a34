import { servicePrices } from '@fusionize/aws'
import { costOf, isRequest, type PlannerFacts, totalOf } from '@fusionize/planner'
import type { InvocationRecord } from 'fusionize/record'
import type { Spent } from './state.js'

/** Units of the table that a head of a few kB takes to write and to read. */
const HEAD = { writes: 3 * 8, reads: 2 }
/** Of its own log. */
const LOG_GB = 1.5e-6

/** What the app did meanwhile, at the prices of Lambda. */
export function appCostOf(
  records: readonly InvocationRecord[],
  facts: PlannerFacts,
): { requests: number; usd: number } {
  return {
    requests: records.filter(isRequest).length,
    usd: records.reduce((sum, record) => sum + totalOf(costOf(record, facts)), 0),
  }
}

/** The sum with one run more: its time, a put and a get of evidence, the head, the schedule, its own log. What comes after the last write of the head is not in it: some ms. */
export function runCost(
  spent: Spent,
  app: { requests: number; usd: number },
  { beganMs, endedMs, memoryMb }: { beganMs: number; endedMs: number; memoryMb: number },
  { prices }: PlannerFacts,
): Spent {
  const { logsPerGb, s3Get, s3Put, schedule, tableRead, tableWrite } = servicePrices
  const lambda = ((endedMs - beganMs) / 1000) * (memoryMb / 1024) * prices.perGbSecond + prices.perRequest
  const others = HEAD.writes * tableWrite + HEAD.reads * tableRead + s3Put + s3Get + schedule + LOG_GB * logsPerGb
  return {
    ...spent,
    runs: spent.runs + 1,
    usd: spent.usd + lambda + others,
    requests: spent.requests + app.requests,
    appUsd: spent.appUsd + app.usd,
  }
}
