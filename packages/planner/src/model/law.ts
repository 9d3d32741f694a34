/** Times of one thing at one size. */
export interface SizedTime {
  memoryMb: number
  ms: number
}

/** What a time is made of. */
export interface Work {
  /** Computing, ms of one core. */
  coreMs: number
  /** Waiting, which no memory shortens. ms */
  waitMs: number
}

/**
 * A platform that gives a share of a core gives it in turns: in every period a sandbox computes until its share of the period is used up, then it
 * stands still. AWS Lambda's period is 20 ms (Linux' CFS bandwidth control; short work at 128 MB ends in steps of it).
 */
export const PERIOD_MS = 20

/** Numbers of threads that are considered where nothing is known. */
const THREADS = [1, 2, 4] as const

/** More threads are believed when they explain the times better by this share: machines of one size differ by as much. */
const CLEARLY = 0.05

/** Periods so short that a share of a core is a slower core. */
export const NO_PERIOD_MS = 1e-6

/** Computing that a size allows in one period, ms of one core. */
export function quotaMs(memoryMb: number, mbPerCore: number, periodMs: number = PERIOD_MS): number {
  return (periodMs * memoryMb) / mbPerCore
}

/**
 * How long work takes that begins with a fresh quota: unhindered up to one period's quota, beyond that once around for each quota. For long work this
 * is the law of PAPERS §1, a + b/MB up to threads × 1769 MB, less one stop; short work (a hand-over) is as fast from some 700 MB on as it ever gets.
 */
export function timeOf(
  { coreMs, waitMs }: Work,
  memoryMb: number,
  threads: number,
  mbPerCore: number,
  periodMs: number = PERIOD_MS,
): number {
  return waitMs + computingTime(coreMs, memoryMb, threads, mbPerCore, periodMs)
}

function computingTime(
  coreMs: number,
  memoryMb: number,
  threads: number,
  mbPerCore: number,
  periodMs: number = PERIOD_MS,
): number {
  const quota = quotaMs(memoryMb, mbPerCore, periodMs)
  return coreMs / threads + Math.max(0, coreMs / quota - 1) * stopMs(memoryMb, threads, mbPerCore, periodMs)
}

/** What is left of a period when the quota is used up, ms. */
export function stopMs(memoryMb: number, threads: number, mbPerCore: number, periodMs: number = PERIOD_MS): number {
  return Math.max(0, periodMs - quotaMs(memoryMb, mbPerCore, periodMs) / threads)
}

/** Computing that takes so long at a size, ms of one core. */
export function coreMsOf(
  ms: number,
  memoryMb: number,
  threads: number,
  mbPerCore: number,
  periodMs: number = PERIOD_MS,
): number {
  const quota = quotaMs(memoryMb, mbPerCore, periodMs)
  const stop = stopMs(memoryMb, threads, mbPerCore, periodMs)
  return stop === 0 || ms <= quota / threads ? ms * threads : (ms + stop) / (1 / threads + stop / quota)
}

/** Computing and waiting from the times at two sizes; all waiting if memory does not help. */
export function workOf(
  a: SizedTime,
  b: SizedTime,
  threads: number,
  mbPerCore: number,
  periodMs: number = PERIOD_MS,
): Work {
  const [small, large] = a.memoryMb < b.memoryMb ? [a, b] : [b, a]
  const gainMs = small.ms - large.ms
  const gainOf = (coreMs: number) =>
    computingTime(coreMs, small.memoryMb, threads, mbPerCore, periodMs) -
    computingTime(coreMs, large.memoryMb, threads, mbPerCore, periodMs)
  let high = coreMsOf(small.ms, small.memoryMb, threads, mbPerCore, periodMs)
  if (gainMs <= 0) return { coreMs: 0, waitMs: large.ms }
  if (gainOf(high) < gainMs) return { coreMs: high, waitMs: 0 }
  let low = 0
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2
    if (gainOf(middle) < gainMs) low = middle
    else high = middle
  }
  return {
    coreMs: high,
    waitMs: Math.max(0, large.ms - computingTime(high, large.memoryMb, threads, mbPerCore, periodMs)),
  }
}

/**
 * Time at another size from the two nearest known (one on each side, if there is); from one, with the share of it that is computing. Exact at known sizes.
 * @param points at different sizes
 * @param computing 0…1; counts when one size is known
 * @returns NaN without points
 */
export function timeAtSize(
  points: readonly SizedTime[],
  memoryMb: number,
  threads: number,
  mbPerCore: number,
  computing = 1,
  periodMs: number = PERIOD_MS,
): number {
  const flat = threads * mbPerCore
  const effective = (mb: number) => Math.min(mb, flat)
  const exact = points.find((point) => point.memoryMb === memoryMb)
  if (exact) return exact.ms
  const near = [...points].sort((a, b) => distance(a.memoryMb, memoryMb) - distance(b.memoryMb, memoryMb))
  const first = near[0]
  if (!first) return Number.NaN
  const isAcross = (mb: number) => mb > memoryMb !== first.memoryMb > memoryMb
  const second =
    near.find((point) => isAcross(point.memoryMb) && effective(point.memoryMb) !== effective(first.memoryMb)) ??
    near.findLast((point) => effective(point.memoryMb) !== effective(first.memoryMb))
  if (!second) {
    const coreMs = coreMsOf(first.ms * computing, effective(first.memoryMb), threads, mbPerCore, periodMs)
    return timeOf({ coreMs, waitMs: first.ms * (1 - computing) }, effective(memoryMb), threads, mbPerCore, periodMs)
  }
  const at = (point: SizedTime): SizedTime => ({ memoryMb: effective(point.memoryMb), ms: point.ms })
  const work = workOf(at(first), at(second), threads, mbPerCore, periodMs)
  const lawAt = (mb: number) => timeOf(work, effective(mb), threads, mbPerCore, periodMs)
  if (first.ms <= 0 || second.ms <= 0) return Math.max(0, lawAt(memoryMb))
  // Where the law misses a known time (all computing, yet not quite in proportion), it is bent to hit both.
  const share = isAcross(second.memoryMb)
    ? distance(memoryMb, first.memoryMb) / distance(second.memoryMb, first.memoryMb)
    : 0
  const bend = (point: SizedTime) => Math.log(point.ms / lawAt(point.memoryMb))
  return lawAt(memoryMb) * Math.exp(bend(first) * (1 - share) + bend(second) * share)
}

function distance(a: number, b: number): number {
  return Math.abs(Math.log(a / b))
}

/**
 * How many threads the work keeps busy, from its times: the number that explains the time at the largest size best if all is computing. Only sizes
 * beyond one core can tell.
 * @returns undefined when the sizes cannot tell
 */
export function threadsOf(
  points: readonly SizedTime[],
  mbPerCore: number,
  periodMs: number = PERIOD_MS,
): number | undefined {
  const sorted = [...points].sort((a, b) => a.memoryMb - b.memoryMb)
  const small = sorted[0]
  const large = sorted.at(-1)
  if (!small || !large || large.memoryMb <= mbPerCore || small.memoryMb >= mbPerCore || large.ms <= 0) return undefined
  let best: { threads: number; miss: number } | undefined
  for (const threads of THREADS) {
    if (threads > 1 && large.memoryMb <= (threads / 2) * mbPerCore) break
    const coreMs = coreMsOf(small.ms, small.memoryMb, threads, mbPerCore, periodMs)
    const ms = timeOf(
      { coreMs, waitMs: 0 },
      Math.min(large.memoryMb, threads * mbPerCore),
      threads,
      mbPerCore,
      periodMs,
    )
    const miss = Math.abs(Math.log(ms / large.ms))
    if (!best || miss < best.miss - CLEARLY) best = { threads, miss }
  }
  return best?.threads
}
