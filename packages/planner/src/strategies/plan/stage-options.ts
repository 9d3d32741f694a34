import { stagesOf } from '../../stages/compose.js'
import type { Grid } from '../../stages/grid.js'
import { type Group, type StageModel, separateGroups } from '../../stages/model.js'

/** One way to run a group: its bundle and size, with what it is predicted to do. */
export interface GroupOption {
  group: Group
  memoryMb: number
  /** Time of the slowest of its sandboxes. */
  grid: Grid
  /** USD per request, or MB·ms where that is what costs. */
  cost: number
}

/** Neighbours in series that one sandbox may run: of equal DOP, with known work. As pairs of stage names. */
export function fusableEdges({ workflow }: StageModel): [string, string][] {
  const found: [string, string][] = []
  const fusable = (name: unknown) => typeof name === 'string' && workflow.stages[name]?.time.kind === 'work'
  const visit = (shape: typeof workflow.shape): void => {
    if (typeof shape === 'string') return
    const parts = 'series' in shape ? shape.series : shape.parallel
    for (const [i, part] of parts.entries()) {
      visit(part)
      const before = parts[i - 1]
      if ('parallel' in shape || !fusable(before) || !fusable(part)) continue
      const [a, b] = [before as string, part as string]
      if (workflow.stages[a]?.dop === workflow.stages[b]?.dop) found.push([a, b])
    }
  }
  visit(workflow.shape)
  return found
}

/** The groups that fusing these edges makes, in the order of the stages. */
export function groupsOf(model: StageModel, fused: readonly (readonly [string, string])[]): Group[] {
  const groups = new Map(separateGroups(model.workflow).map((group) => [group.stages[0] as string, group]))
  const order = stagesOf(model.workflow.shape)
  for (const [a, b] of [...fused].sort((x, y) => order.indexOf(x[0]) - order.indexOf(y[0]))) {
    const first = [...groups.values()].find(({ stages }) => stages.includes(a)) as Group
    const second = groups.get(b) as Group
    groups.delete(b)
    groups.set(first.stages[0] as string, { ...first, stages: [...first.stages, ...second.stages] })
  }
  return [...groups.values()]
}

/** Bundles worth looking at for n items (BASELINES, `wisefuse`). */
export function bundleSizes(n: number): number[] {
  return [...new Set([1, 2, 3, 5, 10, 15, 20, 30, n])].filter((b) => b <= n).sort((a, b) => a - b)
}

/**
 * All ways to run a group that may be best: the cheaper first, without those that another one beats in cost and, at every probability, in time. Since
 * series and maxima keep that order (first-order stochastic dominance), no optimum is lost.
 */
export function optionsOf(
  model: StageModel,
  group: Group,
  ladderMb: readonly number[],
  costOf: (model: StageModel, group: Group, memoryMb: number) => number,
): GroupOption[] {
  const dop = model.workflow.stages[group.stages[0] as string]?.dop ?? 1
  const all = bundleSizes(dop).flatMap((bundle) => {
    const bundled = { ...group, bundle }
    return ladderMb
      .filter((memoryMb) => model.fits(bundled, memoryMb))
      .map((memoryMb): GroupOption => {
        const grid = model.stage(bundled, memoryMb)
        return { group: bundled, memoryMb, grid, cost: costOf(model, bundled, memoryMb) }
      })
  })
  all.sort((a, b) => a.cost - b.cost)
  return all.filter((option, i) => !all.slice(0, i).some((cheaper) => isFaster(cheaper.grid, option.grid)))
}

/** Cost of a group alone. */
export const usdOf = (model: StageModel, group: Group, memoryMb: number): number => {
  const { perGbSecond, perRequest } = model.facts.prices
  return (mbMsOf(model, group, memoryMb) / 1024 / 1000) * perGbSecond + model.sandboxes(group) * perRequest
}

/** Σ MB × ms of a group alone. */
export const mbMsOf = (model: StageModel, group: Group, memoryMb: number): number =>
  model.sandboxes(group) * model.billedMs(group, memoryMb) * memoryMb

/** Whether `a` is at no probability slower than `b`. */
export function isFaster(a: Grid, b: Grid): boolean {
  let [fa, fb] = [0, 0]
  const [from, to] = [Math.min(a.first, b.first), Math.max(a.first + a.mass.length, b.first + b.mass.length)]
  for (let at = from; at < to; at++) {
    fa += a.mass[at - a.first] ?? 0
    fb += b.mass[at - b.first] ?? 0
    if (fa < fb - 1e-12) return false
  }
  return true
}

/** A distribution that is at no probability slower than any of these: what a group could at best do. */
export function fastestOf(grids: readonly Grid[]): Grid {
  const [one] = grids
  if (!one) throw new RangeError('a group has no size at which it fits')
  const first = Math.min(...grids.map((grid) => grid.first))
  const last = Math.max(...grids.map((grid) => grid.first + grid.mass.length))
  const sums = grids.map(() => 0)
  const mass = new Float64Array(last - first)
  let before = 0
  for (let at = first; at < last; at++) {
    for (const [i, grid] of grids.entries()) (sums[i] as number) += grid.mass[at - grid.first] ?? 0
    const most = Math.max(before, ...sums)
    mass[at - first] = most - before
    before = most
  }
  return { binMs: one.binMs, first, mass }
}
