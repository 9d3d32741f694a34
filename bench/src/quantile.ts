/** Quantile by linear interpolation (METRICS.md). @param sorted ascending */
export function quantile(sorted: ArrayLike<number>, p: number): number {
  if (sorted.length === 0) return Number.NaN
  const at = (sorted.length - 1) * p
  const low = sorted[Math.floor(at)] as number
  const high = sorted[Math.ceil(at)] as number
  return low + (high - low) * (at - Math.floor(at))
}

export function median(values: readonly number[]): number {
  return quantile(Float64Array.from(values).sort(), 0.5)
}

/** Median of the differences of equally many samples, pair by pair. */
export function pairwise(a: readonly number[], b: readonly number[]): number {
  return median(a.map((value, i) => value - (b[i] as number)))
}
