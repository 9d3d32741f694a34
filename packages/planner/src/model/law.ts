/** Times of one thing at two or more sizes. */
export interface SizedTime {
  memoryMb: number
  ms: number
}

/** Numbers of threads that are considered where nothing is known. */
const THREADS = [1, 2, 4] as const

/** What a size buys: time is proportional to its inverse up to so many cores as the work has threads (PAPERS §1). 1/MB */
export function slowness(memoryMb: number, threads: number, mbPerCore: number): number {
  return 1 / Math.min(memoryMb, threads * mbPerCore)
}

/**
 * Time at another size: a + b·slowness through the nearest two known sizes, a, b ≥ 0 beyond them (PAPERS §1: median error 1.5%); with one known
 * size, only the computing scales.
 * @param points at different sizes
 * @param computing share of the time that is computing, 0…1; counts when one size is known
 */
export function timeAtSize(
  points: readonly SizedTime[],
  memoryMb: number,
  threads: number,
  mbPerCore: number,
  computing = 1,
): number {
  const exact = points.find((point) => point.memoryMb === memoryMb)
  if (exact) return exact.ms
  const at = slowness(memoryMb, threads, mbPerCore)
  const known = points
    .map(({ memoryMb: mb, ms }) => ({ x: slowness(mb, threads, mbPerCore), ms }))
    .sort((a, b) => Math.abs(a.x - at) - Math.abs(b.x - at))
  const near = known[0]
  if (!near) return Number.NaN
  // From the other side of the size if there is one, else from as far away as possible.
  const far = known.find(({ x }) => (x - at) * (near.x - at) < 0) ?? known.findLast(({ x }) => x !== near.x)
  if (!far) return near.ms * (1 - computing + (computing * at) / near.x)
  const slope = (near.ms - far.ms) / (near.x - far.x)
  if (slope <= 0) return near.ms
  const between = (at - near.x) * (at - far.x) <= 0
  const fixedMs = near.ms - slope * near.x
  // Less than no waiting: the time is all computing.
  if (!between && fixedMs < 0) return (near.ms * at) / near.x
  return near.ms + slope * (at - near.x)
}

/**
 * How many threads the work keeps busy, from its times: the number with which they leave the least waiting (or contradiction), since what scales at
 * all is mostly computing. Only sizes beyond one core can tell.
 * @returns undefined when the sizes cannot tell
 */
export function threadsOf(points: readonly SizedTime[], mbPerCore: number): number | undefined {
  const sorted = [...points].sort((a, b) => a.memoryMb - b.memoryMb)
  const small = sorted[0]
  const large = sorted.at(-1)
  if (!small || !large || large.memoryMb <= mbPerCore || small.memoryMb >= mbPerCore) return undefined
  let best: { threads: number; miss: number } | undefined
  for (const threads of THREADS) {
    if (threads > 1 && large.memoryMb <= (threads / 2) * mbPerCore) break
    const [x1, x2] = [slowness(small.memoryMb, threads, mbPerCore), slowness(large.memoryMb, threads, mbPerCore)]
    const slope = (small.ms - large.ms) / (x1 - x2)
    const miss = Math.abs(large.ms - slope * x2)
    if (!best || miss < best.miss) best = { threads, miss }
  }
  return best?.threads
}
