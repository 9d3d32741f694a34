import type { Estimate } from '../types.js'
import { seededRandom } from './random.js'

const RESAMPLES = 400

/** Quantile by linear interpolation (METRICS). @param sorted ascending */
export function quantile(sorted: ArrayLike<number>, p: number): number {
  if (sorted.length === 0) return Number.NaN
  const at = (sorted.length - 1) * p
  const low = sorted[Math.floor(at)] as number
  const high = sorted[Math.ceil(at)] as number
  return low + (high - low) * (at - Math.floor(at))
}

export function mean(values: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i] as number
  return values.length === 0 ? Number.NaN : sum / values.length
}

/**
 * A statistic with its 95% interval by circular block bootstrap (METRICS): neighbours in `values` stay together, because requests that follow
 * each other share queues and warm sandboxes. Blocks are n^(1/3) long.
 * @param statistic computed on a resample, which it may reorder
 */
export function bootstrap(values: ArrayLike<number>, statistic: (sample: Float64Array) => number, seed = 1): Estimate {
  const n = values.length
  const all = Float64Array.from(values)
  const value = statistic(all.slice())
  if (n < 2) return { value, low: value, high: value, n }
  const random = seededRandom(seed)
  const block = Math.max(1, Math.round(Math.cbrt(n)))
  const sample = new Float64Array(n)
  const results = new Float64Array(RESAMPLES)
  for (let r = 0; r < RESAMPLES; r++) {
    for (let i = 0; i < n; ) {
      const from = Math.floor(random() * n)
      for (let k = 0; k < block && i < n; k++, i++) sample[i] = all[(from + k) % n] as number
    }
    results[r] = statistic(sample)
  }
  results.sort()
  return { value, low: quantile(results, 0.025), high: quantile(results, 0.975), n }
}

/** Percentile of values in order of arrival, with its interval. @param p 0…1 */
export function percentile(values: ArrayLike<number>, p: number, seed?: number): Estimate {
  return bootstrap(values, (sample) => quantile(sample.sort(), p), seed)
}
