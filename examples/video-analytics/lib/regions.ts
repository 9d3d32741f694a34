import type { Frame } from './render'

/** A connected bright region: its box and how many pixels it has. */
export interface Region {
  left: number
  top: number
  right: number
  bottom: number
  pixels: number
}

/** Multiplications and additions that were needed so far. */
export interface Work {
  operations: number
}

/** Fewer pixels than this are noise. */
const leastPixels = 12

/**
 * Bright regions of a frame: smoothed by a Gaussian of 5 × 5 (twice 1 × 5), compared with the median of the row, and joined where pixels
 * touch (a flood of each region, in reading order).
 */
export function regionsOf(frame: Frame, work: Work): Region[] {
  const { width, height } = frame
  const smooth = smoothed(frame, work)
  const bright = new Uint8Array(width * height)
  for (let y = 0; y < height; y++) {
    const row = smooth.subarray(y * width, (y + 1) * width)
    // The median stands still where a row is full of objects; a mean does not.
    const level = (row.slice().sort()[Math.floor(width / 2)] as number) + 25
    for (let x = 0; x < width; x++) if ((row[x] as number) > level) bright[y * width + x] = 1
  }
  work.operations += 2 * width * height
  const regions: Region[] = []
  for (let at = 0; at < bright.length; at++) {
    if (bright[at] !== 1) continue
    const region = flood(bright, width, height, at, work)
    if (region.pixels >= leastPixels) regions.push(region)
  }
  return regions
}

function smoothed({ width, height, pixels }: Frame, work: Work): Float32Array {
  const across = new Float32Array(width * height)
  const both = new Float32Array(width * height)
  const at = (from: Uint8Array | Float32Array, x: number, y: number) =>
    from[Math.min(height - 1, Math.max(0, y)) * width + Math.min(width - 1, Math.max(0, x))] as number
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      across[y * width + x] =
        (at(pixels, x - 2, y) +
          at(pixels, x + 2, y) +
          4 * (at(pixels, x - 1, y) + at(pixels, x + 1, y)) +
          6 * at(pixels, x, y)) /
        16
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      both[y * width + x] =
        (at(across, x, y - 2) +
          at(across, x, y + 2) +
          4 * (at(across, x, y - 1) + at(across, x, y + 1)) +
          6 * at(across, x, y)) /
        16
  work.operations += 2 * 7 * width * height
  return both
}

/** Takes a region off the map. */
function flood(bright: Uint8Array, width: number, height: number, start: number, work: Work): Region {
  const region = { left: width, top: height, right: 0, bottom: 0, pixels: 0 }
  const open = [start]
  bright[start] = 2
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const x = at % width
    const y = (at - x) / width
    region.left = Math.min(region.left, x)
    region.right = Math.max(region.right, x)
    region.top = Math.min(region.top, y)
    region.bottom = Math.max(region.bottom, y)
    region.pixels++
    for (let dy = -1; dy <= 1; dy++)
      for (let dx = -1; dx <= 1; dx++) {
        const next = at + dy * width + dx
        if (x + dx < 0 || x + dx >= width || y + dy < 0 || y + dy >= height || bright[next] !== 1) continue
        bright[next] = 2
        open.push(next)
      }
  }
  work.operations += 8 * region.pixels
  return region
}
