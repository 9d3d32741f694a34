/**
 * Numbers in [0, 1) that follow from the seed alone: FNV-1a of its text to start with, then SplitMix32.
 * @param seed what is drawn, by name: `scene/7/3`
 */
export function draws(seed: string): () => number {
  let state = 2166136261
  for (const letter of seed) state = Math.imul(state ^ letter.charCodeAt(0), 16777619)
  return () => {
    state = (state + 0x9e3779b9) | 0
    let x = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97)
    return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32
  }
}

/** Numbers of the standard normal distribution (Box and Muller's method), two of `draw` for each. */
export function gaussian(draw: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw())
}
