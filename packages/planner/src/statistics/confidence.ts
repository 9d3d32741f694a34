import type { Estimate } from '../types.js'
import { bucketMiddle, type Distribution, meanOf, quantileOf } from './distribution.js'

/** z of a 95% interval. */
const Z = 1.96

/** The mean with its 95% interval, from the spread of the buckets. @returns undefined when empty; of one value the interval is that value */
export function meanEstimate(d: Distribution): Estimate | undefined {
  if (d.count === 0) return undefined
  const value = meanOf(d)
  const buckets = Object.entries(d.buckets).map(([bucket, count]) => ({ at: bucketMiddle(Number(bucket)), count }))
  const middle = buckets.reduce((sum, { at, count }) => sum + at * count, 0) / d.count
  const squares = buckets.reduce((sum, { at, count }) => sum + count * (at - middle) ** 2, 0)
  const spread = d.count > 1 ? Z * Math.sqrt(squares / (d.count - 1) / d.count) : 0
  return { value, low: Math.max(0, value - spread), high: value + spread, n: d.count }
}

/**
 * A quantile with the 95% interval of its rank (binomial, normal approximation): no assumption about the values.
 * @param p 0…1
 * @returns undefined when empty
 */
export function quantileEstimate(d: Distribution, p: number): Estimate | undefined {
  if (d.count === 0) return undefined
  const spread = Z * Math.sqrt((p * (1 - p)) / d.count)
  const at = (share: number) => quantileOf(d, Math.min(1, Math.max(0, share)))
  return { value: at(p), low: at(p - spread), high: at(p + spread), n: d.count }
}

/** A share with Wilson's 95% interval. @returns undefined without cases */
export function shareEstimate(hits: number, n: number): Estimate | undefined {
  if (n === 0) return undefined
  const share = hits / n
  const middle = (share + (Z * Z) / (2 * n)) / (1 + (Z * Z) / n)
  const spread = (Z * Math.sqrt((share * (1 - share)) / n + (Z * Z) / (4 * n * n))) / (1 + (Z * Z) / n)
  return { value: share, low: Math.max(0, middle - spread), high: Math.min(1, middle + spread), n }
}
