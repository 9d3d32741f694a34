import { quantile } from './bootstrap.js'

/** Quantiles that stand for a distribution: 1/400 steps keep p99 within half a step. */
const POINTS = 400

/**
 * Times of stages that follow each other, independent of each other: the convolution (PAPERS §2). Used where no trace holds both.
 * @param stages values of each, in any order
 * @returns ascending, equally likely
 */
export function inSeries(stages: readonly ArrayLike<number>[]): Float64Array {
  return stages.map(pointsOf).reduce((sum, stage) => {
    const all = new Float64Array(sum.length * stage.length)
    for (let i = 0, at = 0; i < sum.length; i++)
      for (let k = 0; k < stage.length; k++) all[at++] = (sum[i] as number) + (stage[k] as number)
    return pointsOf(all)
  }, Float64Array.of(0))
}

/**
 * Time of the slowest of n workers (PAPERS §2): F_max⁻¹(p) = F⁻¹(p^(1/n)) if they are independent, else F_max(x) = F(x)·[P(Xj ≤ x | Xi ≤ x)]^(n−1).
 * @param times of one worker, in any order
 * @param together P(Xj ≤ x | Xi ≤ x), as `togetherOf` measures it; absent: independent
 * @returns ascending, equally likely
 */
export function slowestOf(times: ArrayLike<number>, n: number, together?: (x: number) => number): Float64Array {
  const sorted = Float64Array.from(times).sort()
  const atMost = (x: number) => shareUpTo(sorted, x)
  const max = (x: number) => {
    const one = atMost(x)
    return one * (together ? Math.max(one, Math.min(1, together(x))) : one) ** (n - 1)
  }
  return Float64Array.from({ length: POINTS }, (_, i) => {
    const p = (i + 0.5) / POINTS
    if (!together) return quantile(sorted, p ** (1 / n))
    let low = 0
    let high = sorted.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (max(sorted[middle] as number) < p) low = middle + 1
      else high = middle
    }
    return sorted[low] as number
  })
}

/** P(Xj ≤ x | Xi ≤ x) for two workers of the same map, from recorded maps. @param maps times of the workers of each */
export function togetherOf(maps: readonly (readonly number[])[]): (x: number) => number {
  return (x) => {
    let pairs = 0
    let both = 0
    for (const times of maps) {
      const below = times.filter((ms) => ms <= x).length
      pairs += below * (times.length - 1)
      both += below * (below - 1)
    }
    return pairs === 0 ? 0 : both / pairs
  }
}

function pointsOf(values: ArrayLike<number>): Float64Array {
  const sorted = Float64Array.from(values).sort()
  if (sorted.length <= POINTS) return sorted
  return Float64Array.from({ length: POINTS }, (_, i) => quantile(sorted, (i + 0.5) / POINTS))
}

/** @param sorted ascending */
function shareUpTo(sorted: Float64Array, x: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as number) <= x) low = middle + 1
    else high = middle
  }
  return low / sorted.length
}
