import { createReader, Meter, type Watcher } from '@fusionize/cli/control'
import type { Estimate, Goal } from '@fusionize/planner'
import { printSetup } from 'fusionize/setup'
import type { BenchContext } from '../harness.js'
import { quantile } from '../quantile.js'
import { WITHIN } from './finals.js'
import { type Effort, type GroundTruth, groundTruth } from './ground-truth.js'
import { runStrategy, type StrategyRun, strategyNamed } from './run-strategy.js'
import { drawArrivals, simulatedLab } from './simulated-lab.js'
import { drawWorld, type World } from './world.js'

const WORLDS = 20
/** Requests of each round, as in `fusionize optimize`. */
const REQUESTS = 300
const goal: Goal = { minimize: 'balanced' }

const effort: Effort = {
  limit: 7000,
  rounds: [
    { requests: 100, keep: 0.15 },
    { requests: 800, keep: 0.1 },
    { requests: 4000, keep: 0.1 },
  ],
  judge: { requests: 8000, near: 50_000 },
}
const quickEffort: Effort = {
  limit: 40,
  rounds: [
    { requests: 20, keep: 0.2 },
    { requests: 50, keep: 0.2 },
  ],
  judge: { requests: 200, near: 300 },
}

const silent: Watcher = { plan() {}, section() {}, setup() {}, phase() {}, samples() {}, row() {}, note() {} }

/** What became of one strategy in one world. */
interface Outcome {
  /** Until the first setup within 2% of the best; undefined: none was. */
  deployments: number | undefined
  deployed: number
  gap: Estimate
  /** Adopted worse than the first: beyond the interval. */
  isWorse: boolean
  /** Where it was adopted beyond 2%: the application, and both setups. */
  miss?: { application: number; gap: number; adopted: string; best: string }
}

/** Runs every strategy in worlds drawn from the seed and says how far from the best of each world it got. */
export async function convergeInSimulation(context: BenchContext, names: readonly string[], seed: number) {
  const { options, sample, progress } = context
  const quick = options.quick !== undefined
  const outcomes = new Map(names.map((name) => [name, [] as Outcome[]]))
  const truths: GroundTruth[] = []
  for (let i = 0; i < (quick ? 2 : WORLDS); i++) {
    const world = drawWorld(seed * WORLDS + i)
    const runs: StrategyRun[] = []
    for (const name of names) runs.push(await runIn(world, name, quick ? 40 : REQUESTS))
    const deployed = runs.flatMap(({ rounds, adopted }) => [...rounds, adopted].map(({ setup }) => setup))
    const truth = groundTruth(world, goal, deployed, quick ? quickEffort : effort)
    truths.push(truth)
    for (const run of runs) {
      const outcome = outcomeOf(run, truth, world)
      outcomes.get(run.name)?.push(outcome)
      if (outcome.deployments !== undefined) sample(`${run.name}-simulated`, outcome.deployments)
    }
    progress(`${nameOf(world, truth)}: ${runs.map((run) => wordsOf(run, outcomeOf(run, truth, world))).join('; ')}`)
  }
  const all = truths.filter(({ isEverySetup }) => isEverySetup).length
  context.finding(
    `simulated: ${truths.length} applications, drawn from --seed ${seed}; the best of every setup in ${all}, by local search in ${truths.length - all}`,
  )
  for (const [name, list] of outcomes) report(name, list, context)
}

async function runIn(world: World, name: string, requests: number): Promise<StrategyRun> {
  const { facts, behaviour, memoryMb } = world
  return runStrategy(strategyNamed(name), memoryMb, {
    lab: simulatedLab(world),
    meter: new Meter(),
    watcher: silent,
    context: { app: behaviour.app, facts, goal, constraints: {} },
    read: createReader(facts),
    arrivals: drawArrivals(world, requests),
  })
}

function outcomeOf({ rounds, adopted }: StrategyRun, truth: GroundTruth, { seed, behaviour }: World): Outcome {
  const gaps = rounds.map(({ setup }) => truth.gapOf(setup))
  const first = gaps[0] as Estimate
  const gap = truth.gapOf(adopted.setup)
  const at = gaps.findIndex(({ high }) => high < WITHIN)
  return {
    deployments: at < 0 ? undefined : at + 1,
    deployed: rounds.length,
    gap,
    isWorse: gap.low > first.high,
    ...(gap.high < WITHIN
      ? {}
      : {
          miss: {
            application: seed,
            gap: gap.value,
            adopted: printSetup(adopted.setup, behaviour.app),
            best: printSetup(truth.best.setup, behaviour.app),
          },
        }),
  }
}

function report(name: string, outcomes: readonly Outcome[], { finding, more }: BenchContext): void {
  const gaps = Float64Array.from(outcomes, ({ gap }) => gap.value).sort()
  const reached = outcomes.filter(({ deployments }) => deployments !== undefined)
  const adopted = outcomes.filter(({ gap }) => gap.high < WITHIN)
  const figures = {
    applications: outcomes.length,
    within2: reached.length,
    adoptedWithin2: adopted.length,
    gapAtAdoptionP50: quantile(gaps, 0.5),
    gapAtAdoptionMax: quantile(gaps, 1),
    deployedMax: Math.max(...outcomes.map(({ deployed }) => deployed)),
    adoptedWorseThanFirst: outcomes.filter(({ isWorse }) => isWorse).length,
    misses: outcomes.flatMap(({ miss }) => miss ?? []),
  }
  more(`${name}-simulated`, figures)
  const most = Math.max(...reached.map(({ deployments = 0 }) => deployments))
  finding(
    `${name}-simulated: a setup within 2% of the best deployed in ${reached.length} of ${outcomes.length}${reached.length > 0 ? `, after ${most} deployments at most` : ''}; ` +
      `adopted within 2% in ${adopted.length}; gap at adoption p50 ${percent(figures.gapAtAdoptionP50)}, max ${percent(figures.gapAtAdoptionMax)}; ` +
      `${figures.deployedMax} deployed at most; ${figures.adoptedWorseThanFirst} adopted worse than the first`,
  )
}

function nameOf({ seed, behaviour, rps, memoryMb, platform }: World, { looked, isEverySetup }: GroundTruth): string {
  const tasks = Object.keys(behaviour.app.tasks).length
  return (
    `application ${seed}: ${tasks} tasks, ${rps.toPrecision(2)} requests/s on ${platform.nodeCores} cores (${platform.cpu.kind}), first at ${memoryMb} MB, ` +
    `${looked} setups ${isEverySetup ? '(all)' : '(local search)'}`
  )
}

function wordsOf({ name }: StrategyRun, { deployments, deployed, gap }: Outcome): string {
  return `${name} ${deployments ?? '–'} of ${deployed}, ${percent(gap.value)} (${percent(gap.low)} to ${percent(gap.high)})`
}

export const percent = (share: number) => `${(100 * share).toFixed(1)}%`
