import type { InvocationRecord } from 'fusionize/record'
import type { TaskName } from 'fusionize/setup'
import { doubleBilledMs } from '../profile/spans.js'
import { isRequest } from '../profile/trace.js'
import { bootstrap, mean, percentiles, quantile } from '../statistics/bootstrap.js'
import type { Estimate, Measurement, PlannerFacts } from '../types.js'
import { billedMs } from './billed.js'
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
 * @param records of everything that the requests caused, without duplicates; retries are attempts of their own and cost their own
 */
export function measure(
  samples: readonly RequestSample[],
  records: readonly InvocationRecord[],
  facts: PlannerFacts,
): Measurement {
  const latencies = samples.filter((sample) => sample.error === undefined).map((sample) => sample.latencyMs)
  const [p50Ms, p95Ms, p99Ms] = percentiles(latencies, [0.5, 0.95, 0.99])
  if (!p50Ms || !p95Ms || !p99Ms) throw new RangeError('a percentile is missing')
  const requests = samples.length
  const priced = facts.cpuShareEnforced && requests > 0
  return {
    requests,
    errors: requests - latencies.length,
    p50Ms,
    p95Ms,
    p99Ms,
    ...(priced ? pricesOf(samples, records, facts) : { costPerMillionUsd: null, cost: null }),
    coldStarts: records.filter((record) => record.cold !== null).length,
    invocations: records.length,
    invocationsPerRequest: requests === 0 ? 0 : records.length / requests,
    doubleBillingShare: doubleBillingShare(records),
    ...byEntry(samples, records),
    ...outsideOf(samples, records),
  }
}

/** Percentile of what lies outside the handler that is taken to be the way alone. */
const LEAST = 0.1

function outsideOf(
  samples: readonly RequestSample[],
  records: readonly InvocationRecord[],
): Pick<Measurement, 'outside'> {
  const handled = new Map(records.filter(isRequest).map(({ session, reply }) => [session, reply]))
  const beyond = samples.flatMap(({ session = '', error, latencyMs }) => {
    const replyMs = handled.get(session)
    return replyMs === undefined || error !== undefined ? [] : [Math.max(0, latencyMs - replyMs)]
  })
  const sorted = Float64Array.from(beyond).sort()
  return sorted.length === 0 ? {} : { outside: { leastMs: quantile(sorted, LEAST), usualMs: quantile(sorted, 0.5) } }
}

/** Each entry's own percentiles; a request belongs to the task that its session began with. */
function byEntry(
  samples: readonly RequestSample[],
  records: readonly InvocationRecord[],
): Pick<Measurement, 'entries'> {
  const entryOf = new Map(
    records
      .filter((record) => record.parent === null && record.mode === 'call')
      .map(({ session, task }) => [session, task]),
  )
  const latencies = new Map<TaskName, number[]>()
  for (const { session = '', error, latencyMs } of samples) {
    const entry = entryOf.get(session)
    if (entry === undefined || error !== undefined) continue
    const list = latencies.get(entry)
    if (list) list.push(latencyMs)
    else latencies.set(entry, [latencyMs])
  }
  if (latencies.size < 2) return {}
  const entries = [...latencies].map(([entry, values]): [TaskName, NonNullable<Measurement['entries']>[TaskName]] => {
    const [p50Ms, p95Ms, p99Ms] = percentiles(values, [0.5, 0.95, 0.99]) as [Estimate, Estimate, Estimate]
    return [entry, { requests: values.length, p50Ms, p95Ms, p99Ms }]
  })
  return { entries: Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))) }
}

function doubleBillingShare(records: readonly InvocationRecord[]): number {
  let all = 0
  let double = 0
  for (const record of records) {
    all += record.memory * record.wall
    double += record.memory * doubleBilledMs(record)
  }
  return all === 0 ? 0 : double / all
}

/**
 * The cost of a request is that of every invocation of its session. What belongs to no sample's session (its client gave up before it knew it) is
 * in the value all the same, and shifts the interval.
 */
function pricesOf(
  samples: readonly RequestSample[],
  records: readonly InvocationRecord[],
  facts: PlannerFacts,
): Pick<Measurement, 'costPerMillionUsd' | 'cost'> {
  const perRequest = 1e6 / samples.length
  const gateway = facts.prices.perGatewayRequest
  const sum: Cost = { compute: 0, requests: 0, startup: 0, gateway: samples.length * gateway }
  const bySession = new Map<string, number>()
  const billed = billedMs(records, facts.prices.granularityMs)
  for (const [i, record] of records.entries()) {
    const cost = costOf(record, facts, billed[i])
    sum.compute += cost.compute
    sum.requests += cost.requests
    sum.startup += cost.startup
    bySession.set(record.session, (bySession.get(record.session) ?? 0) + totalOf(cost))
  }
  const each = samples.map(({ session = '' }) => 1e6 * ((bySession.get(session) ?? 0) + gateway))
  const known = bootstrap(each, mean)
  const value = totalOf(sum) * perRequest
  const shift = value - known.value
  return {
    costPerMillionUsd: { value, low: known.low + shift, high: known.high + shift, n: samples.length },
    cost: {
      compute: sum.compute * perRequest,
      requests: sum.requests * perRequest,
      startup: sum.startup * perRequest,
      gateway: sum.gateway * perRequest,
    },
  }
}
