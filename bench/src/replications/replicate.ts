import { evenly } from '@fusionize/cli/control'
import type { Goal, Measurement } from '@fusionize/planner'
import { allFusedSetup, type FusionSetup, printSetup, remoteSetup, validate } from 'fusionize/setup'
import type { LocalBench } from '../convergence/local-lab.js'
import { runStrategy, strategyNamed } from '../convergence/run-strategy.js'

/** Fresh requests by which an adopted setup is judged; a 95th percentile needs as many (METRICS). */
const JUDGED_REQUESTS = 300
/** Sizes at which everything fused is measured beforehand, as shares of a core. */
const PILOT_CORES = [0.15, 0.6, 1]

/** What is promised: the figure stays at or below the bound. */
export interface Promised {
  goal: Goal
  bound: number
  figureOf(m: Measurement): number | undefined
}

export interface Replication {
  /** Measured / bound; infinite where requests failed. */
  ratio: number
  measured: number | undefined
  deployments: number
  requestsSpent: number
  adopted: FusionSetup
}

export interface Bounds {
  costPerMillionUsd: number
  p95Ms: number
  /** What they are between. */
  words: string
}

/**
 * Bounds that neither every setup keeps nor none: midway, by ratio, between everything remote at the configured memory and the best of everything fused at some
 * sizes, from one measurement of each.
 * @throws {Error} where cost cannot be measured
 */
export async function findBounds(bench: LocalBench, quick: boolean): Promise<Bounds> {
  const { context, facts, lab, loaded } = bench
  const { app, constraints } = context
  const ladder = facts.memoryLadder
  const sizes = PILOT_CORES.map((cores) => ladder.findLast((size) => size <= cores * facts.mbPerCore) ?? 128)
  const remote = remoteSetup(app, loaded.config.memory)
  const fused = sizes
    .map((size) => allFusedSetup(app, size))
    .filter((setup) => validate(app, setup, constraints, facts).length === 0)
  const all: Measurement[] = []
  for (const setup of [remote, ...fused]) {
    await lab.serve(setup)
    const load = await lab.measure(evenly(quick ? 6 : JUDGED_REQUESTS, bench.rps), 0)
    all.push(bench.read(load).measurement)
  }
  const costs = all.map(({ costPerMillionUsd }) => costPerMillionUsd?.value)
  if (costs.some((cost) => cost === undefined)) throw new Error(`cost cannot be measured here: ${facts.cpuShareReason}`)
  const usd = costs.map((cost) => cost ?? Number.NaN)
  const p95s = all.map(({ p95Ms }) => p95Ms.value)
  const midway = (values: readonly number[]) => Math.sqrt((values[0] as number) * Math.min(...values))
  return {
    costPerMillionUsd: midway(usd),
    p95Ms: midway(p95s),
    words: `remote at ${loaded.config.memory} MB gave $${(usd[0] as number).toPrecision(3)} and p95 ${(p95s[0] as number).toPrecision(3)} ms, all-fused at ${sizes.join(', ')} MB at best $${Math.min(...usd).toPrecision(3)} and ${Math.min(...p95s).toPrecision(3)} ms`,
  }
}

/** Plans from scratch, adopts, and measures what was adopted anew. @param number from 0: each replication is judged by requests of its own */
export async function replicate(
  bench: LocalBench,
  strategy: string,
  promised: Promised,
  number: number,
  quick: boolean,
): Promise<Replication> {
  const { lab, rps, loaded, context } = bench
  const run = await runStrategy(strategyNamed(strategy), loaded.config.memory, {
    ...bench,
    context: { ...context, goal: promised.goal },
  })
  await lab.serve(run.adopted.setup)
  const load = await lab.measure(evenly(quick ? 6 : JUDGED_REQUESTS, rps), (1 + number) * JUDGED_REQUESTS)
  const { measurement } = bench.read(load)
  const measured = measurement.errors === 0 ? promised.figureOf(measurement) : undefined
  return {
    ratio: measured === undefined ? Number.POSITIVE_INFINITY : measured / promised.bound,
    measured,
    deployments: run.deployed.length,
    requestsSpent: run.requestsSpent,
    adopted: run.adopted.setup,
  }
}

/** How often each setup was adopted, the most frequent first, in words. */
export function adoptedSetups(bench: LocalBench, replications: readonly Replication[]): string {
  const counts = new Map<string, number>()
  for (const { adopted } of replications) {
    const notation = printSetup(adopted, bench.context.app)
    counts.set(notation, (counts.get(notation) ?? 0) + 1)
  }
  const sorted = [...counts].sort(([, a], [, b]) => b - a)
  return sorted.map(([notation, count]) => `${count} × ${notation}`).join('; ')
}
