import { createReader, type Evidence, evenly, type LoadedApp, newHistory, runLoop } from '@fusionize/cli/control'
import {
  best,
  type Goal,
  NOT_SAID,
  type Reason,
  type Round,
  type Strategy,
  type StrategyContext,
  strategies,
  studyOf,
} from '@fusionize/planner'
import type { Platform } from '@fusionize/platform'
import { type App, allFusedSetup, type FusionSetup, remoteSetup } from 'fusionize/setup'
import { labOf } from '../load/setups.js'
import { bestSize } from './best-size.js'
import { type RowName, rowNames } from './rows.js'

const WARM_UP_SECONDS = 1.5
const MOST_ROUNDS = 8

export interface Bed {
  loaded: LoadedApp
  app: App
  platform: Platform
  /** Without a goal yet. */
  context: Omit<StrategyContext, 'goal'>
  /** Requests of a round, and their rate. */
  requests: number
  rps: number
  progress(text: string): void
}

export interface FoundSetup {
  setup: FusionSetup
  reasons: Reason[]
  /** Setups that its strategy deployed, the profile included. */
  deployments: number
}

/** The goal of all rows, and what it was made of. */
export interface CommonGoal {
  goal: Goal
  words: string
  /** All remote at the configured memory: the profile of every strategy. */
  profile: Round
  profiled: Evidence
}

/** Between everything remote at its best single size and the fastest setup that is known: neither is the goal met by doing nothing, nor only by one setup. */
export async function commonGoal(bed: Bed): Promise<CommonGoal> {
  const { app, context, loaded } = bed
  const { memoryLadder, mbPerCore } = context.facts
  const { memory } = loaded.config
  const profiled = await measured(bed, 'remote', remoteSetup(app, memory))
  const profile = profiled.round
  const study = studyOf(profile, { ...context, goal: { minimize: 'p95' } })
  const full = memoryLadder.findLast((size) => size <= mbPerCore) ?? mbPerCore
  const largest = study.facts.maxMb
  const remotes = [profile, (await measured(bed, 'remote', remoteSetup(app, full))).round]
  const fused = (await measured(bed, 'all-fused', allFusedSetup(app, largest))).round
  const free = strategies.wisefuse?.next([profile], { ...context, goal: { minimize: 'p95' } })
  const fastest = [...remotes, fused]
  if (free) fastest.push((await measured(bed, 'wisefuse, for latency alone', free.setup)).round)
  const p95 = ({ measurement }: Round) => measurement.p95Ms.value
  const worth = (round: Round) => p95(round) * (round.measurement.costPerMillionUsd?.value ?? 1)
  const remoteBest = remotes.reduce((a, b) => (worth(b) < worth(a) ? b : a))
  const least = Math.min(...fastest.map(p95))
  const p95Ms = (p95(remoteBest) + least) / 2
  return {
    goal: { minimize: 'cost', subjectTo: { p95Ms } },
    words: `the lowest cost with P95 ≤ ${p95Ms.toFixed(1)} ms, midway between remote at the better of ${memory} and ${full} MB (${p95(remoteBest).toFixed(1)} ms) and the fastest of ${fastest.length} probes (${least.toFixed(1)} ms)`,
    profile,
    profiled: profiled.evidence,
  }
}

/** The setup of every row, each found by its own strategy for the same goal from the same profile. */
export async function setupsFor(bed: Bed, { goal, profile }: CommonGoal): Promise<Record<RowName, FoundSetup>> {
  const { app } = bed
  const context: StrategyContext = { ...bed.context, goal }
  const study = studyOf(profile, context)
  const found: Partial<Record<RowName, FoundSetup>> = {}
  for (const name of rowNames) {
    if (name === 'remote' || name === 'all-fused') {
      const memory = bestSize(study, name)
      const setup = name === 'remote' ? remoteSetup(app, memory) : allFusedSetup(app, memory)
      found[name] = { setup, reasons: [{ change: `${memory} MB`, why: 'best single size' }], deployments: 1 }
    } else found[name] = await foundBy(bed, context, strategies[name] as Strategy, profile)
    for (const { change, why } of found[name]?.reasons ?? [])
      bed.progress(`${bed.loaded.name}, ${name}: ${change}: ${why}`)
  }
  return found as Record<RowName, FoundSetup>
}

/** What of a strategy's plan the platform has no words for. */
export function notSaid({ reasons }: FoundSetup): string[] {
  return reasons.filter(({ change }) => change === NOT_SAID).map(({ why }) => why)
}

/** A strategy from the profile on. One that has one plan is not deployed to find that out: it is among the rows. */
async function foundBy(bed: Bed, context: StrategyContext, strategy: Strategy, profile: Round): Promise<FoundSetup> {
  const learns = strategy.name === 'wisefuse' || strategy.name === 'plan'
  if (!learns) {
    const proposal = strategy.next([profile], context)
    return proposal
      ? { setup: proposal.setup, reasons: proposal.reasons, deployments: 2 }
      : { setup: profile.setup, reasons: [], deployments: 1 }
  }
  const { loaded, requests, rps } = bed
  const { lab, watcher, meter } = labFor(bed)
  const key = { appHash: '', strategy: strategy.name, goal: context.goal, load: 'bench' }
  const history = { ...newHistory(key, new Date()), rounds: [profile] }
  const { rounds } = await runLoop({
    lab,
    meter,
    watcher,
    context,
    read: createReader(context.facts),
    arrivals: evenly(requests, rps),
    strategy,
    memory: loaded.config.memory,
    maxRounds: MOST_ROUNDS,
    history,
    save: async () => {},
  })
  const good = rounds.filter((round) => !round.failure)
  const adopted = strategy.adopt?.(good, context) ?? best(good, context.goal) ?? profile
  return { setup: adopted.setup, reasons: adopted.reasons, deployments: rounds.length }
}

async function measured(bed: Bed, strategy: string, setup: FusionSetup): Promise<{ round: Round; evidence: Evidence }> {
  const { lab } = labFor(bed)
  bed.progress(`${bed.loaded.name}: probe of ${strategy}`)
  const id = await lab.serve(setup)
  const evidence = await lab.measure(evenly(bed.requests, bed.rps), 0)
  const reading = createReader(bed.context.facts)(evidence)
  if (reading.measurement.errors > 0)
    throw new Error(`${reading.measurement.errors} requests to ${strategy} failed: ${firstError(evidence)}`)
  return { round: { id, setup, strategy, reasons: [], summary: '', ...reading }, evidence }
}

function firstError({ samples }: Evidence): string {
  return samples.find(({ error }) => error !== undefined)?.error ?? 'see the log'
}

function labFor({ loaded, app, platform, rps, requests, progress }: Bed) {
  const warmUpSeconds = Math.min(WARM_UP_SECONDS, requests / rps)
  return labOf(loaded, app, platform, { rps, warmUpSeconds, forceCold: false, progress })
}
