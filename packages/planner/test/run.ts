import {
  createMonitor,
  type Goal,
  measure,
  type Proposal,
  type Round,
  type Strategy,
  type StrategyContext,
  tracesOfRecords,
} from '@fusionize/planner'
import { type Constraints, type FusionSetup, setupId, validate } from 'fusionize/setup'
import { type LoadOptions, simulate } from './simulate.js'
import type { World } from './world.js'

export const steady: LoadOptions = { requests: 60, everyMs: 100 }

/** Deploys a setup to the world and measures it, as the control loop does on a real platform. */
export function roundOf(world: World, strategy: string, proposal: Proposal, load: LoadOptions = steady): Round {
  const { samples, records } = simulate(world, proposal.setup, load)
  const monitor = createMonitor()
  for (const record of records) monitor.add(record)
  return {
    id: setupId(proposal.setup),
    setup: proposal.setup,
    strategy,
    reasons: proposal.reasons,
    summary: proposal.summary,
    measurement: measure(samples, records, world.facts),
    profile: monitor.flush(),
    traces: tracesOfRecords(records),
  }
}

export function contextOf(world: World, goal: Goal, constraints: Constraints = {}): StrategyContext {
  return { app: world.app, facts: world.facts, goal, constraints }
}

/** Runs a strategy until it has nothing more to propose. Every proposal must be valid and new. */
export function runStrategy(
  strategy: Strategy,
  world: World,
  context: StrategyContext,
  options: { memory?: number; load?: LoadOptions; limit?: number } = {},
): Round[] {
  const { memory = 128, load = steady, limit = 40 } = options
  const history: Round[] = []
  let proposal: Proposal | null = strategy.first(context, memory)
  while (proposal) {
    const broken = validate(context.app, proposal.setup, context.constraints, context.facts)
    if (broken.length > 0) throw new Error(`${proposal.summary}: ${broken.map((x) => x.message).join('; ')}`)
    const id = setupId(proposal.setup)
    if (history.some((round) => round.id === id)) throw new Error(`${proposal.summary}: proposed again`)
    if (history.length >= limit) throw new Error(`more than ${limit} setups`)
    history.push(roundOf(world, strategy.name, proposal, load))
    proposal = strategy.next(history, context)
  }
  return history
}

/** The setup's memories by function, for messages and expectations. */
export function memories(setup: FusionSetup): Record<string, number> {
  return Object.fromEntries(Object.entries(setup.functions).map(([fn, spec]) => [fn, spec.memory]))
}
