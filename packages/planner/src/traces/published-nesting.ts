import type { TimedRun } from './published-structure.js'

/** So many of the runs must agree. */
const AGREE = 0.95
/** Taking the inner call's time away must leave no more of the outer's spread than this. */
const EXPLAINED = 0.6
/** Times that differ by less tell nothing, ms. */
const LEAST_SPREAD_MS = 1
/** Fewer runs tell nothing. */
const ENOUGH = 10
const ROUNDING_MS = 1

/**
 * Which calls of a function were made by a task that ran inline in it, though records name only the function: a call that ended before an inline call did,
 * was never longer, and without whose time the inline call's time spreads much less.
 * @param inline keys of inline calls that the function waited for
 * @returns key of the outer call by key of the inner
 */
export function nestingOf(runs: readonly TimedRun[], inline: ReadonlySet<string>): Map<string, string> {
  const parents = new Map<string, string>()
  const known = runs.map(({ calls }) => new Map(calls.map(({ key, ms }, i) => [key, { ms, at: i }])))
  const keys = new Set(known.flatMap((calls) => [...calls.keys()]))
  for (const inner of keys) {
    let least = EXPLAINED
    for (const outer of inline) {
      if (outer === inner) continue
      const share = leftSpread(known, inner, outer)
      if (share >= least) continue
      least = share
      parents.set(inner, outer)
    }
  }
  return parents
}

/** @returns share of the outer call's spread that is left without the inner's time; 1 if it cannot be inside */
function leftSpread(
  runs: readonly ReadonlyMap<string, { ms: number; at: number }>[],
  inner: string,
  outer: string,
): number {
  const outers: number[] = []
  const rests: number[] = []
  let seen = 0
  for (const calls of runs) {
    const [a, b] = [calls.get(inner), calls.get(outer)]
    if (b) seen++
    if (!a || !b || a.at > b.at || a.ms > b.ms + ROUNDING_MS) continue
    outers.push(b.ms)
    rests.push(b.ms - a.ms)
  }
  if (rests.length < ENOUGH || rests.length < AGREE * seen) return 1
  const spread = spreadOf(outers)
  return spread < LEAST_SPREAD_MS ? 1 : spreadOf(rests) / spread
}

/** Middle distance from the middle. */
function spreadOf(values: readonly number[]): number {
  const middle = (list: number[]) => list.sort((a, b) => a - b)[Math.floor((list.length - 1) / 2)] ?? 0
  const level = middle([...values])
  return middle(values.map((value) => Math.abs(value - level)))
}
