import type { LatencyBounds, Minimize, Weights } from 'fusionize/setup'
import type { Estimate, Goal, Measurement, Round } from './types.js'

/**
 * What the goal minimises, as one number: the smaller the better. `balanced` is the product of median latency and cost, so a percent of
 * the one weighs as much as a percent of the other. Without a known cost, latency decides.
 */
export function objective(goal: Goal, m: Measurement): number {
  return objectiveEstimate(goal, m).value
}

/** The same with its 95% interval; that of a product from both, as if they were independent. */
export function objectiveEstimate(goal: Goal, m: Measurement): Estimate {
  const cost = m.costPerMillionUsd
  if (goal.minimize === 'cost') return cost ?? m.p50Ms
  const { percentile, latencyWeight, costWeight } = weightsOf(goal.minimize)
  const latency = m[`${percentile}Ms`]
  return cost && costWeight > 0 ? product(power(latency, latencyWeight), power(cost, costWeight)) : latency
}

/** How much latency and cost weigh in what is minimised. */
export function weightsOf(minimize: Minimize): Weights {
  if (typeof minimize !== 'string') return minimize
  if (minimize === 'cost') return { percentile: 'p50', latencyWeight: 0, costWeight: 1 }
  if (minimize === 'balanced') return { percentile: 'p50', latencyWeight: 1, costWeight: 1 }
  return { percentile: minimize, latencyWeight: 1, costWeight: 0 }
}

/** What is minimised, in words. */
export function minimizeText(minimize: Minimize): string {
  if (minimize === 'balanced') return 'median latency × cost'
  if (typeof minimize === 'string') return minimize
  const { percentile, latencyWeight, costWeight } = minimize
  return `${percentile}^${latencyWeight} × cost^${costWeight}`
}

function power({ value, low, high, n }: Estimate, exponent: number): Estimate {
  return { value: value ** exponent, low: low ** exponent, high: high ** exponent, n }
}

function product(a: Estimate, b: Estimate): Estimate {
  const value = a.value * b.value
  const relative = (end: 'low' | 'high') => Math.hypot(a[end] / a.value - 1, b[end] / b.value - 1)
  return { value, low: value * (1 - relative('low')), high: value * (1 + relative('high')), n: Math.min(a.n, b.n) }
}

/** Whether the measured values keep the goal's bounds. A cost that is not known keeps any. */
export function satisfies(goal: Goal, m: Measurement): boolean {
  return overshoot(goal, m) <= 1
}

/** The largest ratio of a measured value to its bound; 0 without bounds. */
function overshoot({ subjectTo = {} }: Goal, m: Measurement): number {
  const ratio = (estimate: Estimate | null, bound: number | undefined) =>
    bound === undefined || estimate === null ? 0 : estimate.value / bound
  const latencies = (of: Pick<Measurement, 'p50Ms' | 'p95Ms' | 'p99Ms'>, bounds: LatencyBounds) =>
    Math.max(...(['p50Ms', 'p95Ms', 'p99Ms'] as const).map((key) => ratio(of[key], bounds[key])))
  // Where one entry was asked alone, the whole is its own.
  const entries = Object.entries(subjectTo.entries ?? {}).map(([entry, bounds]) => {
    const own = m.entries ? m.entries[entry] : m
    return own ? latencies(own, bounds) : 0
  })
  return Math.max(latencies(m, subjectTo), ratio(m.costPerMillionUsd, subjectTo.costPerMillionUsd), ...entries)
}

/** Whether `a` serves the goal better than `b` beyond the 95% intervals. */
export function better(goal: Goal, a: Measurement, b: Measurement): boolean {
  return objectiveEstimate(goal, a).high < objectiveEstimate(goal, b).low
}

/** Whether `a` is better than `b` in median latency or cost beyond the 95% intervals, and no worse in the other. */
export function dominates(a: Measurement, b: Measurement): boolean {
  const pairs: [Estimate, Estimate][] = [[a.p50Ms, b.p50Ms]]
  if (a.costPerMillionUsd && b.costPerMillionUsd) pairs.push([a.costPerMillionUsd, b.costPerMillionUsd])
  return pairs.every(([x, y]) => x.value <= y.value) && pairs.some(([x, y]) => x.high < y.low)
}

/**
 * Order of measurements under a goal, the best first: fewer errors (as a share), then bounds kept or the least overshoot, then the
 * objective.
 */
export function compareRows(goal: Goal): (a: Measurement, b: Measurement) => number {
  const errors = (m: Measurement) => (m.requests === 0 ? 1 : m.errors / m.requests)
  return (a, b) =>
    errors(a) - errors(b) ||
    Math.max(1, overshoot(goal, a)) - Math.max(1, overshoot(goal, b)) ||
    objective(goal, a) - objective(goal, b)
}

/** The best of the rounds that had no errors, by `compareRows`; of equals the earliest. */
export function best(rounds: readonly Round[], goal: Goal): Round | undefined {
  const sound = rounds.filter(({ measurement: m }) => m.errors === 0 && m.requests > 0)
  const compare = compareRows(goal)
  return sound.reduce<Round | undefined>((a, b) => (a && compare(a.measurement, b.measurement) <= 0 ? a : b), undefined)
}

/**
 * The round to adopt: the best, if it is better than the first one beyond the intervals, or keeps bounds better than that does. Else the first
 * stays, so the loop never ends on a setup worse than the start, nor on one that only chance made look better.
 */
export function choose(history: readonly Round[], goal: Goal): Round | undefined {
  const found = best(history, goal)
  const [first] = history
  if (!found || !first || found === first) return found
  const m = first.measurement
  const firstIsSound = m.errors === 0 && m.requests > 0
  const tighter = Math.max(1, overshoot(goal, found.measurement)) < Math.max(1, overshoot(goal, m))
  return !firstIsSound || tighter || better(goal, found.measurement, m) ? found : first
}
