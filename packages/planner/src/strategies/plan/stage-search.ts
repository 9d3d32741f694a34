import { type Grid, gridMean } from '../../stages/grid.js'
import type { SizedGroup, StageModel } from '../../stages/model.js'
import { fastestOf, type GroupOption } from './stage-options.js'

/** What the search minimises, and what it must keep. Costs in the unit of the options. */
export type StageObjective =
  | { minimize: 'cost'; percentile: number; withinMs: number }
  | { minimize: 'latency'; percentile: number; withinCost: number }

export interface StageOptimum {
  groups: SizedGroup[]
  percentileMs: number
  cost: number
}

export interface StageSearch {
  /** Undefined when nothing keeps the bound. */
  best?: StageOptimum
  /** No plan's objective is below: equal to the best's when the search was completed. */
  lowerBound: number
  /** Plans and part plans that were looked at. */
  nodes: number
  complete: boolean
}

/**
 * Branch and bound over one option per group. A part plan is bounded by giving every group that is still open its cheapest cost, and a
 * distribution at no probability slower than any of its options: series and maxima keep that order, so the bound holds. The groups whose options differ
 * most in time are decided first.
 * @param incumbent an objective that is known to be reached elsewhere: only what is better is looked for
 * @param maxNodes after these it stops and says how far the best may be from the optimum
 */
export function searchOptions(
  model: StageModel,
  options: readonly (readonly GroupOption[])[],
  objective: StageObjective,
  incumbent = Number.POSITIVE_INFINITY,
  maxNodes = Number.POSITIVE_INFINITY,
): StageSearch {
  const order = [...options]
    .sort((a, b) => spanOf(b) - spanOf(a))
    .map((of) => (objective.minimize === 'cost' ? of : byMean(of)))
  const fastest = order.map((of) => fastestOf(of.map(({ grid }) => grid)))
  const cheapest = order.map((of) => Math.min(...of.map(({ cost }) => cost)))
  const cheapestFrom = order.map((_, i) => cheapest.slice(i).reduce((sum, cost) => sum + cost, 0))
  cheapestFrom.push(0)
  const percentileOf = (chosen: readonly GroupOption[]): number => {
    const grids = new Map<string, Grid>()
    for (const [i, of] of order.entries())
      grids.set((of[0] as GroupOption).group.stages[0] as string, chosen[i]?.grid ?? (fastest[i] as Grid))
    return model.percentile(composeGrids(model, grids), objective.percentile)
  }
  let nodes = 0
  let open = Number.POSITIVE_INFINITY
  let best: StageOptimum | undefined
  const better = (value: number) => value < (best ? reachedBy(best) : incumbent) - 1e-12 * Math.abs(value)
  const reachedBy = ({ cost, percentileMs }: StageOptimum) => (objective.minimize === 'cost' ? cost : percentileMs)

  const visit = (chosen: readonly GroupOption[], cost: number): void => {
    const i = chosen.length
    const of = order[i] as readonly GroupOption[]
    for (const option of of) {
      const atLeast = cost + option.cost + (cheapestFrom[i + 1] as number)
      // Options come cheapest first, so all later ones cost more.
      if (objective.minimize === 'cost' && !better(atLeast)) break
      if (objective.minimize === 'latency' && atLeast > objective.withinCost) continue
      const next = [...chosen, option]
      if (nodes >= maxNodes) {
        open = Math.min(open, objective.minimize === 'cost' ? atLeast : percentileOf(chosen))
        return
      }
      nodes++
      const percentileMs = percentileOf(next)
      if (objective.minimize === 'cost' ? percentileMs > objective.withinMs : !better(percentileMs)) continue
      if (next.length < order.length) visit(next, cost + option.cost)
      else best = { groups: sizedOf(options, next), percentileMs, cost: cost + option.cost }
    }
  }
  visit([], 0)
  const reached = best ? reachedBy(best) : incumbent
  return {
    ...(best ? { best } : {}),
    lowerBound: Math.min(reached, open),
    nodes,
    complete: open === Number.POSITIVE_INFINITY,
  }
}

function composeGrids(model: StageModel, grids: ReadonlyMap<string, Grid>): Grid {
  return model.compose((name) => grids.get(name))
}

function spanOf(options: readonly GroupOption[]): number {
  const means = options.map(meanOf)
  return Math.max(...means) - Math.min(...means)
}

/** The fastest first: a good plan is found early, and bounds the rest. */
function byMean(options: readonly GroupOption[]): GroupOption[] {
  return [...options].sort((a, b) => meanOf(a) - meanOf(b))
}

const meanOf = ({ grid }: GroupOption) => gridMean(grid)

function sizedOf(options: readonly (readonly GroupOption[])[], chosen: readonly GroupOption[]): SizedGroup[] {
  return options.map((of) => {
    const { group, memoryMb } = chosen.find(
      ({ group: { stages } }) => stages[0] === of[0]?.group.stages[0],
    ) as GroupOption
    return { ...group, memoryMb }
  })
}
