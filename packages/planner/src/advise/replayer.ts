import { priceOf } from '../model/prices.js'
import { replay } from '../model/replay.js'
import type { Routes } from '../model/routes.js'
import { type Times, timesOf } from '../model/times.js'
import type { Node } from '../model/tree.js'
import type { PredictOptions } from '../model/types.js'
import { seededRandom } from '../statistics/random.js'
import { firstExtraOf } from './first-extra.js'
import type { Kept } from './kept.js'
import type { AdviceOptions } from './types.js'

/**
 * What fusing does is told under two assumptions about what is not known: own time is all waiting, or all computing; and what is known to compute side by
 * side does so in each other's waiting, or all at the same time.
 */
export const assumptions = ['waiting', 'computing'] as const
export type Assumption = (typeof assumptions)[number]

/** What one request would have been. */
export interface Replayed {
  /** Ms from the arrival to the reply. */
  latencyMs: number
  /** Sum of all invocations: compute, fees, start-ups and the gateway. NaN when a memory is not known. */
  costUsd: number
  invocations: number
  startUps: number
  /** Time in which an invocation only waits for another (METRICS), and all billed time. ms; 0 and not told apart unless asked for */
  doubleBilledMs: number
  billedMs: number
  /** The same × GB; NaN when a memory is not known. */
  doubleBilledGbMs: number
  billedGbMs: number
}

/** Replays a request with the calls along some edges inline, and the others as they were. */
export interface Replayer {
  (inline: (edge: number) => boolean, assume: Assumption, kept: Kept, doubleBilling?: boolean): Replayed
  /** Computing and waiting are told apart everywhere. */
  readonly isTold: boolean
  /** Nothing has to be assumed of a request: both assumptions are the same. */
  isSure(kept: Kept): boolean
  tells(node: Node): boolean
}

/**
 * The model (`model/replay`) on kept requests. An inline call has no hand-over and no invocation of its own: its work is in its caller's, which has the
 * largest of its members' memories. Start-ups are those that were recorded.
 * @param others kept requests of other setups: what they add is times at other sizes
 */
export function replayerOf(
  kept: readonly Kept[],
  others: readonly (readonly Kept[])[],
  options: AdviceOptions,
): Replayer {
  const { facts, cpu } = options
  const predictOptions: PredictOptions = {
    mbPerCore: facts.mbPerCore,
    prices: facts.prices,
    startUps: 'recorded',
    ...(cpu === 'even' && { periodMs: 0 }),
  }
  const sets = [kept, ...others].map((set) => set.map(({ tree }) => tree))
  // What the first run in a sandbox computes is not taken to be saved where no later one tells it.
  const times: Record<Assumption, Times> = {
    waiting: timesOf(sets, predictOptions, { computing: 0, firstUse: 0 }),
    computing: timesOf(sets, predictOptions, { computing: 1, firstUse: 0 }),
  }
  const extraMs = firstExtraOf(kept)
  const tells = ({ memoryMb = 0, ownMs, outsideMs, task }: Node) =>
    ownMs - outsideMs <= 1e-6 || times.computing.tells(task, memoryMb)
  const isTold = kept.every(({ tree }) => tree.nodes.every(tells))

  const replayed = (
    inline: (edge: number) => boolean,
    assume: Assumption,
    one: Kept,
    doubleBilling = false,
  ): Replayed => {
    const { latencyMs, invocations } = replay(one.tree, {
      routes: routesOf(one, inline),
      times: times[assume],
      options: predictOptions,
      isCold: (_, node) => node.cold && node.isHead,
      initMs: () => 0,
      random: seededRandom(one.tree.nodes.length),
      firstExtraMs: (callee) => extraMs.get(callee) ?? 0,
      doubleBilling,
      computing: assume === 'waiting' ? 'spread' : 'together',
    })
    const sum: Replayed = {
      latencyMs,
      costUsd: one.priced ? facts.prices.perGatewayRequest : Number.NaN,
      invocations: invocations.length,
      startUps: 0,
      doubleBilledMs: 0,
      billedMs: 0,
      doubleBilledGbMs: 0,
      billedGbMs: 0,
    }
    for (const { billedMs, cold, doubleBilledMs, initMs, memoryMb } of invocations) {
      const double = Math.min(billedMs, doubleBilledMs)
      const gb = one.priced ? memoryMb / 1024 : Number.NaN
      const { compute, requests, startup } = priceOf(facts.prices, memoryMb, billedMs, initMs)
      sum.costUsd += compute + requests + startup
      sum.billedMs += billedMs
      sum.doubleBilledMs += double
      sum.billedGbMs += billedMs * gb
      sum.doubleBilledGbMs += double * gb
      if (cold) sum.startUps++
    }
    return sum
  }
  const isSure = ({ besides, tree }: Kept) => besides.length === 0 && (isTold || tree.nodes.every(tells))
  return Object.assign(replayed, { isTold, isSure, tells })
}

/** What was inline stays so; and each function has the largest memory of what runs in it. */
function routesOf({ edge, tree }: Kept, inline: (edge: number) => boolean): Routes {
  const { nodes } = tree
  const isInline = (child: number, route: string) => route === 'inline' || inline(edge[child] as number)
  const memory = new Map<Node, number>()
  const heads = new Map<Node, Node>()
  // Callers come before what they call.
  for (const node of nodes) {
    const head = heads.get(node) ?? node
    memory.set(head, Math.max(memory.get(head) ?? 0, node.memoryMb ?? 0))
    for (const { child, route } of node.steps) if (isInline(child, route)) heads.set(nodes[child] as Node, head)
  }
  return { isInline: (_, { child, route }) => isInline(child, route), memoryOf: (_, node) => memory.get(node) }
}
