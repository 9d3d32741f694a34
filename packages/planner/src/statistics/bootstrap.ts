import type { Estimate } from '../types.js'
import { seededRandom } from './random.js'

/** Defaults of the intervals. */
export const defaults = { resamples: 1000, seed: 1 } as const

export interface BootstrapOptions {
  /** @default 1000 */
  resamples?: number
  /** @default 1 */
  seed?: number
  /** Values that follow each other and stay together. @default n^(1/3), rounded */
  block?: number
}

/** Quantile by linear interpolation (METRICS). @param sorted ascending @returns NaN when empty */
export function quantile(sorted: ArrayLike<number>, p: number): number {
  if (sorted.length === 0) return Number.NaN
  const at = (sorted.length - 1) * p
  const low = sorted[Math.floor(at)] as number
  const high = sorted[Math.ceil(at)] as number
  return low + (high - low) * (at - Math.floor(at))
}

/** @returns NaN when empty */
export function mean(values: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i] as number
  return values.length === 0 ? Number.NaN : sum / values.length
}

/**
 * A statistic with its 95% interval by circular block bootstrap (METRICS): neighbours in `values` stay together, because requests that follow
 * each other share queues and warm sandboxes.
 * @param values in order of arrival
 * @param statistic computed on a resample, which it may reorder but not keep
 */
export function bootstrap(
  values: ArrayLike<number>,
  statistic: (sample: Float64Array) => number,
  options: BootstrapOptions = {},
): Estimate {
  const all = Float64Array.from(values)
  const sample = new Float64Array(all.length)
  const results: number[] = []
  resample(all.length, options, (indices) => {
    for (let i = 0; i < indices.length; i++) sample[i] = all[indices[i] as number] as number
    results.push(statistic(sample))
  })
  return estimate(statistic(all.slice()), results, all.length)
}

/** Percentiles of values in order of arrival, with their intervals; all from the same resamples. @param ps 0…1 */
export function percentiles(
  values: ArrayLike<number>,
  ps: readonly number[],
  options: BootstrapOptions = {},
): Estimate[] {
  const n = values.length
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => (values[a] as number) - (values[b] as number))
  const sorted = Float64Array.from(order, (i) => values[i] as number)
  const rank = new Int32Array(n)
  for (let r = 0; r < n; r++) rank[order[r] as number] = r
  const counts = new Int32Array(n)
  const sample = new Float64Array(n)
  const results: number[][] = ps.map(() => [])
  resample(n, options, (indices) => {
    // Counting by rank sorts in linear time: ten times faster than sorting 1000 resamples.
    counts.fill(0)
    for (let i = 0; i < n; i++) (counts[rank[indices[i] as number] as number] as number)++
    let at = 0
    for (let r = 0; r < n; r++) for (let c = counts[r] as number; c > 0; c--) sample[at++] = sorted[r] as number
    for (const [k, p] of ps.entries()) results[k]?.push(quantile(sample, p))
  })
  return ps.map((p, k) => estimate(quantile(sorted, p), results[k] ?? [], n))
}

/** One percentile of values in order of arrival, with its interval. @param p 0…1 */
export function percentileInterval(values: ArrayLike<number>, p: number, options?: BootstrapOptions): Estimate {
  return percentiles(values, [p], options)[0] as Estimate
}

function resample(n: number, options: BootstrapOptions, visit: (indices: Int32Array) => void): void {
  if (n < 2) return
  const { resamples, seed, block = Math.max(1, Math.round(Math.cbrt(n))) } = { ...defaults, ...options }
  const random = seededRandom(seed)
  const indices = new Int32Array(n)
  for (let r = 0; r < resamples; r++) {
    for (let i = 0; i < n; ) {
      const from = Math.floor(random() * n)
      for (let k = 0; k < block && i < n; k++, i++) indices[i] = (from + k) % n
    }
    visit(indices)
  }
}

function estimate(value: number, results: number[], n: number): Estimate {
  if (results.length === 0) return { value, low: value, high: value, n }
  results.sort((a, b) => a - b)
  return { value, low: quantile(results, 0.025), high: quantile(results, 0.975), n }
}
