import type { LatencyBounds } from 'fusionize/setup'
import { effectiveSetup, type FusionSetup, setupsEqual } from 'fusionize/setup'
import { best, choose, objective, satisfies, weightsOf } from '../../goals.js'
import { normalCdf } from '../../statistics/normal.js'
import type { Estimate, Goal, Measurement, Reason, Round, Strategy, StrategyContext } from '../../types.js'
import { remote } from '../reference.js'
import { objectiveOf } from './goal.js'
import { plannerOf, type SeenPlan } from './plan-seen.js'
import { type Seen, seenIn } from './seen.js'

/** Setups deployed at most, the first included; more where the goal has bounds that none has kept yet. */
const MOST = 3
const MOST_WITH_BOUNDS = 5
/** What another deployment must promise, as a share of the best objective. */
const WORTHWHILE = 0.01
/** The model's errors, as standard deviations of the logarithm: its aims are 15% of latency and 5% of cost (docs/reference/model.md), 95% of the time. */
const DOUBT = { latency: 0.075, cost: 0.025 }
/** One-sided 95%: a bound that is planned for is kept with that certainty. */
const CERTAIN = 1.645

/**
 * Plans instead of trying: from the requests of the first setup, the setup that serves the goal best by the model (`plannerOf`); deployed, it teaches the
 * model what it got wrong, its sizes above all, and the next plan is relative to the best setup measured. A plan is deployed only where it is worth it: by its
 * expected improvement on the best measured, the model's doubt considered (value of information; Jones et al., Efficient Global Optimization, 1998).
 * Bounds are planned for with a margin, so that they are kept 95 times in 100.
 */
export const plan: Strategy = {
  name: 'plan',
  source: 'docs/reference/strategies.md; WiseFuse (PAPERS §2) and Fusionize (PAPERS §1) in one search',
  first: (context, memory) => remote.first(context, memory),
  next(rounds, context) {
    const { goal } = context
    const seen = seenIn(rounds)
    const history = settledBy(goal, rounds)
    const [start] = history
    if (!start || seen.length === 0) return null
    const anchorRound = adopted(history, goal) ?? start
    if (history.length >= (satisfied(goal, anchorRound.measurement) ? MOST : MOST_WITH_BOUNDS)) return null
    const anchor = seen.find(({ setup }) => setup === anchorRound.setup) ?? (seen.at(-1) as Seen)
    const planner = plannerOf(context, seen, anchor)
    const doubt = doubtOf(history.length)
    const found = planner.plan(withMargin(goal, doubt))
    if (history.some((round) => sameEffect(context, round.setup, found.setup))) return null
    const isKept = satisfied(goal, anchorRound.measurement)
    // A bound that is not kept is worth a deployment, unless it is kept but for the interval and the plan keeps none either.
    if (!isKept && !found.feasible && satisfies(goal, anchorRound.measurement)) return null
    const improvement = isKept ? improvementOf(goal, found, anchorRound, doubt) : undefined
    if (improvement !== undefined && improvement < WORTHWHILE) return null
    return {
      setup: found.setup,
      reasons: [wholeOf(found, anchorRound, improvement), ...found.reasons],
      summary: summaryOf(found),
    }
  },
  adopt(rounds, { goal }) {
    const found = adopted(settledBy(goal, rounds), goal)
    return rounds.find(({ setup }) => setup === found?.setup)
  },
}

/** Rounds as they are compared: without the starts of their loads, whose cost a setup has once; bounds hold for every request. */
function settledBy(goal: Goal, rounds: readonly Round[]): readonly Round[] {
  if (goal.subjectTo) return rounds
  return rounds.map((round) =>
    round.settled && round.measurement.errors === 0 ? { ...round, measurement: round.settled } : round,
  )
}

/** The round whose measured figures keep the goal's bounds for sure and serve it best; else as any strategy chooses. */
function adopted(history: readonly Round[], goal: Goal): Round | undefined {
  const certain = history.filter(({ measurement: m }) => m.errors === 0 && m.requests > 0 && satisfied(goal, m))
  return goal.subjectTo && certain.length > 0 ? best(certain, goal) : choose(history, goal)
}

/** Whether bounds are kept by the whole intervals. */
function satisfied(goal: Goal, m: Measurement): boolean {
  const high = (estimate: Estimate): Estimate => ({ ...estimate, value: estimate.high })
  const latencies = ({ p50Ms, p95Ms, p99Ms }: Pick<Measurement, 'p50Ms' | 'p95Ms' | 'p99Ms'>) => ({
    p50Ms: high(p50Ms),
    p95Ms: high(p95Ms),
    p99Ms: high(p99Ms),
  })
  const cost = m.costPerMillionUsd
  const entries = Object.entries(m.entries ?? {}).map(([entry, own]) => [entry, { ...own, ...latencies(own) }])
  return satisfies(goal, {
    ...m,
    ...latencies(m),
    ...(entries.length > 0 && { entries: Object.fromEntries(entries) }),
    costPerMillionUsd: cost && high(cost),
  })
}

/** What was measured beside the anchor halves what the model may be wrong about. */
function doubtOf(rounds: number): typeof DOUBT {
  const left = 0.5 ** (rounds - 1)
  return { latency: DOUBT.latency * left, cost: DOUBT.cost * left }
}

function withMargin({ subjectTo, ...goal }: Goal, doubt: typeof DOUBT): Goal {
  if (!subjectTo) return goal
  const within = (bound: number | undefined, sigma: number) => bound && bound * Math.exp(-CERTAIN * sigma)
  const { costPerMillionUsd, entries, ...whole } = subjectTo
  const latencies = (bounds: LatencyBounds): LatencyBounds =>
    Object.fromEntries(Object.entries(bounds).map(([key, bound]) => [key, within(bound, doubt.latency)]))
  const own = Object.entries(entries ?? {}).map(([entry, bounds]) => [entry, latencies(bounds)])
  const budget = within(costPerMillionUsd, doubt.cost)
  return {
    ...goal,
    subjectTo: {
      ...latencies(whole),
      ...(budget !== undefined && { costPerMillionUsd: budget }),
      ...(own.length > 0 && { entries: Object.fromEntries(own) }),
    },
  }
}

/** Expected improvement on a measured round, as a share of its objective, of an objective that is log-normally uncertain. */
function improvementOf(goal: Goal, { figures }: SeenPlan, { measurement }: Round, doubt: typeof DOUBT): number {
  const { percentile, latencyWeight, costWeight } = weightsOf(goal.minimize)
  const isPriced = measurement.costPerMillionUsd !== null
  const sigma = isPriced ? Math.hypot(latencyWeight * doubt.latency, costWeight * doubt.cost) : doubt.latency
  const predicted = objectiveOf(isPriced ? goal : { minimize: percentile }, figures)
  const ratio = Math.log(objective(goal, measurement) / predicted)
  // E[max(0, 1 − X)] for X = exp(−ratio) exp(σ z − σ²/2).
  return normalCdf(ratio / sigma + sigma / 2) - Math.exp(-ratio) * normalCdf(ratio / sigma - sigma / 2)
}

/** @param improvement expected; absent where the bounds are the reason */
function wholeOf({ figures, gap, feasible }: SeenPlan, { measurement }: Round, improvement?: number): Reason {
  const { p50Ms, p95Ms, costPerMillionUsd } = figures
  const proof =
    gap === undefined || !Number.isFinite(gap)
      ? ''
      : gap < 1e-9
        ? '; no setup is better by the rules of the search'
        : `; at most ${(100 * gap).toFixed(1)}% from the best by the rules of the search`
  const gain =
    improvement === undefined
      ? 'what was measured does not keep the bounds with certainty'
      : `an improvement of ${(100 * improvement).toFixed(1)}% is expected`
  const bounds = feasible ? '' : '; no plan was found that keeps the bounds with certainty, this is the nearest'
  return {
    change: summaryOf({ figures }),
    why: `p50 ${p50Ms.toFixed(1)} ms, p95 ${p95Ms.toFixed(1)} ms, $${costPerMillionUsd.toFixed(2)} per million predicted, after ${measurement.p50Ms.value.toFixed(1)} ms measured; ${gain}${proof}${bounds}`,
  }
}

function summaryOf({ figures }: Pick<SeenPlan, 'figures'>): string {
  return `plan: p50 ${figures.p50Ms.toFixed(1)} ms predicted`
}

function sameEffect({ app }: StrategyContext, a: FusionSetup, b: FusionSetup): boolean {
  return setupsEqual(effectiveSetup(app, a), effectiveSetup(app, b))
}
