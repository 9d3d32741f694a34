import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { arrivals, type LoadedApp, loadApp, meanRps, openOwnPlatform, pool } from '@fusionize/cli/control'
import type { LoadProfile } from 'fusionize'
import { type App, printSetup, setupId } from 'fusionize/setup'
import type { Bench, BenchContext, Setting } from '../harness.js'
import { figuresOf, serveInTurn } from './in-turn.js'
import { findSetups, type StrategyName, strategyNames } from './setups.js'

const apps = ['iot', 'tree'] as const
/** Share of the machine's CPU that a load may offer; above it requests wait for the machine. */
export const OFFERED_LIMIT = 0.6
/** Requests of each round while a strategy looks for its setup. */
export const PROBE_REQUESTS = 120
const WARM_UP_SECONDS = 2

/** Of loads over HTTP on process sandboxes. */
export const setting: Setting = {
  role: 'ours',
  isolation: 'process',
  transport: 'socket',
  durability: 'journal',
  records: 'on',
  wait: 'park',
}

/** A bench that puts the example applications under one load, as their configuration defines it, in the setups of five strategies. */
export function loadBench(kind: 'cold' | 'burst', blocks: number): Bench {
  const warmUpSeconds = kind === 'cold' ? 0 : WARM_UP_SECONDS
  return {
    method:
      `the load '${kind}' of each application's configuration, open loop from a process of its own, over HTTP, latency from the intended arrival to the last byte; ` +
      `process sandboxes with CPU shares, all setups on the same platform in turn, ${blocks} blocks of the load in all${kind === 'cold' ? '' : `, each after ${WARM_UP_SECONDS} s of warm-up`}; ` +
      'remote and all-fused at the configured memory, published, closure and plan at what they adopted after a steady load; no emulation unless --emulate says so',
    unit: 'ms',
    cases: Object.fromEntries(
      apps.flatMap((app) => strategyNames.map((strategy) => [`${app}-${strategy}`, role(strategy)])),
    ),
    async run(context) {
      for (const name of apps)
        if (context.options.app === undefined || context.options.app === name)
          await measureApp(name, kind, context.options.quick === undefined ? blocks : 1, warmUpSeconds, context)
    },
  }
}

export function role(strategy: StrategyName): Setting {
  return strategy === 'closure' || strategy === 'plan'
    ? setting
    : { ...setting, role: strategy === 'published' ? 'peer' : 'yardstick' }
}

async function measureApp(
  name: string,
  kind: 'cold' | 'burst',
  blocks: number,
  warmUpSeconds: number,
  { options, sample, more, finding, progress }: BenchContext,
): Promise<void> {
  const quick = options.quick !== undefined
  const emulate = emulationOf(options.emulate)
  const loaded = await loadApp(fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url)))
  const app = await loaded.scan()
  const { platform, close } = await openOwnPlatform(loaded, emulate)
  try {
    const requests = quick ? 10 : PROBE_REQUESTS
    const setups = await findSetups(loaded, app, platform, { stored: options.setups, requests, progress })
    const profile = loaded.config.load.profiles[kind]
    const plan = blockOf(profile, blocks, quick)
    const rps = profile.kind === 'burst' ? profile.from : profile.rps
    const served = await serveInTurn(loaded, app, platform, {
      setups,
      plan,
      blocks,
      lab: { rps, warmUpSeconds, forceCold: kind === 'cold' },
      firstRequest: (block) => block * plan.length,
      progress: (text) => progress(`${name}, ${kind}, ${text}`),
    })
    const facts = platform.facts()
    const secondsOfLoad = blocks * (plan.length / meanRps(profile) + warmUpSeconds)
    const offered = (strategy: StrategyName) => served[strategy].cpuMs / 1000 / secondsOfLoad / availableParallelism()
    for (const strategy of strategyNames) {
      const evidence = pool(served[strategy].evidence)
      for (const { latencyMs, error } of evidence.samples)
        if (error === undefined) sample(`${name}-${strategy}`, latencyMs)
      more(`${name}-${strategy}`, {
        ...figuresOf(app, setups[strategy], evidence, facts),
        offeredCpu: offered(strategy),
      })
    }
    const most = Math.max(...strategyNames.map(offered))
    finding(
      `${name}: the load offered at most ${Math.round(most * 100)}% of the machine's CPU, its client and the platform included${most > OFFERED_LIMIT ? `; above ${OFFERED_LIMIT * 100}% requests wait for the machine, so these latencies are not the setups'` : ''}`,
    )
    if (!facts.cpuShareEnforced) finding(`${name}: cost is null: ${facts.cpuShareReason}`)
    for (const line of equalSetups(setups, app)) finding(`${name}: ${line}`)
  } finally {
    await close()
  }
}

/** A cold load is cut into blocks; a burst is whole in each. */
function blockOf(profile: LoadProfile, blocks: number, quick: boolean): number[] {
  const all = arrivals(profile)
  if (quick) return all.slice(0, 4)
  return profile.kind === 'cold' ? all.slice(0, Math.ceil(all.length / blocks)) : all
}

export function emulationOf(name: string | undefined): LoadedApp['config']['local']['emulate'] {
  if (name === undefined || name === 'aws-lambda') return name
  throw new Error(`cannot emulate '${name}'; --emulate takes aws-lambda`)
}

export function equalSetups(setups: Record<StrategyName, Parameters<typeof setupId>[0]>, app: App): string[] {
  const ids = strategyNames.map((strategy) => [strategy, setupId(setups[strategy])] as const)
  return ids.flatMap(([a, id], i) =>
    ids
      .slice(i + 1)
      .flatMap(([b, other]) =>
        id === other ? [`${a} and ${b} are the same setup: ${printSetup(setups[a], app)}`] : [],
      ),
  )
}
