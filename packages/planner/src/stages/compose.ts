import { type Grid, inParallel, inSeries } from './grid.js'
import type { Shape } from './types.js'

/** Names of the stages of a shape, in the order in which they start. */
export function stagesOf(shape: Shape): string[] {
  if (typeof shape === 'string') return [shape]
  return ('series' in shape ? shape.series : shape.parallel).flatMap(stagesOf)
}

/** End-to-end distribution: series convolved, the maximum over parallel branches (PAPERS §2). @throws RangeError for an empty group */
export function compose(shape: Shape, gridOfStage: (stage: string) => Grid): Grid {
  if (typeof shape === 'string') return gridOfStage(shape)
  const parts = 'series' in shape ? shape.series : shape.parallel
  const grids = parts.map((part) => compose(part, gridOfStage))
  const join = 'series' in shape ? inSeries : inParallel
  if (grids.length === 0) throw new RangeError('a series or parallel group needs at least one stage')
  return grids.reduce(join)
}

/** The shape with a further stage at its end, waited for by all branches. */
export function followedBy(shape: Shape, stage: string): Shape {
  return { series: typeof shape !== 'string' && 'series' in shape ? [...shape.series, stage] : [shape, stage] }
}

/** The same for scalars or samples: sum in series, maximum in parallel. */
export function composeValue(shape: Shape, timeOf: (stage: string) => number): number {
  if (typeof shape === 'string') return timeOf(shape)
  const parts = 'series' in shape ? shape.series : shape.parallel
  const values = parts.map((part) => composeValue(part, timeOf))
  return 'series' in shape ? values.reduce((a, b) => a + b, 0) : Math.max(...values)
}
