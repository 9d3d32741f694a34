import type { Outlook } from './outlook.js'

/** Each target left apart must promise this much: the model leaves out what remote calls risk. */
const WORTHWHILE = 0.02
/** More candidates are not tried in exchange for each other: there would be too many pairs. */
const MAX_EXCHANGED = 8

/**
 * The candidates that are better apart: from none and from all of them, one change at a time, then one exchange, until none helps.
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
  let best = start
  const improve = (choices: readonly ((set: Set<string>) => Set<string> | undefined)[]) => {
    const before = best
    for (const choice of choices) {
      const next = choice(best)
      if (next && score(next) < score(best)) best = next
    }
    return best !== before
  }
  const changes = candidates.map((target) => (set: Set<string>) => toggled(set, target))
  const exchanges = candidates.flatMap((target) =>
    candidates.map((other) => (set: Set<string>) => exchanged(set, target, other)),
  )
  while (improve(changes) || (candidates.length <= MAX_EXCHANGED && improve(exchanges)));
  return best
}

function toggled(set: Set<string>, target: string): Set<string> {
  return set.has(target) ? without(set, target) : new Set([...set, target])
}

function exchanged(set: Set<string>, out: string, into: string): Set<string> | undefined {
  return set.has(out) && !set.has(into) ? new Set([...without(set, out), into]) : undefined
}
