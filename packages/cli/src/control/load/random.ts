/**
 * A stream of numbers in [0, 1) that depends on `seed` and `index` alone: request i of a load gets the same numbers under every
 * setup, however many the requests before it drew. (Marsaglia's xorshift32 after a multiplicative mix of the two.)
 */
export function randomOf(seed: number, index: number): () => number {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35)
  state ^= state >>> 15
  if (state === 0) state = 1
  const step = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 4294967296
  }
  // Neighbouring indices differ in few bits; a few steps spread them.
  for (let i = 0; i < 8; i++) step()
  return step
}
