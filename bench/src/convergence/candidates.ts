import { type Goal, objective, type PlannerFacts, predictorOf, type Round } from '@fusionize/planner'
import { type App, allFusedSetup, type Constraints, type FusionSetup, remoteSetup, validate } from 'fusionize/setup'
import { distinctSetups, effectId, neighboursOf, type Space } from './neighbours.js'

/** Sizes of the references, as shares of a core, beside the configured one. */
const REFERENCE_CORES = [0.3, 0.6, 1]
/** Setups whose neighbours are looked at. */
const CENTRES = 2
/** Rounds beside the best whose requests teach the prediction other sizes. */
const TEACHERS = 4

/**
 * Setups that nobody deployed and that may be better than what was: references at several sizes, and those neighbours of the best measured that are
 * predicted best. The same rounds give the same setups.
 * @param rounds everything that strategies deployed, with traces
 * @param most setups; references take at most half of them
 */
export function candidates(
  context: { app: App; facts: PlannerFacts; goal: Goal; constraints: Constraints },
  rounds: readonly Round[],
  memoryMb: number,
  most: number,
): FusionSetup[] {
  const { app, facts, goal, constraints } = context
  const space: Space = { app, facts, constraints }
  const deployed = new Set(rounds.map(({ setup }) => effectId(app, setup)))
  const isNew = (setup: FusionSetup) => !deployed.has(effectId(app, setup))
  const ranked = [...rounds].sort((a, b) => objective(goal, a.measurement) - objective(goal, b.measurement))
  const predicted = predictionOf(context, ranked)
  const byPrediction = (setups: readonly FusionSetup[]) =>
    distinctSetups(app, setups)
      .filter((setup) => isNew(setup) && validate(app, setup, constraints, facts).length === 0)
      .map((setup) => ({ setup, score: predicted(setup) }))
      .sort((a, b) => a.score - b.score)
      .map(({ setup }) => setup)
  const sizes = [memoryMb, ...REFERENCE_CORES.map((cores) => nearest(facts.memoryLadder, cores * facts.mbPerCore))]
  const references = byPrediction([remoteSetup, allFusedSetup].flatMap((of) => sizes.map((size) => of(app, size))))
  const neighbours = byPrediction(ranked.slice(0, CENTRES).flatMap(({ setup }) => neighboursOf(space, setup)))
  return distinctSetups(app, [...references.slice(0, Math.floor(most / 2)), ...neighbours]).slice(0, most)
}

/** The objective that the model expects of a setup, from the requests of the best round; infinite where it cannot tell. */
function predictionOf(
  { facts, goal }: { facts: PlannerFacts; goal: Goal },
  ranked: readonly Round[],
): (setup: FusionSetup) => number {
  const [best, ...others] = ranked.flatMap(({ traces, measurement }) =>
    traces && traces.length > 0 ? [{ traces, measurement }] : [],
  )
  if (!best) return () => Number.POSITIVE_INFINITY
  const also = others.slice(0, TEACHERS).map(({ traces }) => traces)
  const predict = predictorOf(best.traces, { also, resamples: 0, mbPerCore: facts.mbPerCore })
  return (setup) => {
    const { p50Ms, p95Ms, p99Ms, costPerMillionUsd } = predict(setup)
    return objective(goal, { ...best.measurement, p50Ms, p95Ms, p99Ms, costPerMillionUsd })
  }
}

function nearest(ladder: readonly number[], wantedMb: number): number {
  return ladder.reduce((a, b) => (Math.abs(b - wantedMb) < Math.abs(a - wantedMb) ? b : a), ladder[0] ?? wantedMb)
}
