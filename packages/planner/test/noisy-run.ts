import {
  type Arrivals,
  type BySize,
  createMonitor,
  measure,
  type Proposal,
  type RequestSample,
  type Round,
  type SimulatedPlatform,
  type Strategy,
  type StrategyContext,
  simulate,
  tracesOfRecords,
} from '@fusionize/planner'
import type { InvocationRecord } from 'fusionize/record'
import { type Mode, setupId } from 'fusionize/setup'
import { behaviourOf, platformOf } from './simulated-world.js'
import type { World } from './world.js'

/** A ground truth that no model of ours is: log-normal hand-overs and start-ups, and a load at random. */
export interface Truth {
  world: World
  platform: SimulatedPlatform
  arrivals: Arrivals
  warmUpRequests: number
}

/** @param sigma of the logarithm of hand-overs; start-ups have half of it */
export function truthOf(world: World, sigma: number, arrivals: Arrivals, warmUpRequests = 0): Truth {
  const bySize = (medianMs: (memoryMb: number) => number, spread: number): BySize =>
    world.facts.memoryLadder.map((memoryMb) => ({ memoryMb, ms: { medianMs: medianMs(memoryMb), sigma: spread } }))
  const handOver = (mode: Mode) => bySize((memoryMb) => world.handOverMs(mode, memoryMb), sigma)
  const platform = platformOf(world, {
    handOver: { call: handOver('call'), send: handOver('send') },
    startUp: bySize(world.coldMs, sigma / 2),
  })
  return { world, platform, arrivals, warmUpRequests }
}

/** Deploys a setup to the truth and measures it, as the control loop does on a real platform. */
export function noisyRound(truth: Truth, strategy: string, proposal: Proposal, seed: number): Round {
  const { world, platform, arrivals, warmUpRequests } = truth
  const records: InvocationRecord[] = []
  const samples: RequestSample[] = []
  const monitor = createMonitor()
  simulate(behaviourOf(world), proposal.setup, platform, {
    arrivals,
    seed,
    warmUpRequests,
    onRecord: (record) => {
      records.push(record)
      monitor.add(record)
    },
    onReply: (request, startMs, latencyMs) => {
      samples[request - warmUpRequests] = { startMs, latencyMs, session: `s${request + 1}` }
    },
  })
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

/** Runs a strategy against the truth until it has nothing more to propose; each setup gets requests of its own. */
export function runNoisily(
  strategy: Strategy,
  truth: Truth,
  context: StrategyContext,
  options: { memory: number; seed: number; limit?: number },
): Round[] {
  const { limit = 40, memory, seed } = options
  const history: Round[] = []
  let proposal: Proposal | null = strategy.first(context, memory)
  while (proposal && history.length < limit) {
    history.push(noisyRound(truth, strategy.name, proposal, seed + history.length))
    proposal = strategy.next(history, context)
  }
  return history
}
