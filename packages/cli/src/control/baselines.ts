import { best as bestOf, type Goal, type Measurement, objective, type Proposal, satisfies } from '@fusionize/planner'
import {
  type App,
  allFusedSetup,
  effectiveSetup,
  type FusionSetup,
  remoteSetup,
  setupsEqual,
  validate,
} from 'fusionize/setup'
import type { HistoryRound } from './history.js'
import type { Evidence } from './lab.js'
import { type Bench, trial } from './loop.js'

/** The reference setups at one memory for all functions (BASELINES). */
export const references: Record<string, (app: App, memory: number) => FusionSetup> = {
  remote: remoteSetup,
  'all-fused': allFusedSetup,
}

/** A reference at its best single memory, and the probes that found it. */
export interface Baseline {
  name: string
  best: HistoryRound
  probes: HistoryRound[]
}

/**
 * Finds a reference's best single memory under the goal. Time falls with memory as a + b/MB until the code cannot use more CPU (PAPERS §1), so
 * two sizes far apart tell about where the best one is; that one is measured, then its neighbour on the better side if the line through
 * the three sizes still points there. The row is the best that was measured, never a prediction.
 * @param deadline epoch ms after which no further size is tried
 * @param known rounds measured before under the same load; a setup among them is not measured again
 */
export async function sweep(
  bench: Bench,
  name: string,
  goal: Goal,
  known: readonly HistoryRound[],
  evidence: Map<string, Evidence>,
  deadline = Number.POSITIVE_INFINITY,
): Promise<Baseline | undefined> {
  const { app, facts, constraints } = bench.context
  const reference = references[name]
  if (!reference) return undefined
  const sizes = facts.memoryLadder.filter(
    (memory) => memory <= 2 * facts.mbPerCore && validate(app, reference(app, memory), constraints, facts).length === 0,
  )
  const [smallest] = sizes
  const far = sizes.findLast((size) => size <= 0.6 * facts.mbPerCore) ?? sizes.at(-1)
  if (smallest === undefined || far === undefined) return undefined
  const probes: HistoryRound[] = []
  const probe = async (memory: number) => {
    const setup = reference(app, memory)
    const effect = effectiveSetup(app, setup)
    const before = [...known, ...probes].find((round) => setupsEqual(effectiveSetup(app, round.setup), effect))
    const proposal: Proposal = { setup, reasons: [], summary: `${name} at ${memory} MB` }
    const round = before
      ? { ...before, strategy: `${name}@best`, summary: proposal.summary, reasons: [] }
      : await trial(bench, `${name}@best`, proposal, evidence)
    if (!probes.some((x) => x.id === round.id)) probes.push(round)
  }
  await probe(smallest)
  // Without CPU shares a size changes nothing that could be measured.
  if (far !== smallest && facts.cpuShareEnforced) await probe(far)
  for (let extra = 0; extra < 2; extra++) {
    const promising = predictBest(probes, sizes, goal)
    if (promising === undefined || Date.now() > deadline || probes.some((round) => memoryOf(round) === promising)) break
    await probe(promising)
  }
  const best = bestOf(
    probes.filter((round) => !round.failure),
    goal,
  )
  const sizesTried = probes.map(memoryOf).sort((a, b) => a - b)
  if (best) best.summary = `best of ${sizesTried.join(', ')} MB`
  return best && { name: `${name}@best`, best, probes }
}

/** Infinite where a bound is broken, so that such a size is never the best. */
function score(goal: Goal, m: Measurement): number {
  return satisfies(goal, m) ? objective(goal, m) : Number.POSITIVE_INFINITY
}

function memoryOf(round: HistoryRound): number {
  return Object.values(round.setup.functions)[0]?.memory ?? 0
}

/**
 * The size at which the goal is predicted best: latency, and billed time (compute cost / MB), as a + b/MB through the two measured sizes
 * that enclose it, or the two largest.
 */
function predictBest(probes: readonly HistoryRound[], sizes: readonly number[], goal: Goal): number | undefined {
  const points = probes.filter((round) => !round.failure).sort((a, b) => memoryOf(a) - memoryOf(b))
  if (points.length < 2) return undefined
  const predicted = sizes.map((memory) => {
    const upper = points.findIndex((round) => memoryOf(round) >= memory)
    const second = Math.max(1, upper < 0 ? points.length - 1 : upper)
    const [low, high] = [points[second - 1] as HistoryRound, points[second] as HistoryRound]
    const line = (of: (round: HistoryRound) => number) =>
      through(memoryOf(low), of(low), memoryOf(high), of(high), memory)
    return { memory, score: score(goal, predictedAt(low.measurement, memory, line)) }
  })
  return predicted.reduce((a, b) => (b.score < a.score ? b : a)).memory
}

function predictedAt(
  base: Measurement,
  memory: number,
  line: (of: (round: HistoryRound) => number) => number,
): Measurement {
  const latency = (which: 'p50Ms' | 'p95Ms' | 'p99Ms') => ({
    ...base[which],
    value: line((round) => round.measurement[which].value),
  })
  const predicted = { ...base, p50Ms: latency('p50Ms'), p95Ms: latency('p95Ms'), p99Ms: latency('p99Ms') }
  if (!base.cost || !base.costPerMillionUsd) return predicted
  const compute = memory * line((round) => (round.measurement.cost?.compute ?? 0) / memoryOf(round))
  const value = compute + base.cost.requests + base.cost.startup + base.cost.gateway
  return { ...predicted, costPerMillionUsd: { ...base.costPerMillionUsd, value } }
}

/** a + b/x through two points. */
function through(x1: number, y1: number, x2: number, y2: number, x: number): number {
  const b = (y1 - y2) / (1 / x1 - 1 / x2)
  return y1 + b * (1 / x - 1 / x1)
}
