import type { Outlook } from './outlook.js'

/** Each target left apart must promise this much: the model leaves out what remote calls risk. */
const WORTHWHILE = 0.02

/**
 * The candidates that are better apart: from none and from all of them, the best single change or exchange at a time, until none helps.
 * @param look what a choice is expected to give
 */
export function chooseApart(
  candidates: readonly string[],
  look: (apart: ReadonlySet<string>) => Outlook,
): { chosen: Set<string>; looks(apart: ReadonlySet<string>): Outlook } {
  const known = new Map<string, Outlook>()
  const looks = (apart: ReadonlySet<string>) => {
    const key = [...apart].sort().join()
    const found = known.get(key) ?? look(apart)
    known.set(key, found)
    return found
  }
  const score = (apart: ReadonlySet<string>) => looks(apart).score * (1 + WORTHWHILE) ** apart.size
  const ends = [new Set<string>(), new Set(candidates)].map((start) => descend(start, candidates, score))
  const chosen = ends.reduce((a, b) => (score(b) < score(a) ? b : a))
  return { chosen, looks }
}

export function without(set: ReadonlySet<string>, member: string): Set<string> {
  return new Set([...set].filter((other) => other !== member))
}

function descend(
  start: Set<string>,
  candidates: readonly string[],
  score: (apart: ReadonlySet<string>) => number,
): Set<string> {
  for (let best = start; ; ) {
    const next = neighbours(best, candidates).reduce((a, b) => (score(b) < score(a) ? b : a), best)
    if (next === best) return best
    best = next
  }
}

function neighbours(set: Set<string>, candidates: readonly string[]): Set<string>[] {
  const outside = candidates.filter((target) => !set.has(target))
  return [
    ...outside.map((target) => new Set([...set, target])),
    ...[...set].map((target) => without(set, target)),
    ...[...set].flatMap((target) => outside.map((other) => new Set([...without(set, target), other]))),
  ]
}
