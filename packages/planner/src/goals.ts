import type { Estimate, Goal, Measurement, Round } from './types.js'

/**
 * What the goal minimises, as one number: the smaller the better. `balanced` is the product of median latency and cost, so a percent of
 * the one weighs as much as a percent of the other. Without a known cost, latency decides.
 */
export function objective(goal: Goal, m: Measurement): number {
  const cost = m.costPerMillionUsd?.value
  switch (goal.minimize) {
    case 'p50':
      return m.p50Ms.value
    case 'p95':
      return m.p95Ms.value
    case 'p99':
      return m.p99Ms.value
    case 'cost':
      return cost ?? m.p50Ms.value
    case 'balanced':
      return m.p50Ms.value * (cost ?? 1)
  }
}

/** Whether the measured values keep the goal's bounds. */
export function satisfies(goal: Goal, m: Measurement): boolean {
  const { p50Ms, p95Ms, p99Ms, costPerMillionUsd } = goal.subjectTo ?? {}
  const within = (estimate: Estimate | null, bound: number | undefined) =>
    bound === undefined || estimate === null || estimate.value <= bound
  return (
    within(m.p50Ms, p50Ms) &&
    within(m.p95Ms, p95Ms) &&
    within(m.p99Ms, p99Ms) &&
    within(m.costPerMillionUsd, costPerMillionUsd)
  )
}

/** Whether `a` is better than `b` in median latency or cost beyond the 95% intervals, and no worse in the other. */
export function dominates(a: Measurement, b: Measurement): boolean {
  const pairs: [Estimate, Estimate][] = [[a.p50Ms, b.p50Ms]]
  if (a.costPerMillionUsd && b.costPerMillionUsd) pairs.push([a.costPerMillionUsd, b.costPerMillionUsd])
  return pairs.every(([x, y]) => x.value <= y.value) && pairs.some(([x, y]) => x.high < y.low)
}

/**
 * The round to adopt: the best by the goal among those without errors that keep its bounds; where none keeps them, the best of all. The
 * first round is among the candidates, so the loop never ends on a setup worse than the start.
 */
export function choose(history: readonly Round[], goal: Goal): Round | undefined {
  const sound = history.filter((round) => round.measurement.errors === 0 && round.measurement.requests > 0)
  const within = sound.filter((round) => satisfies(goal, round.measurement))
  const candidates = within.length > 0 ? within : sound
  return candidates.reduce<Round | undefined>(
    (best, round) => (best && objective(goal, best.measurement) <= objective(goal, round.measurement) ? best : round),
    undefined,
  )
}
