import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { type Evidence, evenly, type LoadedApp, loadApp, openOwnPlatform, pool } from '@fusionize/cli/control'
import {
  type Measurement,
  measure,
  type PlannerFacts,
  type RecordedWorld,
  recordedWorld,
  type SimulationResult,
  simulate,
} from '@fusionize/planner'
import { type App, allFusedSetup, type FusionSetup, remoteSetup } from 'fusionize/setup'
import type { BenchContext } from '../harness.js'
import { labOf } from '../load/setups.js'
import { deploySideBySide } from '../load/side-by-side.js'

const RECORDED_RPS = 20
const RECORDED_REQUESTS = 800
const REQUESTS = 1000
const SIMULATED_REQUESTS = 5000
/** All loads take turns in short slices: what the machine does besides, for seconds or for minutes, disturbs them alike. */
const SLICES = 20
const WARM_UP_SECONDS = 3
const SEED = 1

/** Numbers of the warm-up's requests: others than those of any load. */
const WARM_UP_FROM = 3_000_000
const LOADS_RPS = [10, 30, 40]
const MOST_RPS = Math.max(...LOADS_RPS)

type SetupName = 'remote' | 'all-fused'
type Comparison = (typeof comparisons)[number]

/** Loads that are simulated and measured, none of them the recorded one. */
export const comparisons = (['remote', 'all-fused'] as const).flatMap((setup) =>
  LOADS_RPS.map((rps) => ({ id: `iot-${setup}-${rps}`, setup, rps })),
)

/** Records one load of `iot` in each setup, measures others in turn with it, and then simulates these from the recordings. */
export async function compareWithLocal(context: BenchContext): Promise<void> {
  const { finding, options, progress } = context
  const quick = options.quick !== undefined
  const wanted = comparisons.filter(({ id }) => options.only === undefined || id.includes(options.only))
  const loaded = await loadApp(fileURLToPath(new URL('../../../examples/iot', import.meta.url)))
  const app = await loaded.scan()
  const { platform, close } = await openOwnPlatform(loaded, emulationOf(options.emulate))
  try {
    const facts = platform.facts()
    const { memory } = loaded.config
    const setups = { remote: remoteSetup(app, memory), 'all-fused': allFusedSetup(app, memory) }
    const names = [...new Set(['remote' as const, ...wanted.map(({ setup }) => setup)])]
    const { lab } = labOf(loaded, app, platform, { rps: MOST_RPS, warmUpSeconds: 0, forceCold: false, progress })
    const deployed = await deploySideBySide(
      remoteSetup(app, 2 * memory),
      names.map((name) => setups[name]),
      { platform, lab, clear: () => {}, warmUp: { arrivals: warmUpOf(quick), firstIndex: WARM_UP_FROM } },
    )
    const load = (setup: FusionSetup, rps: number, requests: number, slice: number) => {
      const ofSlice = quick ? 5 : requests / SLICES
      return deployed.slice(setup, { arrivals: evenly(ofSlice, rps), firstIndex: slice * ofSlice })
    }
    const recorded = new Map(names.map((name) => [name, [] as Evidence[]]))
    const measured = wanted.map((): Evidence[] => [])
    for (let slice = 0; slice < (quick ? 1 : SLICES); slice++) {
      progress(`iot: slice ${slice + 1} of ${SLICES}`)
      for (const [name, evidence] of recorded)
        evidence.push(await load(setups[name], RECORDED_RPS, RECORDED_REQUESTS, slice))
      for (const [i, { setup, rps }] of wanted.entries())
        measured[i]?.push(await load(setups[setup], rps, REQUESTS, slice))
    }
    const worlds = new Map<SetupName, RecordedWorld>()
    for (const [name, evidence] of recorded) {
      const recording = pool(evidence)
      const world = worldOf(app, recording, facts)
      worlds.set(name, world)
      const { p50Ms, p95Ms } = measure(recording.samples, recording.records, facts)
      const again = simulateLoad(setups[name], world, RECORDED_RPS)
      finding(
        `iot-${name}: recorded at ${RECORDED_RPS} requests/s: p50 ${ms(p50Ms.value)}, p95 ${ms(p95Ms.value)}; simulated again, which is no prediction: ` +
          `${signed(again.latency.p50Ms / p50Ms.value - 1)}, ${signed(again.latency.p95Ms / p95Ms.value - 1)}; the machine ${percent(recording.machineBusy ?? 0)} busy at most`,
      )
    }
    for (const [i, comparison] of wanted.entries()) {
      const setup = setups[comparison.setup]
      const slices = measured[i] ?? []
      const evidence = pool(slices)
      compare(comparison, setup, worlds.get(comparison.setup) as RecordedWorld, evidence, facts, context)
      if (slices.length > 1) finding(`${comparison.id}: ${againstItself(slices, facts)}`)
      if (comparison.setup !== 'remote')
        finding(otherSetup(comparison, setup, worlds.get('remote') as RecordedWorld, evidence, facts))
    }
  } finally {
    await close()
  }
}

/** At the highest rate: later slices find sandboxes enough. */
function warmUpOf(quick: boolean): number[] {
  return quick ? [] : evenly(WARM_UP_SECONDS * MOST_RPS, MOST_RPS)
}

function compare(
  { id, rps }: Comparison,
  setup: FusionSetup,
  world: RecordedWorld,
  evidence: Evidence,
  facts: PlannerFacts,
  { finding, more, sample }: BenchContext,
): void {
  const local = measure(evidence.samples, evidence.records, facts)
  for (const { latencyMs, error } of evidence.samples) if (error === undefined) sample(`${id}-local`, latencyMs)
  const result = simulateLoad(setup, world, rps, (latencyMs) => sample(`${id}-simulated`, latencyMs))
  const localCost = local.costPerMillionUsd?.value
  const errors = {
    p50: result.latency.p50Ms / local.p50Ms.value - 1,
    p95: result.latency.p95Ms / local.p95Ms.value - 1,
    cost: localCost === undefined ? null : result.costPerMillionUsd / localCost - 1,
  }
  more(`${id}-simulated`, { errors, costPerMillionUsd: result.costPerMillionUsd })
  const { coldStarts } = local
  more(`${id}-local`, { costPerMillionUsd: localCost ?? null, coldStarts, machineBusy: evidence.machineBusy })
  const cost =
    localCost === undefined || errors.cost === null
      ? 'cost not measured'
      : `cost $${localCost.toFixed(2)}, $${result.costPerMillionUsd.toFixed(2)} a million (${signed(errors.cost)})`
  finding(
    `${id}: local and simulated p50 ${ms(local.p50Ms.value)}, ${ms(result.latency.p50Ms)} (${signed(errors.p50)}); ` +
      `p95 ${ms(local.p95Ms.value)}, ${ms(result.latency.p95Ms)} (${signed(errors.p95)}); ${cost}; ` +
      `the machine ${percent(evidence.machineBusy ?? 0)} busy at most`,
  )
}

/** How far every second slice of a load is from the others between them: nearer than that nobody can predict it. */
function againstItself(slices: readonly Evidence[], facts: PlannerFacts): string {
  const [even, odd] = [0, 1].map((rest) => {
    const { records, samples } = pool(slices.filter((_, i) => i % 2 === rest))
    return measure(samples, records, facts)
  }) as [Measurement, Measurement]
  const apart = (of: (one: Measurement) => number) => signed(of(odd) / of(even) - 1)
  return `local against itself, every second slice and those between: p50 ${apart((m) => m.p50Ms.value)}, p95 ${apart((m) => m.p95Ms.value)}`
}

/** What the recording of everything remote says of another setup: the model's errors are in it, beside the simulator's. */
function otherSetup(
  { id, rps }: Comparison,
  setup: FusionSetup,
  world: RecordedWorld,
  { records, samples }: Evidence,
  facts: PlannerFacts,
): string {
  const { p50Ms, p95Ms } = measure(samples, records, facts)
  const { latency } = simulateLoad(setup, world, rps)
  return `${id}: simulated from the recording of everything remote instead: p50 ${signed(latency.p50Ms / p50Ms.value - 1)}, p95 ${signed(latency.p95Ms / p95Ms.value - 1)}`
}

function simulateLoad(
  setup: FusionSetup,
  { behaviour, platform }: RecordedWorld,
  rps: number,
  onLatency: (latencyMs: number) => void = () => {},
): SimulationResult {
  const warmUpRequests = Math.round(rps * WARM_UP_SECONDS)
  return simulate(behaviour, setup, platform, {
    arrivals: { kind: 'steady', rps, requests: warmUpRequests + SIMULATED_REQUESTS },
    warmUpRequests,
    seed: SEED,
    onReply: (request, _, latencyMs) => {
      if (request >= warmUpRequests) onLatency(latencyMs)
    },
  })
}

/** What the simulations know: all of it from a recording. */
function worldOf(app: App, { records, samples }: Evidence, facts: PlannerFacts): RecordedWorld {
  const latencyMs = new Map(
    samples.flatMap(({ session, latencyMs, error }) =>
      session === undefined || error !== undefined ? [] : [[session, latencyMs] as const],
    ),
  )
  return recordedWorld(records, { app, facts, cores: availableParallelism(), keepAliveMs: 600_000, latencyMs })
}

function emulationOf(name: string | undefined): LoadedApp['config']['local']['emulate'] {
  if (name === undefined || name === 'aws-lambda') return name
  throw new Error(`cannot emulate '${name}'; --emulate takes aws-lambda`)
}

const ms = (value: number) => `${value.toPrecision(3)} ms`
const percent = (share: number) => `${Math.round(share * 100)}%`
const signed = (error: number) => `${error < 0 ? '−' : '+'}${(100 * Math.abs(error)).toFixed(1)}%`
