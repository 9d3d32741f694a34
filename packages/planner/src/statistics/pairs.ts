import type { Estimate } from '../types.js'
import { quantile } from './bootstrap.js'
import { rankCorrelation } from './ranks.js'

/**
 * A sample of pairs of numbers in bounded memory, mergeable: those with the smallest keys, which have nothing to do with the numbers (bottom-k
 * sampling; Cohen & Kaplan, PODC 2007). The sample of a whole is that of its parts together, in whatever order they came.
 */
export interface Pairs {
  /** How many came. */
  seen: number
  /** Ascending by key, then by the numbers. */
  kept: [key: number, x: number, y: number][]
}

/** More say little more: a correlation of so many is known to ±0.14. */
const MOST = 200
/** z of a 95% interval. */
const Z = 1.96

export function emptyPairs(): Pairs {
  return { seen: 0, kept: [] }
}

/** Adds a pair in place, to three decimals. @param key chance without a seed: `keyOf` of what names the pair */
export function notePair(pairs: Pairs, key: number, x: number, y: number): void {
  pairs.seen++
  const { kept } = pairs
  const item: Pairs['kept'][number] = [key, brief(x), brief(y)]
  const last = kept.at(-1)
  if (kept.length >= MOST && last && compare(item, last) >= 0) return
  let at = kept.length
  while (at > 0 && compare(kept[at - 1] as Pairs['kept'][number], item) > 0) at--
  kept.splice(at, 0, item)
  if (kept.length > MOST) kept.pop()
}

export function mergePairs(a: Pairs, b: Pairs): Pairs {
  return { seen: a.seen + b.seen, kept: [...a.kept, ...b.kept].sort(compare).slice(0, MOST) }
}

/** A µs of a ms is enough, and half the text. */
const brief = (value: number) => Math.round(value * 1000) / 1000

function compare(a: Pairs['kept'][number], b: Pairs['kept'][number]): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2]
}

/** A 32-bit number from a name and a place in it (FNV-1a, mixed). */
export function keyOf(name: string, index: number): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ index, 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** Spearman's rank correlation with Fisher's interval. @returns undefined for less than four pairs, or when one side does not vary */
export function correlationEstimate({ kept }: Pairs): Estimate | undefined {
  const [xs, ys] = [kept.map(([, x]) => x), kept.map(([, , y]) => y)]
  const n = kept.length
  if (n < 4 || isConstant(xs) || isConstant(ys)) return undefined
  const value = rankCorrelation(xs, ys)
  const z = Math.atanh(Math.max(-1 + 1e-9, Math.min(1 - 1e-9, value)))
  // Bonett & Wright, Psychometrika 2000: the variance of ranks' z.
  const spread = Z * Math.sqrt((1 + (value * value) / 2) / (n - 3))
  return { value, low: Math.tanh(z - spread), high: Math.tanh(z + spread), n }
}

/** y = atZero + slope · x. */
export interface Line {
  atZero: Estimate
  slope: Estimate
}

/**
 * The line through pairs that outliers do not move (Theil and Sen: the median of the slopes of all pairs of points; Sen's interval, JASA 1968).
 * @returns undefined for less than four pairs, or when x does not vary
 */
export function lineEstimate({ kept }: Pairs): Line | undefined {
  const n = kept.length
  const slopes: number[] = []
  for (const [i, [, x, y]] of kept.entries())
    for (const [, otherX, otherY] of kept.slice(i + 1)) if (x !== otherX) slopes.push((otherY - y) / (otherX - x))
  if (n < 4 || slopes.length === 0) return undefined
  slopes.sort((a, b) => a - b)
  const value = quantile(slopes, 0.5)
  const spread = (Z * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18)) / ((n * (n - 1)) / 2)
  const slope = {
    value,
    low: quantile(slopes, Math.max(0, 0.5 - spread / 2)),
    high: quantile(slopes, Math.min(1, 0.5 + spread / 2)),
    n,
  }
  return { atZero: medianEstimate(kept.map(([, x, y]) => y - value * x)), slope }
}

/** A median with the interval that its neighbours in rank give. */
function medianEstimate(values: number[]): Estimate {
  const sorted = values.sort((a, b) => a - b)
  const spread = Z / (2 * Math.sqrt(sorted.length))
  return {
    value: quantile(sorted, 0.5),
    low: quantile(sorted, Math.max(0, 0.5 - spread)),
    high: quantile(sorted, Math.min(1, 0.5 + spread)),
    n: sorted.length,
  }
}

const isConstant = (values: readonly number[]) => values.every((value) => value === values[0])
