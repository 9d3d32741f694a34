import { spread } from './grid.js'
import type { InterpolationLaw, Measured } from './types.js'

/** Quantiles that stand for a measured distribution: as many as the published profiles have runs. */
const POINTS = 300

/**
 * A stage at any memory between its smallest and its largest measured size, as equally likely times: every percentile interpolated between
 * the neighbouring sizes (PAPERS §2). @throws RangeError outside the measured range: nothing is known there
 */
export function samplesAt({ sizes }: Measured, memoryMb: number, law: InterpolationLaw, points = POINTS): Float64Array {
  const upper = sizes.findIndex((size) => size.memoryMb >= memoryMb)
  const above = sizes[upper]
  if (above?.memoryMb === memoryMb) return spread(above.ms, points)
  const under = sizes[upper - 1]
  if (!above || !under) {
    const range = `${sizes[0]?.memoryMb} to ${sizes.at(-1)?.memoryMb} MB`
    throw new RangeError(`${memoryMb} MB is outside the measured sizes, ${range}; measure there first`)
  }
  const [low, high] = [spread(under.ms, points), spread(above.ms, points)]
  const share = shareOf(law, under.memoryMb, above.memoryMb, memoryMb)
  return low.map((ms, i) => ms + share * ((high[i] as number) - ms))
}

/** How far along from `low` to `high` a size is, 0…1. */
function shareOf(law: InterpolationLaw, low: number, high: number, at: number): number {
  return law === 'linear' ? (at - low) / (high - low) : (1 / low - 1 / at) / (1 / low - 1 / high)
}
