import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { type Evidence, evenly, type LoadedApp, loadApp, openOwnPlatform } from '@fusionize/cli/control'
import {
  measure,
  type PlannerFacts,
  recordedBehaviour,
  recordedDelays,
  recordedGatewayMs,
  type SimulatedPlatform,
  simulate,
} from '@fusionize/planner'
import type { Platform } from '@fusionize/platform'
import { type App, allFusedSetup, type FusionSetup, remoteSetup } from 'fusionize/setup'
import type { BenchContext } from '../harness.js'
import { labOf } from '../load/setups.js'

const RECORDED_RPS = 20
const RECORDED_REQUESTS = 1000
const REQUESTS = 500
const WARM_UP_SECONDS = 3
const SEED = 1
/** Period of the control groups' quota, ms (packages/local, engine/cgroup.ts). */
const PERIOD_MS = 20

/** Loads that are simulated and measured, none of them the recorded one. */
export const comparisons = ['remote', 'all-fused'].flatMap((setup) =>
  [10, 30, 50].map((rps) => ({ id: `iot-${setup}-${rps}`, setup, rps })),
)

/** Records one load of `iot`, and then simulates and measures others. */
export async function compareWithLocal({ options, sample, more, finding, progress }: BenchContext): Promise<void> {
  const quick = options.quick !== undefined
  const loaded = await loadApp(fileURLToPath(new URL('../../../examples/iot', import.meta.url)))
  const app = await loaded.scan()
  const { platform, close } = await openOwnPlatform(loaded, emulationOf(options.emulate))
  try {
    const facts = platform.facts()
    const { memory } = loaded.config
    const setups: Record<string, FusionSetup> = {
      remote: remoteSetup(app, memory),
      'all-fused': allFusedSetup(app, memory),
    }
    const load = async (setup: FusionSetup, rps: number, requests: number) => {
      const { lab } = labOf(loaded, app, platform, {
        rps,
        warmUpSeconds: quick ? 0 : WARM_UP_SECONDS,
        forceCold: false,
        progress,
      })
      await lab.serve(setup)
      return lab.measure(evenly(quick ? 10 : requests, rps), 0)
    }
    progress(`iot: recording everything remote at ${RECORDED_RPS} requests/s`)
    const recorded = await load(setups.remote as FusionSetup, RECORDED_RPS, RECORDED_REQUESTS)
    const world = worldOf(app, recorded, facts)
    finding(
      `iot: recorded at ${RECORDED_RPS} requests/s: p50 ${ms(measure(recorded.samples, recorded.records, facts).p50Ms.value)}, the machine ${percent(recorded.machineBusy ?? 0)} busy`,
    )
    for (const { id, setup, rps } of comparisons) {
      progress(`${id}: measuring`)
      const served = setups[setup] as FusionSetup
      const evidence = await load(served, rps, REQUESTS)
      const local = measure(evidence.samples, evidence.records, facts)
      for (const { latencyMs, error } of evidence.samples) if (error === undefined) sample(`${id}-local`, latencyMs)
      const warmUp = Math.round(rps * WARM_UP_SECONDS)
      const requests = warmUp + evidence.samples.length
      const result = simulate(world.behaviour, served, world.platform, {
        arrivals: { kind: 'steady', rps, requests },
        warmUpRequests: warmUp,
        seed: SEED,
        onReply: (request, _, latencyMs) => {
          if (request >= warmUp) sample(`${id}-simulated`, latencyMs)
        },
      })
      const errors = {
        p50: result.latency.p50Ms / local.p50Ms.value - 1,
        p95: result.latency.p95Ms / local.p95Ms.value - 1,
        cost: local.costPerMillionUsd ? result.costPerMillionUsd / local.costPerMillionUsd.value - 1 : null,
      }
      more(`${id}-simulated`, { errors, costPerMillionUsd: result.costPerMillionUsd })
      more(`${id}-local`, {
        costPerMillionUsd: local.costPerMillionUsd?.value ?? null,
        coldStarts: local.coldStarts,
        machineBusy: evidence.machineBusy,
      })
      finding(
        `${id}: p50 ${ms(local.p50Ms.value)} local, ${ms(result.latency.p50Ms)} simulated (${signed(errors.p50)}); ` +
          `p95 ${ms(local.p95Ms.value)}, ${ms(result.latency.p95Ms)} (${signed(errors.p95)}); cost ${errors.cost === null ? 'not measured' : `$${local.costPerMillionUsd?.value.toFixed(2)}, $${result.costPerMillionUsd.toFixed(2)} (${signed(errors.cost)})`} a million; ` +
          `the machine ${percent(evidence.machineBusy ?? 0)} busy`,
      )
    }
  } finally {
    await close()
  }
}

/** What the simulations know: all of it from the recording. */
function worldOf(app: App, { records, samples }: Evidence, facts: PlannerFacts & ReturnType<Platform['facts']>) {
  const cpu: SimulatedPlatform['cpu'] = facts.cpuShareEnforced
    ? { kind: 'quota', periodMs: PERIOD_MS }
    : { kind: 'none' }
  const { behaviour } = recordedBehaviour(records, { app, cpu, mbPerCore: facts.mbPerCore })
  const { handOver, startUp } = recordedDelays(records)
  const latencies = new Map(
    samples.flatMap(({ session, latencyMs, error }) =>
      session === undefined || error !== undefined ? [] : [[session, latencyMs] as const],
    ),
  )
  const cores = availableParallelism()
  const platform: SimulatedPlatform = {
    prices: facts.prices,
    mbPerCore: facts.mbPerCore,
    cpu,
    coresPerSandbox: cores,
    nodeCores: cores,
    handOver,
    gatewayMs: { values: recordedGatewayMs(records, latencies) },
    // The warm-up started what was needed.
    startUp: startUp.some(({ ms }) => typeof ms === 'object') ? startUp : [{ memoryMb: 128, ms: 0 }],
    keepAliveMs: 600_000,
    waitingIsFree: true,
  }
  return { behaviour, platform }
}

function emulationOf(name: string | undefined): LoadedApp['config']['local']['emulate'] {
  if (name === undefined || name === 'aws-lambda') return name
  throw new Error(`cannot emulate '${name}'; --emulate takes aws-lambda`)
}

const ms = (value: number) => `${value.toPrecision(3)} ms`
const percent = (share: number) => `${Math.round(share * 100)}%`
const signed = (error: number) => `${error < 0 ? '−' : '+'}${(100 * Math.abs(error)).toFixed(1)}%`
