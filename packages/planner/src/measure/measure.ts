import type { InvocationRecord } from 'fusionize/record'
import { doubleBilledMs } from '../profile/spans.js'
import { bootstrap, mean, percentile } from '../statistics/bootstrap.js'
import type { Measurement, PlannerFacts } from '../types.js'
import { type Cost, costOf, totalOf } from './cost.js'

/** One request of a load, as its client saw it. */
export interface RequestSample {
  /** Intended arrival, ms from the start of the load. */
  startMs: number
  /** From the intended arrival to the last byte; a time-out counts at its limit. */
  latencyMs: number
  error?: string | undefined
  session?: string | undefined
}

/**
 * The figures of METRICS.md for one setup under one load.
 * @param samples in order of arrival
 * @param records of everything that the requests caused
 */
export function measure(
  samples: readonly RequestSample[],
  records: readonly InvocationRecord[],
  facts: PlannerFacts,
): Measurement {
  const latencies = samples.filter((sample) => sample.error === undefined).map((sample) => sample.latencyMs)
  const requests = samples.length
  const sum: Cost = { compute: 0, requests: 0, startup: 0, gateway: requests * facts.prices.perGatewayRequest }
  const bySession = new Map<string, number>()
  let gbMs = 0
  let doubleGbMs = 0
  for (const record of records) {
    const cost = costOf(record, facts)
    sum.compute += cost.compute
    sum.requests += cost.requests
    sum.startup += cost.startup
    bySession.set(record.session, (bySession.get(record.session) ?? 0) + totalOf(cost))
    gbMs += record.memory * record.wall
    doubleGbMs += record.memory * doubleBilledMs(record)
  }
  const perMillion = (usd: number) => (requests === 0 ? 0 : (usd * 1e6) / requests)
  const priced = facts.cpuShareEnforced && requests > 0
  return {
    requests,
    errors: requests - latencies.length,
    p50Ms: percentile(latencies, 0.5),
    p95Ms: percentile(latencies, 0.95),
    p99Ms: percentile(latencies, 0.99),
    costPerMillionUsd: priced ? costInterval(samples, bySession, perMillion(totalOf(sum)), facts) : null,
    cost: priced
      ? {
          compute: perMillion(sum.compute),
          requests: perMillion(sum.requests),
          startup: perMillion(sum.startup),
          gateway: perMillion(sum.gateway),
        }
      : null,
    coldStarts: records.filter((record) => record.cold !== null).length,
    invocations: records.length,
    invocationsPerRequest: requests === 0 ? 0 : records.length / requests,
    doubleBillingShare: gbMs === 0 ? 0 : doubleGbMs / gbMs,
  }
}

/** The mean cost of a request with its interval; what belongs to no sample's session shifts the whole interval. */
function costInterval(
  samples: readonly RequestSample[],
  bySession: ReadonlyMap<string, number>,
  value: number,
  facts: PlannerFacts,
): Measurement['costPerMillionUsd'] {
  const each = samples.map(
    ({ session }) =>
      1e6 * ((session === undefined ? 0 : (bySession.get(session) ?? 0)) + facts.prices.perGatewayRequest),
  )
  const interval = bootstrap(each, mean)
  const shift = value - interval.value
  return { value, low: interval.low + shift, high: interval.high + shift, n: samples.length }
}
