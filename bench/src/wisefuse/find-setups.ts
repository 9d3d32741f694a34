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
import { allFusedSetup, type FusionSetup, remoteSetup, setupId } from 'fusionize/setup'
import { bestSize } from './best-size.js'
import { type RowName, rowNames } from './rows.js'

/** More than any strategy deploys. */
const MOST_ROUNDS = 8

/** Where setups can be tried: the platform, or a simulation of it. */
export interface Bed {
  name: string
  /** MB of every function in the first setup. */
  memory: number
  context: Omit<StrategyContext, 'goal'>
  /** Puts a setup under the load. @throws {Error} when requests fail */
  probe(label: string, setup: FusionSetup): Promise<Round> | Round
  progress(text: string): void
}

export interface FoundSetup {
  setup: FusionSetup
  reasons: Reason[]
  /** Setups that its strategy deployed, the profile and the one that it ended at included. */
  deployments: number
}

/** The goal of all rows. */
export interface CommonGoal {
  goal: Goal
  words: string
}

/** Between everything remote at its better size and the fastest setup that is known, so that the goal is met neither by doing nothing nor by one setup only. */
export async function commonGoal(bed: Bed, profile: Round): Promise<CommonGoal> {
  const { context, memory } = bed
  const { app, facts } = context
  const study = studyOf(profile, { ...context, goal: { minimize: 'p95' } })
  const full = facts.memoryLadder.findLast((size) => size <= facts.mbPerCore) ?? facts.mbPerCore
  const remotes = [profile, await bed.probe('remote', remoteSetup(app, full))]
  const probes = [...remotes, await bed.probe('all-fused', allFusedSetup(app, study.facts.maxMb))]
  const free = strategies.wisefuse?.next([profile], { ...context, goal: { minimize: 'p95' } })
  if (free) probes.push(await bed.probe('wisefuse, for latency alone', free.setup))
  const p95 = ({ measurement }: Round) => measurement.p95Ms.value
  const worth = (round: Round) => p95(round) * (round.measurement.costPerMillionUsd?.value ?? 1)
  const remoteBest = remotes.reduce((a, b) => (worth(b) < worth(a) ? b : a))
  const least = Math.min(...probes.map(p95))
  const p95Ms = (p95(remoteBest) + least) / 2
  return {
    goal: { minimize: 'cost', subjectTo: { p95Ms } },
    words:
      `the lowest cost with P95 ≤ ${p95Ms.toFixed(1)} ms, midway between remote at the better of ${memory} and ${full} MB (${p95(remoteBest).toFixed(1)} ms) ` +
      `and the fastest of ${probes.length} probes (${least.toFixed(1)} ms)`,
  }
}

/** The setup of every row, each found by its own strategy for the same goal from the same profile. */
export async function setupsFor(
  bed: Bed,
  goal: Goal,
  profile: Round,
  names: readonly RowName[] = rowNames,
): Promise<Record<RowName, FoundSetup>> {
  const context: StrategyContext = { ...bed.context, goal }
  const found: Partial<Record<RowName, FoundSetup>> = {}
  for (const name of names) {
    const own = await setupBy(name, bed, context, profile)
    for (const { change, why } of own.reasons) bed.progress(`${bed.name}, ${name}: ${change}: ${why}`)
    found[name] = own
  }
  return found as Record<RowName, FoundSetup>
}

/** What of a strategy's plan no setup can say. */
export function notSaid({ reasons }: FoundSetup): string[] {
  return reasons.filter(({ change }) => change === NOT_SAID).map(({ why }) => why)
}

async function setupBy(name: RowName, bed: Bed, context: StrategyContext, profile: Round): Promise<FoundSetup> {
  if (name === 'remote' || name === 'all-fused') {
    const memory = bestSize(studyOf(profile, context), name)
    const setup = name === 'remote' ? remoteSetup(context.app, memory) : allFusedSetup(context.app, memory)
    return { setup, reasons: [{ change: `${memory} MB`, why: 'best single size by the model' }], deployments: 2 }
  }
  const strategy = strategies[name]
  if (!strategy) throw new Error(`the planner has no strategy '${name}'`)
  // A strategy that plans once has nothing to learn from a probe: its plan is measured among the rows.
  return name === 'wisefuse' || name === 'plan'
    ? learned(strategy, bed, context, profile)
    : planned(strategy, context, profile)
}

function planned(strategy: Strategy, context: StrategyContext, profile: Round): FoundSetup {
  const proposal = strategy.next([profile], context)
  return proposal
    ? { setup: proposal.setup, reasons: proposal.reasons, deployments: 2 }
    : { setup: profile.setup, reasons: [], deployments: 1 }
}

/** As the feedback loop does it, from the profile on. */
async function learned(strategy: Strategy, bed: Bed, context: StrategyContext, profile: Round): Promise<FoundSetup> {
  const rounds = [profile]
  while (rounds.length < MOST_ROUNDS) {
    const proposal = strategy.next(rounds, context)
    if (!proposal || rounds.some(({ id }) => id === setupId(proposal.setup))) break
    try {
      const { reasons, summary, setup } = proposal
      rounds.push({ ...(await bed.probe(strategy.name, setup)), strategy: strategy.name, reasons, summary })
    } catch (error) {
      bed.progress(`${bed.name}, ${strategy.name}: ${(error as Error).message}`)
      break
    }
  }
  const adopted = strategy.adopt?.(rounds, context) ?? best(rounds, context.goal) ?? profile
  return { setup: adopted.setup, reasons: adopted.reasons, deployments: rounds.length }
}
