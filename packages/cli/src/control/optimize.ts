import { createHash } from 'node:crypto'
import { choose, type Goal, objective, type Strategy, type StrategyContext } from '@fusionize/planner'
import type { Platform } from '@fusionize/platform'
import { FusionizeError, type LocalOptions } from 'fusionize'
import { type App, allFusedSetup } from 'fusionize/setup'
import { adoptSetup } from '../app/current-setup.js'
import type { LoadedApp } from '../app/load-app.js'
import { figuresOf } from '../graph/figures.js'
import { type Baseline, references, sweep } from './baselines.js'
import { playOff } from './finalists.js'
import { findUnfinished, type History, type HistoryRound, newHistory, type RunKey, saveHistory } from './history.js'
import { createLab, type Evidence, type Lab } from './lab.js'
import { LOAD_SEED } from './load/requests.js'
import { type Bench, runLoop, toRow, trial } from './loop.js'
import { machineFacts } from './machine.js'
import { Meter, sum } from './meter.js'
import type { EmulationShare, Outcome, Overhead, Row } from './outcome.js'
import type { OwnPlatform } from './own-platform.js'
import { createReader } from './reader.js'
import { type Schedule, schedule } from './schedule.js'
import { strategyNamed } from './strategy-named.js'
import { emulationShare, judge } from './verdict.js'
import type { Watcher } from './watcher.js'

export interface OptimizeOptions {
  strategy: string
  goal: Goal
  profile: 'steady' | 'burst' | 'cold'
  /** Samples of each finalist. */
  requests: number
  /** Time for the whole run, s; when it is over no setup is measured again. Undefined = as long as it takes. */
  seconds?: number
  /** Also finds and measures `remote@best` and `all-fused@best`. */
  baselines: boolean
  /** Whose delays are emulated; undefined = none. */
  emulate: LocalOptions['emulate']
  /** Also measures the first and the adopted setup without emulated delays. */
  compareEmulation: boolean
  /** Starts anew even when there is an unfinished run to go on with. */
  fresh: boolean
  maxRounds: number
}

export interface OptimizeTools {
  watcher: Watcher
  /** A platform of the run's own that emulates this, or nothing; or the one that the application's users are on. */
  openPlatform(emulate: LocalOptions['emulate']): Promise<OwnPlatform>
  signal?: AbortSignal
  now(): Date
}

/** Rounds whose objective is at most this many times the adopted one's go into the finals. */
const NEAR = 1.15

/**
 * A whole run: the feedback loop, the baselines, the finalists measured again in turn, the adoption, and the comparison without emulation.
 * The adopted setup is what `dev` serves next.
 * @throws {FusionizeError} CANCELLED when stopped; then `optimize` goes on with the round that was under way
 */
export async function optimize(loaded: LoadedApp, options: OptimizeOptions, tools: OptimizeTools): Promise<Outcome> {
  const { watcher } = tools
  const strategy = strategyNamed(options.strategy)
  const startedAt = tools.now()
  const plan = schedule({
    profile: loaded.config.load.profiles[options.profile],
    requests: options.requests,
    ...(options.seconds === undefined ? {} : { seconds: options.seconds }),
    baselines: options.baselines ? Object.keys(references).length : 0,
    compareEmulation: options.compareEmulation,
  })
  const app = await loaded.scan()
  const meter = new Meter()
  const { platform, serves, close } = await tools.openPlatform(options.emulate)
  try {
    const lab = labFor(loaded, app, plan, platform, meter, tools)
    const facts = platform.facts()
    const context = { app, facts, goal: options.goal, constraints: loaded.config.constraints }
    const bench: Bench = { lab, meter, watcher, context, read: createReader(facts), arrivals: plan.arrivals }
    watcher.plan(plan.words)
    if (!facts.cpuShareEnforced) watcher.note(`Cost will be null: ${facts.cpuShareReason}`)

    const history = await openHistory(loaded, app, strategy, plan, options, platform.name, startedAt)
    watcher.section(`Strategy ${strategy.name}`)
    const loop = await runLoop({
      ...bench,
      strategy,
      memory: loaded.config.memory,
      maxRounds: options.maxRounds,
      history,
      save: async (state) => meter.addBytes('monitor', await saveHistory(loaded.stateDir, state)),
    })
    const [first] = loop.rounds
    if (!first) throw new FusionizeError('INVALID_SETUP', `strategy ${strategy.name} proposed no setup to start from`)
    let adopted = await best(bench, strategy, loop.rounds)
    const overhead = overheadOf(meter, lab, loop.rounds, (tools.now().getTime() - startedAt.getTime()) / 1000)

    const baselines = options.baselines
      ? await findBaselines(
          bench,
          plan,
          options.goal,
          loop,
          startedAt.getTime() + (options.seconds ?? Number.POSITIVE_INFINITY) * 600,
        )
      : []
    let rounds = loop.rounds
    let bests = baselines.map(({ best }) => best)
    if (options.baselines && options.profile === 'steady') {
      watcher.section('Finalists again, in turn')
      const remeasured = await playOff(
        bench,
        distinct([first, ...rivals(loop.rounds, adopted, options.goal), ...bests]),
        loop.evidence,
        {
          rps: plan.rps,
          samples: plan.finalSamples,
          blockRequests: plan.blockRequests,
          blockSeconds: plan.blockSeconds,
          ...(options.seconds === undefined ? {} : { deadline: startedAt.getTime() + finalsEnd(options, plan) }),
        },
      )
      const pooled = (round: HistoryRound) => {
        const found = remeasured.find((x) => x.id === round.id)
        if (!found) return round
        return {
          ...round,
          measurement: found.measurement,
          profile: found.profile,
          ...(found.failure ? { failure: found.failure } : {}),
        }
      }
      rounds = rounds.map(pooled)
      bests = bests.map(pooled)
      adopted = await best(bench, strategy, rounds)
    }
    const rows = rounds.map((round) => toRow(round, app))
    const firstRow = rows[0] as Row
    const adoptedRow = rows.find((row) => row.id === adopted.id) as Row
    const baselineRows = bests.map((round) => toRow(round, app))
    await adoptSetup(loaded, app, adopted.setup)
    if (serves) await lab.serve(adopted.setup)
    await saveHistory(loaded.stateDir, { ...history, rounds, finished: true })

    await close()
    const emulation =
      options.compareEmulation && facts.emulate !== undefined
        ? await withoutEmulation(loaded, app, plan, firstRow, adoptedRow, context, tools)
        : null
    return {
      app,
      startedAt: startedAt.toISOString(),
      facts,
      machine: machineFacts(),
      goal: options.goal,
      strategy: strategy.name,
      load: {
        profile: options.profile,
        rps: plan.rps,
        requestsPerSetup: plan.arrivals.length,
        warmUpSeconds: plan.warmUpSeconds,
        seed: LOAD_SEED,
      },
      rounds: rows,
      baselines: baselineRows,
      bestId: adopted.id,
      converged: loop.converged,
      overhead,
      emulation,
      verdict: judge(app, adoptedRow, firstRow, [...rows, ...baselineRows]),
      figures: {
        first: figuresOf((rounds[0] as HistoryRound).profile),
        adopted: figuresOf(adopted.profile),
      },
      seconds: (tools.now().getTime() - startedAt.getTime()) / 1000,
    }
  } finally {
    await close()
  }
}

function labFor(
  loaded: LoadedApp,
  app: App,
  plan: Schedule,
  platform: Platform,
  meter: Meter,
  { watcher, signal }: OptimizeTools,
): Lab {
  const { request } = loaded.config.load
  const { token } = loaded.config.local
  return createLab({
    app,
    ...(request ? { request } : {}),
    env: loaded.config.env,
    builder: loaded.builder,
    platform,
    meter,
    watcher,
    rps: plan.rps,
    warmUpSeconds: plan.warmUpSeconds,
    forceCold: plan.profile.kind === 'cold',
    ...(token === undefined ? {} : { token }),
    ...(signal ? { signal } : {}),
  })
}

/** The unfinished run of the same app, goal, strategy and load, or a new one. */
async function openHistory(
  loaded: LoadedApp,
  app: App,
  strategy: Strategy,
  plan: Schedule,
  options: OptimizeOptions,
  platform: string,
  now: Date,
): Promise<History> {
  const key: RunKey = {
    appHash: await appHash(loaded, app),
    strategy: strategy.name,
    goal: options.goal,
    load: JSON.stringify([plan.profile, plan.arrivals.length, options.emulate ?? null, platform]),
  }
  const unfinished = options.fresh ? undefined : await findUnfinished(loaded.stateDir, key)
  return unfinished ?? newHistory(key, now)
}

/** Changes when the application's code or its constraints do. */
async function appHash(loaded: LoadedApp, app: App): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([app, loaded.config.constraints, loaded.config.memory]))
  const build = await loaded.builder.build(allFusedSetup(app, loaded.config.memory), loaded.config.env)
  for (const [name, artifact] of Object.entries(build.artifacts)) hash.update(name).update(artifact.hash)
  return hash.digest('hex').slice(0, 16)
}

/** The adopted round, and those so near to it that the order may be chance: they are measured again beside it. */
function rivals(rounds: readonly HistoryRound[], adopted: HistoryRound, goal: Goal): HistoryRound[] {
  const limit = objective(goal, adopted.measurement) * NEAR
  return [adopted, ...rounds.filter((round) => !round.failure && objective(goal, round.measurement) <= limit)]
}

/** The round to adopt: by the strategy's own rule where it has one (the published strategies do), else by the goal. */
async function best(
  { meter, context }: Bench,
  strategy: Strategy,
  rounds: readonly HistoryRound[],
): Promise<HistoryRound> {
  const good = rounds.filter((round) => !round.failure)
  const own = strategy.adopt?.bind(strategy)
  const chosen = await meter.charge('optimizer', () => (own ? own(good, context) : choose(good, context.goal)))
  const found = good.find((round) => round.id === chosen?.id)
  if (found) return found
  throw new FusionizeError(
    'UNSUPPORTED',
    `no setup could be measured without errors: ${rounds.map((round) => `${round.summary}: ${round.failure}`).join('; ')}`,
  )
}

function overheadOf(meter: Meter, lab: Lab, rounds: readonly HistoryRound[], seconds: number): Overhead {
  const [monitor, optimizer, deployer] = (['monitor', 'optimizer', 'deployer'] as const).map((part) =>
    meter.cost(part, lab.facts),
  ) as [Overhead['monitor'], Overhead['optimizer'], Overhead['deployer']]
  const total = sum([monitor, optimizer, deployer])
  const requestsSpent = lab.requestsSpent()
  const scale = requestsSpent > 0 ? 1e6 / requestsSpent : 0
  return {
    ...total,
    monitor,
    optimizer,
    deployer,
    perMillionRequests: {
      cpuSeconds: total.cpuSeconds * scale,
      bytes: Math.round(total.bytes * scale),
      usd: total.usd * scale,
    },
    deployments: new Set(rounds.filter((round) => round.measurement.requests > 0).map((round) => round.id)).size,
    requestsSpent,
    seconds,
  }
}

async function findBaselines(
  bench: Bench,
  plan: Schedule,
  goal: Goal,
  loop: { rounds: HistoryRound[]; evidence: Map<string, Evidence> },
  deadline: number,
): Promise<Baseline[]> {
  const found: Baseline[] = []
  bench.watcher.section('Baselines: each at its best single memory')
  const short = { ...bench, arrivals: plan.arrivals.slice(0, plan.probeRequests) }
  for (const name of Object.keys(references)) {
    const baseline = await sweep(short, name, goal, loop.rounds, loop.evidence, deadline)
    if (baseline) found.push(baseline)
    else bench.watcher.note(`${name}: the constraints allow no such setup, or none could be measured`)
  }
  return found
}

/** Leaves time for what comes after the finalists. */
function finalsEnd(options: OptimizeOptions, plan: Schedule): number {
  const round = plan.arrivals.length / plan.rps + plan.blockSeconds
  return ((options.seconds ?? 0) - (options.compareEmulation ? 2 * round : 0)) * 1000
}

/** Measures both setups again on a platform that emulates nothing. */
async function withoutEmulation(
  loaded: LoadedApp,
  app: App,
  plan: Schedule,
  first: Row,
  adopted: Row,
  context: StrategyContext,
  tools: OptimizeTools,
): Promise<EmulationShare | null> {
  tools.watcher.section('Without emulated delays')
  const { platform, close } = await tools.openPlatform(undefined)
  try {
    const meter = new Meter()
    const lab = labFor(loaded, app, plan, platform, meter, tools)
    const read = createReader(platform.facts())
    const bench: Bench = { lab, meter, watcher: tools.watcher, context, read, arrivals: plan.arrivals }
    for (const row of distinct([first, adopted])) {
      const proposal = { setup: row.setup, reasons: [], summary: 'without emulated delays' }
      const round = await trial(bench, row === first ? 'first' : 'adopted', proposal, new Map())
      if (!round.failure) row.emulationOff = round.measurement
    }
  } finally {
    await close()
  }
  if (!first.measurement || !adopted.measurement || !first.emulationOff || !adopted.emulationOff) return null
  return emulationShare(
    { on: first.measurement, off: first.emulationOff },
    { on: adopted.measurement, off: adopted.emulationOff },
  )
}

function distinct<T extends { id: string }>(rounds: readonly T[]): T[] {
  return rounds.filter((round, i) => rounds.findIndex((x) => x.id === round.id) === i)
}
