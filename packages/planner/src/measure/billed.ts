import type { InvocationRecord } from 'fusionize/record'
import { type Interval, shareOut, union } from '../statistics/intervals.js'

/** Ms that two readings of one clock may overlap by rounding. */
const ROUNDING_MS = 0.002

/**
 * Ms that each invocation is billed for, in the order of the records. One alone in its sandbox: its wall time, and what it waited for its input (`passing`). Of a sandbox that takes several at a time, each
 * busy period is billed once (BASELINES, `photons` 6), each instant of it in equal parts to those under way. Rounded up to the platform's granularity, an
 * invocation alone or a busy period.
 */
export function billedMs(records: readonly InvocationRecord[], granularityMs: number): number[] {
  // As `priceOf`.
  const roundUp = (ms: number) => Math.ceil(ms / granularityMs - 1e-9) * granularityMs
  const billed = records.map(({ wall, passing }) => roundUp(wall + (passing?.ms ?? 0)))
  for (const places of sharedSandboxes(records))
    for (const period of busyPeriods(records, places)) {
      if (period.length === 1) continue
      const intervals = period.map((i) => intervalOf(records[i] as InvocationRecord))
      const shares = shareOut(intervals.map((interval) => [interval]))
      const lengthMs = union(intervals).reduce((sum, [start, end]) => sum + end - start, 0)
      for (const [k, i] of period.entries())
        billed[i] = lengthMs > 0 ? ((shares[k] as number) / lengthMs) * roundUp(lengthMs) : roundUp(0) / period.length
    }
  return billed
}

/** Indexes of the records of each sandbox in which several ran at a time. */
function sharedSandboxes(records: readonly InvocationRecord[]): number[][] {
  const shared = new Map<string, number[]>()
  const nameOf = ({ function: fn, sandbox }: InvocationRecord) => `${fn}\n${sandbox}`
  for (const record of records) if (record.concurrent > 1) shared.set(nameOf(record), [])
  if (shared.size > 0) for (const [i, record] of records.entries()) shared.get(nameOf(record))?.push(i)
  return [...shared.values()]
}

/** Splits a sandbox's invocations where it was idle. */
function busyPeriods(records: readonly InvocationRecord[], places: readonly number[]): number[][] {
  const start = (i: number) => (records[i] as InvocationRecord).start
  const periods: number[][] = []
  let until = Number.NEGATIVE_INFINITY
  for (const i of [...places].sort((a, b) => start(a) - start(b))) {
    const [from, to] = intervalOf(records[i] as InvocationRecord)
    if (from < until - ROUNDING_MS) periods.at(-1)?.push(i)
    else periods.push([i])
    until = Math.max(until, to)
  }
  return periods
}

/** In its sandbox: from when it fetched its input. */
function intervalOf({ start, wall, passing }: InvocationRecord): Interval {
  return [start - (passing?.ms ?? 0), start + wall]
}
