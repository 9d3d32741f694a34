import type { Distribution } from '../statistics/distribution.js'
import { bucketMiddle } from '../statistics/distribution.js'

/** A step of a cumulative distribution: `share` (0…1) of all are at most `value`. */
export interface CdfPoint {
  value: number
  share: number
}

/** The cumulative distribution, ascending, at most as many points as it has buckets. @param whole the values are whole numbers */
export function cdfOf(distribution: Distribution, whole = false): CdfPoint[] {
  const { buckets, count, min, max } = distribution
  const points: CdfPoint[] = []
  let seen = 0
  for (const key of Object.keys(buckets)
    .map(Number)
    .sort((a, b) => a - b)) {
    seen += buckets[key] as number
    const inside = Math.min(max, Math.max(min, bucketMiddle(key)))
    const value = whole ? Math.round(inside) : inside
    const point = { value, share: seen / count }
    if (points.at(-1)?.value === value) points[points.length - 1] = point
    else points.push(point)
  }
  return points
}

/** Share of all that is at most `value`: 0…1; NaN when there are none. */
export function shareUpTo(cdf: readonly CdfPoint[], value: number): number {
  if (cdf.length === 0) return Number.NaN
  return cdf.findLast((point) => point.value <= value)?.share ?? 0
}
