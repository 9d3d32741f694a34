import type { Frame } from './render'

const bins = 32

/**
 * The frame that is most like all of them: whose histogram of brightness is nearest to the mean one (sum of absolute differences, the first
 * of equals).
 */
export function representativeOf(frames: readonly Frame[]): number {
  const histograms = frames.map(histogramOf)
  const mean = new Float64Array(bins)
  for (const histogram of histograms)
    for (let i = 0; i < bins; i++) mean[i] = (mean[i] as number) + (histogram[i] as number) / frames.length
  let nearest = 0
  let least = Number.POSITIVE_INFINITY
  for (const [n, histogram] of histograms.entries()) {
    let far = 0
    for (let i = 0; i < bins; i++) far += Math.abs((histogram[i] as number) - (mean[i] as number))
    if (far < least) {
      least = far
      nearest = n
    }
  }
  return nearest
}

function histogramOf({ pixels }: Frame): Uint32Array {
  const counts = new Uint32Array(bins)
  for (const pixel of pixels) counts[pixel >> 3] = (counts[pixel >> 3] as number) + 1
  return counts
}
