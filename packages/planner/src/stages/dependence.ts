import { ranks } from '../statistics/ranks.js'
import { composeValue } from './compose.js'
import { type Grid, gridOf } from './grid.js'
import type { Dependence, Shape, Workflow } from './types.js'

/**
 * How stages of one request go together, as their ranks among all runs (an empirical copula): whatever size a stage is given, its time keeps the
 * rank that it had in that run. Ranks are taken within each group of runs, so that groups measured at different sizes can be put together [ours].
 * @param groups runs measured under the same conditions: samples by stage, all of the same length and in order of the runs
 */
export function measuredDependence(groups: readonly Readonly<Record<string, readonly number[]>>[]): Dependence {
  const levels: Record<string, number[]> = {}
  for (const group of groups)
    for (const [stage, samples] of Object.entries(group)) {
      levels[stage] ??= []
      for (const rank of ranks(samples)) levels[stage].push((rank + 0.5) / samples.length)
    }
  return { levels }
}

/**
 * The measured dependence of a workflow whose stages were measured in the same runs, at the same sizes; what no memory changes counts when it has a sample
 * for each of these runs, in the same order. Undefined where no two stages share their runs.
 */
export function dependenceOf({ stages }: Workflow): Dependence | undefined {
  const measured = Object.values(stages).flatMap(({ name, time }) => (time.kind === 'measured' ? [{ name, time }] : []))
  const [one] = measured
  if (!one) return undefined
  const counts = one.time.sizes.map(({ ms }) => ms.length)
  const alike = measured.filter(({ time }) => time.sizes.map(({ ms }) => ms.length).join() === counts.join())
  const runs = counts.reduce((sum, count) => sum + count, 0)
  const fixed = Object.values(stages).flatMap(({ name, time }) =>
    time.kind === 'fixed' && time.ms.length === runs ? [{ name, ms: time.ms }] : [],
  )
  if (alike.length + fixed.length < 2) return undefined
  let from = 0
  return measuredDependence(
    counts.map((count, size) => {
      const to = from + count
      const group = [
        ...alike.map(({ name, time }) => [name, time.sizes[size]?.ms ?? []] as const),
        ...fixed.map(({ name, ms }) => [name, ms.slice(from, to)] as const),
      ]
      from = to
      return Object.fromEntries(group)
    }),
  )
}

/** Composes distributions run by run: every stage at its level of that run. Stages without known levels are taken at their median. */
export function dependentComposer(shape: Shape, { levels }: Dependence, binMs: number) {
  const runs = Math.max(...Object.values(levels).map((of) => of.length))
  const orders = new Map(
    Object.entries(levels).map(([stage, of]) => [
      stage,
      of.map((_, i) => i).sort((a, b) => level(of, a) - level(of, b)),
    ]),
  )
  const known = new Map<string, WeakMap<Grid, Float64Array>>()
  const timesOf = (stage: string, grid: Grid): Float64Array => {
    const ofStage = known.get(stage) ?? new WeakMap<Grid, Float64Array>()
    known.set(stage, ofStage)
    const found = ofStage.get(grid) ?? atLevels(grid, levels[stage] ?? [], orders.get(stage) ?? [], runs)
    ofStage.set(grid, found)
    return found
  }
  return (gridOfStage: (stage: string) => Grid): Grid => {
    const times = new Map<string, Float64Array>()
    const at = (run: number) => (stage: string) => {
      const found = times.get(stage) ?? timesOf(stage, gridOfStage(stage))
      times.set(stage, found)
      return found[run] as number
    }
    return gridOf(
      Float64Array.from({ length: runs }, (_, run) => composeValue(shape, at(run))),
      binMs,
    )
  }
}

const level = (of: readonly number[], i: number) => of[i] as number

/** Quantiles of a grid at the levels of the runs, interpolated between grid points. */
function atLevels(
  { binMs, first, mass }: Grid,
  levels: readonly number[],
  order: readonly number[],
  runs: number,
): Float64Array {
  const times = new Float64Array(runs)
  let [i, before] = [0, 0]
  const seek = (p: number) => {
    while (i < mass.length - 1 && before + (mass[i] as number) < p) before += mass[i++] as number
    const here = mass[i] as number
    // Half of a point's mass lies on either side of it.
    const part = here > 0 ? Math.min(1, Math.max(0, (p - before) / here)) - 0.5 : 0
    return Math.max(first, first + i + (mass.length === 1 ? 0 : part)) * binMs
  }
  if (order.length === 0) return times.fill(seek(0.5))
  for (const run of order) times[run] = seek(levels[run] as number)
  return times
}
