import { type Region, regionsOf, type Work } from './regions'
import type { Frame } from './render'
import type { Kind } from './shapes'
import { half, side, templates } from './templates'

/** An object that was found in a frame. */
export interface Detection {
  kind: Kind
  /** Its middle, pixels. */
  x: number
  y: number
  /** Correlation with the template that fits best, 1 = the same. */
  score: number
}

/** How far the middle of a region may be from the middle of its object, pixels. */
const reach = 2

/**
 * Finds the bright regions of a frame and tells by the template that fits best what each is (normalised cross-correlation, about the middle of
 * the region). The work follows from what is to be seen: a fixed part for the frame, and much more for each region.
 * @returns what was found in reading order, and how many multiplications and additions it took
 */
export function detect(frame: Frame): { found: Detection[]; operations: number } {
  const work: Work = { operations: 0 }
  const found = regionsOf(frame, work).map((region) => bestFit(frame, region, work))
  return { found, operations: work.operations }
}

function bestFit(frame: Frame, { left, right, top, bottom }: Region, work: Work): Detection {
  const middle = { x: Math.round((left + right) / 2), y: Math.round((top + bottom) / 2) }
  const patch = new Float32Array(side * side)
  let best: Detection = { kind: 'disc', ...middle, score: -1 }
  for (let dy = -reach; dy <= reach; dy++)
    for (let dx = -reach; dx <= reach; dx++) {
      const [x, y] = [middle.x + dx, middle.y + dy]
      const length = cut(frame, x, y, patch)
      for (const { kind, values } of templates()) {
        let product = 0
        for (let i = 0; i < patch.length; i++) product += (patch[i] as number) * (values[i] as number)
        if (product / length > best.score) best = { kind, x, y, score: product / length }
      }
    }
  work.operations += (2 * reach + 1) ** 2 * patch.length * (3 + 2 * templates().length)
  return { ...best, score: Math.round(best.score * 1_000) / 1_000 }
}

/** Copies the surroundings of a point, less their mean. @returns their length */
function cut({ width, height, pixels }: Frame, cx: number, cy: number, into: Float32Array): number {
  let sum = 0
  for (let i = 0; i < into.length; i++) {
    const x = Math.min(width - 1, Math.max(0, cx + (i % side) - half))
    const y = Math.min(height - 1, Math.max(0, cy + Math.floor(i / side) - half))
    into[i] = pixels[y * width + x] as number
    sum += into[i] as number
  }
  let squares = 0
  for (let i = 0; i < into.length; i++) {
    into[i] = (into[i] as number) - sum / into.length
    squares += (into[i] as number) ** 2
  }
  return Math.sqrt(squares)
}
