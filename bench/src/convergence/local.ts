import { type Estimate, minimizeText, objective, objectiveEstimate, type Round } from '@fusionize/planner'
import { type FusionSetup, printSetup } from 'fusionize/setup'
import type { BenchContext } from '../harness.js'
import { InputError } from '../input-error.js'
import { candidates } from './candidates.js'
import { type Finals, playFinals, WITHIN } from './finals.js'
import { type LocalBench, openLocalBench } from './local-lab.js'
import { distinctSetups, effectId } from './neighbours.js'
import { runStrategy, type StrategyRun, strategyNamed } from './run-strategy.js'
import { percent } from './simulated.js'

/** Requests of each round of a strategy, and of each setup that is measured once; whole visits of the shop's customers. */
const REQUESTS: Readonly<Record<string, number>> = { iot: 300, tree: 300, webshop: 180 }
/** Requests per second where the configured load is more than a small machine bears while dozens of new sandboxes compile their code. */
const RPS: Readonly<Record<string, number>> = { iot: 25, webshop: 12 }
const QUICK_REQUESTS = 6
/** Of one application, all of it. @default of --seconds */
const APP_SECONDS = 600
/** Setups beside those deployed. */
const OTHERS = 6
/** Objectives this near to the best of those measured once go into the finals. */
const NEAR = 1.15
const FINALISTS = 6

/** Runs every strategy on an example application, then finds the best of a printed set of setups, and says how near to it each strategy came, and when. */
export async function convergeLocally(context: BenchContext, name: string, names: readonly string[]): Promise<void> {
  const quick = context.options.quick !== undefined
  const deadline = Date.now() + secondsOf(context.options.seconds) * 1000
  const rps = RPS[name]
  const requests = quick ? QUICK_REQUESTS : (REQUESTS[name] ?? QUICK_REQUESTS)
  const bench = await openLocalBench(name, requests, context, rps === undefined ? {} : { rps })
  try {
    const runs: StrategyRun[] = []
    const began = Date.now()
    for (const strategy of names)
      runs.push(await runStrategy(strategyNamed(strategy), bench.loaded.config.memory, bench))
    const once = runs.flatMap(({ rounds }) => rounds)
    const setupSeconds = (Date.now() - began) / 1000 / once.length - bench.arrivals.length / bench.rps
    await measureOthers(bench, once, quick ? 2 : OTHERS, context)
    const finalists = finalistsOf(bench, runs, once)
    const finals = await playFinals(bench, finalists, {
      first: (runs[0] as StrategyRun).rounds[0]?.setup as FusionSetup,
      rps: bench.rps,
      deadline,
      setupSeconds,
      quick,
      progress: (text) => context.progress(`${name}, ${text}`),
    })
    printSet(bench, runs, once, finals, context)
    for (const run of runs) report(bench, name, run, finals, context)
  } finally {
    await bench.close()
  }
}

/** Measures once what no strategy deployed; what fails is left out. */
async function measureOthers(
  bench: LocalBench,
  once: Round[],
  most: number,
  { progress }: BenchContext,
): Promise<void> {
  const { lab, context, read, arrivals, loaded } = bench
  const others = candidates(context, once, loaded.config.memory, most)
  for (const setup of others) {
    const notation = printSetup(setup, context.app)
    progress(`${loaded.name}, measured once: ${notation}`)
    const id = await lab.serve(setup)
    const readings = read(await lab.measure(arrivals, 0))
    const round = { id, setup, strategy: 'enumerated', reasons: [], summary: notation, ...readings }
    if (readings.measurement.errors === 0) once.push(round)
  }
}

/** What was adopted, and what came near the best, the best first. */
function finalistsOf({ context }: LocalBench, runs: readonly StrategyRun[], once: readonly Round[]): FusionSetup[] {
  const { app, goal } = context
  const ranked = [...once].sort((a, b) => objective(goal, a.measurement) - objective(goal, b.measurement))
  const [best] = ranked
  const limit = best ? NEAR * objective(goal, best.measurement) : 0
  const near = ranked.filter(({ measurement }) => objective(goal, measurement) <= limit)
  const adopted = distinctSetups(
    app,
    runs.map((run) => run.adopted.setup),
  )
  const others = distinctSetups(app, [...adopted, ...near.map(({ setup }) => setup)]).slice(adopted.length)
  return [...adopted, ...others.slice(0, Math.max(0, FINALISTS - adopted.length))]
}

function printSet(
  { context, facts }: LocalBench,
  runs: readonly StrategyRun[],
  once: readonly Round[],
  finals: Finals,
  { finding }: BenchContext,
): void {
  const { app, goal } = context
  const bestId = effectId(app, finals.best)
  const seen = new Map<string, Round>()
  for (const round of once) if (!seen.has(effectId(app, round.setup))) seen.set(effectId(app, round.setup), round)
  const ranked = [...seen].sort(([, a], [, b]) => objective(goal, a.measurement) - objective(goal, b.measurement))
  const lines = ranked.map(([id, { setup, measurement }]) => {
    const by = runs.filter(({ rounds }) => rounds.some((round) => effectId(app, round.setup) === id))
    const gap = finals.gapOf(setup)
    const cost = measurement.costPerMillionUsd
    return (
      `  ${gap ? (id === bestId ? 'best' : gapText(gap)) : 'measured once'}: ${printSetup(setup, app)} · ${measurement.p50Ms.value.toPrecision(3)} ms` +
      `${cost ? `, $${cost.value.toPrecision(3)}` : ''} · ${by.map(({ name }) => name).join(', ') || 'enumerated'}`
    )
  })
  finding(
    `${app.name}: ${ranked.length} setups measured (p50 and cost per million of the first time, by ${minimizeText(goal.minimize)}), ${finals.turns} turns of ${finals.requests} requests for the best of the finalists:\n${lines.join('\n')}`,
  )
  if (!facts.cpuShareEnforced) finding(`${app.name}: cost is unknown, latency decides: ${facts.cpuShareReason}`)
}

function report(bench: LocalBench, name: string, run: StrategyRun, finals: Finals, context: BenchContext): void {
  const { goal, app } = bench.context
  const id = `${run.name}-${name}`
  const at = run.deployed.findIndex(({ setup }) => (finals.gapOf(setup)?.high ?? Number.POSITIVE_INFINITY) < WITHIN)
  const gap = finals.gapOf(run.adopted.setup)
  const again = finals.evidenceOf(run.adopted.setup)
  const [first] = run.rounds as [Round, ...Round[]]
  const isFirst = effectId(app, first.setup) === effectId(app, run.adopted.setup)
  const adoptedObjective = again && objectiveEstimate(goal, bench.read(again).measurement)
  const isWorse =
    !isFirst && adoptedObjective !== undefined && adoptedObjective.low > objectiveEstimate(goal, first.measurement).high
  if (at >= 0) context.sample(id, at + 1)
  const { deployed, requestsSpent, converged } = run
  context.more(id, {
    within2: at >= 0,
    deployed: deployed.length,
    requestsSpent,
    converged,
    gap: gap && [gap.value, gap.low, gap.high],
    adopted: printSetup(run.adopted.setup, app),
    adoptedWorseThanFirst: isWorse,
  })
  const adopted = gap
    ? gap.high < WITHIN
      ? `adopted within 2% (${gapText(gap)})`
      : `adopted at a gap of ${gapText(gap)}${gap.low <= WITHIN ? ', which is not shown to be within 2%' : ''}`
    : 'what it adopted failed when measured again'
  context.finding(
    `${id}: ${at >= 0 ? `within 2% of the best of the set after ${at + 1} deployments` : 'no deployed setup shown to be within 2% of the best of the set'}; ` +
      `${adopted}; ${deployed.length} deployed, ${requestsSpent} requests; ${isWorse ? 'ADOPTED WORSE THAN THE FIRST' : 'not worse than the first'}`,
  )
}

function secondsOf(text = String(APP_SECONDS)): number {
  const seconds = Number(text)
  if (seconds > 0 && Number.isFinite(seconds)) return seconds
  throw new InputError(`--seconds must be a number above 0, not '${text}'`)
}

function gapText({ value, low, high }: Estimate): string {
  return `${percent(value)}, 95% ${percent(low)} to ${percent(high)}`
}
