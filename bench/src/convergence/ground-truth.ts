import { type Estimate, type Goal, objectiveEstimate, type SimulationResult, simulate } from '@fusionize/planner'
import { allFusedSetup, type FusionSetup, remoteSetup } from 'fusionize/setup'
import { everySetup } from './every-setup.js'
import { distinctSetups, effectId, neighboursOf, type Space } from './neighbours.js'
import type { World } from './world.js'

/** A setup and what it truly gives under the goal. */
export interface Judged {
  setup: FusionSetup
  objective: Estimate
}

export interface GroundTruth {
  best: Judged
  /** Setups that were simulated to find it. */
  looked: number
  /** Whether these were all there are. */
  isEverySetup: boolean
  /** @returns how far a setup is from the best, as a share, with a 95% interval */
  gapOf(setup: FusionSetup): Estimate
}

export interface Effort {
  /** More setups are searched instead of all looked at. */
  limit: number
  /** Requests of each setup, round by round; each round keeps the share of the next. */
  rounds: readonly { requests: number; keep: number }[]
  /** Requests by which the last are judged, and those of them that come near the best. */
  judge: { requests: number; near: number }
}

/** Keeps at least so many setups for the last round. */
const FINALISTS = 6
/** How much longer it takes to simulate CPU in periods of a quota. */
const QUOTA_EFFORT = 3
/** Starts of a local search. */
const STARTS = 4
/** Judged setups this near to the best are judged again with more requests. */
const NEAR = 0.08
/** Chance of the judgement is that of no load that a strategy saw and of no round of the search. */
const JUDGE = 15_485_863
const SEARCH = 32_452_843

/**
 * The best setup by the simulation itself: every setup where there are few enough, all with few requests, the better ones with more, and so on; else by
 * local search from references and from what strategies deployed. Judged with chances that nobody saw before.
 * @param deployed setups that strategies tried: judged like the last ones, so that the best is none the worse for the search's chance
 */
export function groundTruth(world: World, goal: Goal, deployed: readonly FusionSetup[], effort: Effort): GroundTruth {
  const { app } = world.behaviour
  const space: Space = { app, facts: world.facts, constraints: {} }
  const look = (setup: FusionSetup, requests: number, seed: number) => objectiveOf(world, goal, setup, requests, seed)
  const every = everySetup(space, effort.limit / (world.platform.cpu.kind === 'quota' ? QUOTA_EFFORT : 1))
  const { found, looked } = every ? halved(every, effort, world, look) : searched(space, world, deployed, effort, look)
  const judge = (setup: FusionSetup, requests: number): Judged => ({
    setup,
    objective: look(setup, requests, world.seed + JUDGE),
  })
  const once = distinctSetups(app, [...found, ...deployed]).map((setup) => judge(setup, effort.judge.requests))
  const limit = (1 + NEAR) * bestOf(once).objective.value
  const twice = once.map((one) => (one.objective.value <= limit ? judge(one.setup, effort.judge.near) : one))
  const best = bestOf(twice)
  const judged = new Map(twice.map((one) => [effectId(app, one.setup), one]))
  return {
    best,
    looked,
    isEverySetup: every !== undefined,
    gapOf(setup) {
      const own = judged.get(effectId(app, setup))
      if (!own) throw new RangeError('that setup was not judged')
      return gapBetween(own.objective, best.objective)
    },
  }
}

function bestOf(all: readonly Judged[]): Judged {
  return all.reduce((a, b) => (b.objective.value < a.objective.value ? b : a))
}

type Look = (setup: FusionSetup, requests: number, seed: number) => Estimate

function halved(
  setups: readonly FusionSetup[],
  { rounds }: Effort,
  { seed }: World,
  look: Look,
): { found: FusionSetup[]; looked: number } {
  let left = [...setups]
  for (const { requests, keep } of rounds) {
    const scored = left.map((setup) => ({ setup, score: look(setup, requests, seed + SEARCH).value }))
    scored.sort((a, b) => a.score - b.score)
    left = scored.slice(0, Math.max(FINALISTS, Math.ceil(keep * left.length))).map(({ setup }) => setup)
  }
  return { found: left.slice(0, FINALISTS), looked: setups.length }
}

/** From each start to the best neighbour, until none is better. */
function searched(
  space: Space,
  { seed }: World,
  deployed: readonly FusionSetup[],
  { rounds }: Effort,
  look: Look,
): { found: FusionSetup[]; looked: number } {
  const { app, facts } = space
  const requests = rounds.at(-1)?.requests ?? 0
  const known = new Map<string, number>()
  const scoreOf = (setup: FusionSetup) => {
    const id = effectId(app, setup)
    const score = known.get(id) ?? look(setup, requests, seed + SEARCH).value
    known.set(id, score)
    return score
  }
  const references = [remoteSetup, allFusedSetup].flatMap((of) => facts.memoryLadder.map((size) => of(app, size)))
  const starts = [...references, ...deployed].sort((a, b) => scoreOf(a) - scoreOf(b)).slice(0, STARTS)
  const ends = starts.map((start) => {
    for (let at = start; ; ) {
      const next = neighboursOf(space, at).reduce((a, b) => (scoreOf(b) < scoreOf(a) ? b : a), at)
      if (next === at) return at
      at = next
    }
  })
  return { found: ends, looked: known.size }
}

function objectiveOf(world: World, goal: Goal, setup: FusionSetup, requests: number, seed: number): Estimate {
  const warmUpRequests = Math.ceil(requests / 10)
  const result = simulate(world.behaviour, setup, world.platform, {
    arrivals: { kind: 'poisson', rps: world.rps, requests: warmUpRequests + requests },
    warmUpRequests,
    seed,
  })
  return objectiveEstimate(goal, asMeasured(result))
}

/** What the goals of strategies read. */
function asMeasured({ estimates, ...result }: SimulationResult): Parameters<typeof objectiveEstimate>[1] {
  const { requests, stuck, cost, coldStarts, invocations, invocationsPerRequest, doubleBillingShare } = result
  const counts = { requests, errors: stuck, coldStarts, invocations, invocationsPerRequest, doubleBillingShare }
  return { ...estimates, cost, ...counts }
}

/** a / b − 1 with a 95% interval, from both as if they were independent. */
function gapBetween(a: Estimate, b: Estimate): Estimate {
  const value = a.value / b.value - 1
  if (a === b) return { value: 0, low: 0, high: 0, n: a.n }
  const half = (end: 'low' | 'high', other: 'low' | 'high') =>
    (1 + value) * Math.hypot(a[end] / a.value - 1, b[other] / b.value - 1)
  return { value, low: value - half('low', 'high'), high: value + half('high', 'low'), n: a.n }
}
