import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  createLab,
  createReader,
  evenly,
  type Lab,
  type LoadedApp,
  Meter,
  newHistory,
  runLoop,
  type Watcher,
} from '@fusionize/cli/control'
import { best, strategies } from '@fusionize/planner'
import type { Platform } from '@fusionize/platform'
import { type App, allFusedSetup, type FusionSetup, remoteSetup } from 'fusionize/setup'

/** What the strategies of a bench are compared by. */
export const strategyNames = ['remote', 'all-fused', 'published', 'closure', 'plan'] as const
/** Those that are run to find their setups. */
const searching = ['published', 'closure', 'plan'] as const
export type StrategyName = (typeof strategyNames)[number]

/** Where the setups that strategies ended at are kept; `--setups` takes them from there. */
const file = fileURLToPath(new URL('../../.fusionize/setups.json', import.meta.url))

/** New sandboxes take the machine for some seconds. */
const WARM_UP_SECONDS = 2
const MAX_ROUNDS = 30

/** A lab on this platform for the application's own requests. */
export function labOf(
  loaded: LoadedApp,
  app: App,
  platform: Platform,
  options: { rps: number; warmUpSeconds: number; forceCold: boolean; progress(text: string): void },
): { lab: Lab; watcher: Watcher; meter: Meter } {
  const meter = new Meter()
  const watcher: Watcher = {
    plan: () => {},
    section: () => {},
    setup: (label, notation) => options.progress(`${loaded.name}, ${label}: ${notation}`),
    phase: () => {},
    samples: () => {},
    row: () => {},
    note: options.progress,
  }
  const { request } = loaded.config.load
  const { rps, warmUpSeconds, forceCold } = options
  const lab = createLab({
    app,
    ...(request ? { request } : {}),
    env: loaded.config.env,
    builder: loaded.builder,
    platform,
    meter,
    watcher,
    rps,
    warmUpSeconds,
    forceCold,
  })
  return { lab, watcher, meter }
}

/**
 * The setups under comparison, all starting from the application's configured memory: references as they are, strategies by running them
 * under a short steady load until they have nothing more to propose.
 * @param stored file of an earlier run
 */
export async function findSetups(
  loaded: LoadedApp,
  app: App,
  platform: Platform,
  options: { stored: string | undefined; requests: number; progress(text: string): void },
): Promise<Record<StrategyName, FusionSetup>> {
  const { stored, requests, progress } = options
  const { memory } = loaded.config
  const references = { remote: remoteSetup(app, memory), 'all-fused': allFusedSetup(app, memory) }
  if (stored !== undefined) {
    const kept = readStored(stored)[loaded.name]
    if (!kept || searching.some((name) => kept[name] === undefined))
      throw new Error(`there are no setups of '${loaded.name}' in ${stored}; run once without --setups`)
    return { ...references, ...kept }
  }
  const found = {} as Stored[string]
  for (const name of searching) found[name] = await adoptedBy(name, loaded, app, platform, requests, progress)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, JSON.stringify({ ...readStored(file), [loaded.name]: found }, null, 1))
  progress(`${loaded.name}: setups kept in ${file}`)
  return { ...references, ...found }
}

type Stored = Record<string, Record<(typeof searching)[number], FusionSetup>>

function readStored(from: string): Stored {
  try {
    return JSON.parse(readFileSync(from, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
}

async function adoptedBy(
  name: (typeof searching)[number],
  loaded: LoadedApp,
  app: App,
  platform: Platform,
  requests: number,
  progress: (text: string) => void,
): Promise<FusionSetup> {
  const strategy = strategies[name]
  if (!strategy) throw new Error(`the planner has no strategy '${name}'`)
  const { steady } = loaded.config.load.profiles
  if (steady.kind !== 'steady') throw new Error(`the profile 'steady' of '${loaded.name}' is none`)
  const { lab, watcher, meter } = labOf(loaded, app, platform, {
    rps: steady.rps,
    warmUpSeconds: WARM_UP_SECONDS,
    forceCold: false,
    progress,
  })
  const facts = platform.facts()
  const { goal, constraints } = loaded.config
  const context = { app, facts, goal, constraints }
  const key = { appHash: '', strategy: name, goal, load: 'bench' }
  const { rounds } = await runLoop({
    lab,
    meter,
    watcher,
    context,
    read: createReader(facts),
    arrivals: evenly(requests, steady.rps),
    strategy,
    memory: loaded.config.memory,
    maxRounds: MAX_ROUNDS,
    history: newHistory(key, new Date()),
    save: async () => {},
  })
  const good = rounds.filter((round) => !round.failure)
  const adopted = strategy.adopt?.(good, context) ?? best(good, goal)
  if (!adopted) throw new Error(`${name} adopted no setup of '${loaded.name}': ${rounds.at(-1)?.failure}`)
  progress(`${loaded.name}, ${name}: adopted after ${rounds.length} setups`)
  return adopted.setup
}
