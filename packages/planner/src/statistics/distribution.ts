/**
 * A distribution of non-negative numbers in constant memory, mergeable (Masson et al., DDSketch, VLDB 2019): logarithmic buckets, so
 * every quantile is within `ACCURACY` of the true one. Plain data, so that a profile is JSON, and merged exactly.
 */
export interface Distribution {
  count: number
  /** Of values rounded to 1/1024, so that it comes out the same in whatever order values are added. */
  sum: number
  min: number
  max: number
  /** Counts by bucket number; bucket 0 holds what is below `SMALLEST`. */
  buckets: Record<string, number>
}

const ACCURACY = 0.01
const RATIO = (1 + ACCURACY) / (1 - ACCURACY)
const LOG_RATIO = Math.log(RATIO)
const SMALLEST = 1e-3
/** Values above are counted in the last bucket: 1e9 needs no more than this many. */
const LAST = Math.ceil(Math.log(1e12) / LOG_RATIO)

export function emptyDistribution(): Distribution {
  return { count: 0, sum: 0, min: Number.MAX_VALUE, max: 0, buckets: {} }
}

/** Adds a value in place; negative ones count as 0. */
export function note(d: Distribution, value: number): void {
  const v = Math.max(0, value)
  d.count++
  d.sum += exact(v)
  if (v < d.min) d.min = v
  if (v > d.max) d.max = v
  const key = bucketOf(v)
  d.buckets[key] = (d.buckets[key] ?? 0) + 1
}

/** @param p 0…1; NaN when empty */
export function quantileOf(d: Distribution, p: number): number {
  if (d.count === 0) return Number.NaN
  const rank = p * (d.count - 1)
  let seen = 0
  for (const key of Object.keys(d.buckets)
    .map(Number)
    .sort((a, b) => a - b)) {
    seen += d.buckets[key] as number
    if (seen > rank) return Math.min(d.max, Math.max(d.min, bucketMiddle(key)))
  }
  return d.max
}

export function meanOf(d: Distribution): number {
  return d.count === 0 ? Number.NaN : d.sum / d.count
}

export function mergeDistributions(a: Distribution, b: Distribution): Distribution {
  const buckets = { ...a.buckets }
  for (const [key, count] of Object.entries(b.buckets)) buckets[key] = (buckets[key] ?? 0) + count
  return {
    count: a.count + b.count,
    sum: a.sum + b.sum,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    buckets,
  }
}

/** A multiple of 2⁻¹⁰ (about a µs of a ms): sums of such numbers are exact, so merging is associative. */
export function exact(value: number): number {
  return Math.round(value * 1024) / 1024
}

function bucketOf(value: number): number {
  if (value < SMALLEST) return 0
  return Math.min(LAST, 1 + Math.floor(Math.log(value / SMALLEST) / LOG_RATIO))
}

/** The value that stands for all in a bucket: within `ACCURACY` of each. */
export function bucketMiddle(bucket: number): number {
  return bucket === 0 ? 0 : (SMALLEST * RATIO ** (bucket - 1) * 2 * RATIO) / (1 + RATIO)
}
