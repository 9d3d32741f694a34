import { quantile } from '../statistics/bootstrap.js'
import { seededRandom } from '../statistics/random.js'
import type { Estimate } from '../types.js'

/** Resamples of each interval: enough for two digits of its ends, and quick. */
const RESAMPLES = 200

/**
 * A statistic of requests with its 95% interval by circular block bootstrap (METRICS), under two assumptions about what is not known: the value
 * is the middle of both, the interval holds both intervals.
 * @param n requests, in order of arrival
 * @param statistic of the requests with these indices, under each assumption
 */
export function rangeOf(n: number, statistics: readonly ((indices: Int32Array) => number)[], seed: number): Estimate {
  const all = Int32Array.from({ length: n }, (_, i) => i)
  const values = statistics.map((statistic) => statistic(all))
  const value = values.reduce((a, b) => a + b, 0) / values.length
  if (n < 2) return { value, low: Math.min(...values), high: Math.max(...values), n }
  const random = seededRandom(seed)
  const block = Math.max(1, Math.round(Math.cbrt(n)))
  const indices = new Int32Array(n)
  const results = statistics.map(() => new Float64Array(RESAMPLES))
  for (let r = 0; r < RESAMPLES; r++) {
    for (let i = 0; i < n; ) {
      const from = Math.floor(random() * n)
      for (let k = 0; k < block && i < n; k++, i++) indices[i] = (from + k) % n
    }
    for (const [s, statistic] of statistics.entries()) (results[s] as Float64Array)[r] = statistic(indices)
  }
  let [low, high] = [value, value]
  for (const result of results) {
    result.sort()
    low = Math.min(low, quantile(result, 0.025))
    high = Math.max(high, quantile(result, 0.975))
  }
  return { value, low, high, n }
}

/** The mean of values of requests. */
export const meanAt =
  (values: ArrayLike<number>) =>
  (indices: Int32Array): number => {
    let sum = 0
    for (let i = 0; i < indices.length; i++) sum += values[indices[i] as number] as number
    return sum / indices.length
  }

/** A quantile of values of requests; ranks are counted, which is faster than sorting each resample. */
export function quantileAt(values: ArrayLike<number>, p: number): (indices: Int32Array) => number {
  const n = values.length
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => (values[a] as number) - (values[b] as number))
  const rank = new Int32Array(n)
  for (let r = 0; r < n; r++) rank[order[r] as number] = r
  const counts = new Int32Array(n)
  return (indices) => {
    counts.fill(0)
    for (let i = 0; i < indices.length; i++) (counts[rank[indices[i] as number] as number] as number)++
    const at = (indices.length - 1) * p
    const [low, high] = [Math.floor(at), Math.ceil(at)]
    let [seen, r] = [0, 0]
    while (seen + (counts[r] as number) <= low) seen += counts[r++] as number
    const lower = values[order[r] as number] as number
    while (seen + (counts[r] as number) <= high) seen += counts[r++] as number
    const upper = values[order[r] as number] as number
    return lower + (upper - lower) * (at - low)
  }
}
