import { quantile } from '../statistics/bootstrap.js'

/**
 * A discretised distribution: `mass[i]` is the probability of the time `(first + i) × binMs`. Series are convolutions and parallel branches
 * maxima of such (PAPERS §2, Orion). Masses add up to 1.
 */
export interface Grid {
  binMs: number
  first: number
  mass: Float64Array
}

/**
 * How a sample between two grid points is noted. `mean` splits it between both so that means, and sums of means, come out exact; `up` moves it to
 * the later one, so that a percentile is never too low.
 */
export type Rounding = 'mean' | 'up'

/** @param samples ms, one or more @throws RangeError without samples */
export function gridOf(samples: ArrayLike<number>, binMs: number, rounding: Rounding = 'mean'): Grid {
  if (samples.length === 0) throw new RangeError('a distribution needs at least one sample')
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let i = 0; i < samples.length; i++) {
    const at = (samples[i] as number) / binMs
    if (at < low) low = at
    if (at > high) high = at
  }
  const first = Math.floor(low)
  const mass = new Float64Array(Math.ceil(high) - first + 1)
  const unit = 1 / samples.length
  for (let i = 0; i < samples.length; i++) {
    const at = (samples[i] as number) / binMs - first
    const below = Math.floor(at)
    const share = rounding === 'up' ? Math.ceil(at - below) : at - below
    add(mass, below, unit * (1 - share))
    if (share > 0) add(mass, below + 1, unit * share)
  }
  return { binMs, first, mass }
}

/** A constant. */
export function constantGrid(ms: number, binMs: number): Grid {
  return gridOf([ms], binMs)
}

/** One after the other, independently: the convolution. @throws RangeError when the bins differ */
export function inSeries(a: Grid, b: Grid): Grid {
  sameBins(a, b)
  const mass = new Float64Array(a.mass.length + b.mass.length - 1)
  // Few samples leave most bins of a wide distribution empty.
  const [sparse, dense] = filled(a.mass) < filled(b.mass) ? [a.mass, b.mass] : [b.mass, a.mass]
  for (let i = 0; i < sparse.length; i++) {
    const weight = sparse[i] as number
    if (weight === 0) continue
    for (let j = 0; j < dense.length; j++) (mass[i + j] as number) += weight * (dense[j] as number)
  }
  return { binMs: a.binMs, first: a.first + b.first, mass }
}

/** Side by side, independently: the maximum. @throws RangeError when the bins differ */
export function inParallel(a: Grid, b: Grid): Grid {
  sameBins(a, b)
  const first = Math.max(a.first, b.first)
  const last = Math.max(a.first + a.mass.length, b.first + b.mass.length) - 1
  const [fa, fb] = [cumulative(a), cumulative(b)]
  const mass = new Float64Array(last - first + 1)
  let before = 0
  for (let at = first; at <= last; at++) {
    const both = below(fa, at - a.first) * below(fb, at - b.first)
    mass[at - first] = both - before
    before = both
  }
  return { binMs: a.binMs, first, mass }
}

/** The distribution whose distribution function is `change` of the given one's; `change` rises from 0 to 1. */
export function reshape(grid: Grid, change: (f: number) => number): Grid {
  const mass = new Float64Array(grid.mass.length)
  const f = cumulative(grid)
  let before = 0
  for (let i = 0; i < mass.length; i++) {
    const now = i === mass.length - 1 ? 1 : Math.max(before, change(f[i] as number))
    mass[i] = now - before
    before = now
  }
  return { ...grid, mass }
}

/**
 * The time within which a share of p ends: the first grid point that reaches it, or with `between` interpolated between grid points, which makes
 * it continuous in the masses. @param p 0…1
 */
export function gridQuantile({ binMs, first, mass }: Grid, p: number, between = false): number {
  let before = 0
  for (let i = 0; i < mass.length; i++) {
    const now = before + (mass[i] as number)
    // Sums of many small masses miss 1 by rounding.
    if (now >= p - 1e-12) {
      const part = between && now > before ? Math.min(1, (p - before) / (now - before)) : 1
      return (first + i - 1 + part) * binMs
    }
    before = now
  }
  return (first + mass.length - 1) * binMs
}

export function gridMean({ binMs, first, mass }: Grid): number {
  let sum = 0
  for (let i = 0; i < mass.length; i++) sum += (mass[i] as number) * (first + i)
  return sum * binMs
}

/** As many equally likely values as asked for. */
export function gridSamples(grid: Grid, count: number): number[] {
  const f = cumulative(grid)
  let i = 0
  return Array.from({ length: count }, (_, k) => {
    while (i < f.length - 1 && (f[i] as number) < (k + 0.5) / count) i++
    return (grid.first + i) * grid.binMs
  })
}

/** Equally likely values of a sample: its quantiles at (k + ½) / count. */
export function spread(samples: ArrayLike<number>, count: number): Float64Array {
  const sorted = Float64Array.from(samples).sort()
  return Float64Array.from({ length: count }, (_, k) => quantile(sorted, (k + 0.5) / count))
}

function filled(mass: Float64Array): number {
  let count = 0
  for (let i = 0; i < mass.length; i++) if (mass[i] !== 0) count++
  return count
}

function cumulative({ mass }: Grid): Float64Array {
  const f = new Float64Array(mass.length)
  let sum = 0
  for (let i = 0; i < mass.length; i++) {
    sum += mass[i] as number
    f[i] = sum
  }
  return f
}

function below(f: Float64Array, index: number): number {
  return index < 0 ? 0 : index >= f.length - 1 ? 1 : (f[index] as number)
}

function add(mass: Float64Array, index: number, value: number): void {
  mass[index] = (mass[index] as number) + value
}

function sameBins(a: Grid, b: Grid): void {
  if (a.binMs !== b.binMs) throw new RangeError(`distributions of ${a.binMs} ms and ${b.binMs} ms bins do not compose`)
}
