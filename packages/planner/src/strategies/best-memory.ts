import { type FusionSetup, reachableFunctions, setupsEqual } from 'fusionize/setup'
import { best, objective, satisfies } from '../goals.js'
import type { Goal, Measurement, Proposal, Round, Strategy, StrategyContext } from '../types.js'
import { fitTimes, timeAt } from './fit.js'
import { allowedSizes, nearest } from './memory.js'

/** Sizes tried beyond the two of the fit. */
const MAX_TRIALS = 2
/** Share of a core of the second size. */
const PROBE = 0.6

/**
 * A reference at its best single memory for the goal (BASELINES, `@best`): it is measured at two sizes, a + b/MB is fitted to its latency and to
 * its billed time, the ladder's best by that is measured, and once more if the fit through three then points elsewhere. The best that was measured
 * is the result, never a prediction.
 */
export function bestMemory(base: Strategy): Strategy {
  const name = `${base.name}@best`
  const at = (context: StrategyContext, memory: number): Proposal => {
    const { setup, reasons } = base.first(context, memory)
    return { setup, reasons, summary: `${base.name} at ${memory} MB` }
  }
  return {
    name,
    source: base.source,
    first: at,
    next(history, context) {
      const [first] = history
      if (!first || history.length >= 2 + MAX_TRIALS || !context.facts.cpuShareEnforced) return null
      const sizes = commonSizes(context, base)
      const size = history.length === 1 ? probeSize(first.setup, context, sizes) : fittedSize(history, context, sizes)
      if (size === undefined) return null
      const proposal = at(context, size)
      return history.some((round) => setupsEqual(round.setup, proposal.setup)) ? null : proposal
    },
    adopt: (history, { goal }) => best(history, goal),
  }
}

/** Sizes that every function of the reference may have. */
function commonSizes({ app, constraints, facts }: StrategyContext, base: Strategy): number[] {
  const [smallest = 128] = facts.memoryLadder
  const { setup } = base.first({ app, constraints, facts, goal: { minimize: 'p50' } }, smallest)
  return facts.memoryLadder.filter((size) =>
    reachableFunctions(app, setup).every((fn) =>
      allowedSizes(app, constraints, facts.memoryLadder, setup, fn).includes(size),
    ),
  )
}

function probeSize(first: FusionSetup, { facts }: StrategyContext, sizes: readonly number[]): number | undefined {
  const taken = memoryOf(first)
  return nearest(
    sizes.filter((size) => size >= 2 * taken || size <= taken / 2),
    PROBE * facts.mbPerCore,
  )
}

function fittedSize(history: readonly Round[], context: StrategyContext, sizes: readonly number[]): number | undefined {
  const scored = sizes.map((size) => ({ size, score: score(context.goal, expected(history, context, size)) }))
  return scored.reduce<(typeof scored)[number] | undefined>((a, b) => (a && a.score <= b.score ? a : b), undefined)
    ?.size
}

/** The measurement that the fits expect at a size. */
function expected(history: readonly Round[], { facts }: StrategyContext, size: number): Measurement {
  const last = (history.at(-1) as Round).measurement
  const fitted = (of: (round: Round) => number) =>
    timeAt(
      fitTimes(
        history.map((round) => ({ memory: memoryOf(round.setup), ms: of(round) })),
        facts.mbPerCore,
      ),
      size,
    )
  const latency = (which: 'p50Ms' | 'p95Ms' | 'p99Ms') => ({
    ...last[which],
    value: fitted((round) => round.measurement[which].value),
  })
  const latencies = { p50Ms: latency('p50Ms'), p95Ms: latency('p95Ms'), p99Ms: latency('p99Ms') }
  if (!last.cost || !last.costPerMillionUsd) return { ...last, ...latencies }
  const perMb = (of: (cost: NonNullable<Measurement['cost']>) => number) =>
    size * fitted(({ measurement, setup }) => (measurement.cost ? of(measurement.cost) : 0) / memoryOf(setup))
  const value = perMb((cost) => cost.compute) + perMb((cost) => cost.startup) + last.cost.requests + last.cost.gateway
  return { ...last, ...latencies, costPerMillionUsd: { ...last.costPerMillionUsd, value } }
}

/** Infinite where a bound is broken. */
function score(goal: Goal, m: Measurement): number {
  return satisfies(goal, m) ? objective(goal, m) : Number.POSITIVE_INFINITY
}

function memoryOf(setup: FusionSetup): number {
  return Object.values(setup.functions)[0]?.memory ?? 0
}
