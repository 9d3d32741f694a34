import { doubleBillingShareOf } from '../characterize/characterize.js'
import { quantileOf } from '../statistics/distribution.js'
import type { RequestTrace } from '../traces/types.js'
import type { Estimate } from '../types.js'
import { adviseEdges } from './edges.js'
import {
  figuresOf,
  listsOf,
  type Outcome,
  outcomeOf,
  type Requests,
  requestsOf,
  savedUsd,
  weightedMeanAt,
} from './figures.js'
import { groupsOf, notationOf } from './groups.js'
import { quantileAt, rangeOf } from './interval.js'
import { keptOf } from './kept.js'
import { limitsOf } from './limits.js'
import { adviceDefaults, emptyObserved, type Observed, observe } from './observe.js'
import { type Replayed, replayerOf } from './replayer.js'
import { adviseSizes } from './sizes.js'
import type { Advice, AdviceOptions, EntryAdvice, GraphNode } from './types.js'

/** Takes requests one by one, and advises at any time. Its memory does not grow with the requests. */
export interface Advisor {
  add(trace: RequestTrace): void
  advice(): Advice
}

/** Setups that are told apart. */
const MOST_SETUPS = 20

/**
 * Advice from traces that exist, of any application: its call graph, what double billing and start-ups cost, and what fusing and sizing would
 * save. Requests are replayed by the model (`model/replay`) with calls inline: no hand-over, no invocation of the callee, nobody billed for waiting.
 */
export function createAdvisor(options: AdviceOptions): Advisor {
  const setups = new Map<string | undefined, Observed>()
  const seed = options.seed ?? adviceDefaults.seed
  let forgotten = 0
  return {
    add(trace) {
      let seen = setups.get(trace.setup)
      if (!seen) {
        // Only the last one is advised about: what is older than many others can go.
        if (setups.size >= MOST_SETUPS) forgotten += forgetOldest(setups)
        seen = emptyObserved()
        setups.set(trace.setup, seen)
      }
      observe(seen, trace, options)
    },
    advice() {
      const none: [string | undefined, Observed] = [undefined, emptyObserved()]
      const [setup, seen] = [...setups].reduce((a, b) => (b[1].lastMs > a[1].lastMs ? b : a), none)
      const otherRequests = [...setups.values()].reduce(
        (sum, other) => sum + (other === seen ? 0 : other.characteristics.requests),
        forgotten,
      )
      const keptBy = (some: Observed) => keptOf(some, options.assumedMemoryMb, options.facts.mbPerCore)
      const kept = keptBy(seen)
      const others = [...setups.values()].filter((other) => other !== seen).map(keptBy)
      const replayed = replayerOf(kept, others, options)
      const requests = requestsOf(kept, replayed)
      const { edges, fused } = adviseEdges(seen, requests, replayed, seed)
      const outcome = outcomeOf(requests, replayed, (edge) => fused.has(edge), requests.all, true)
      const groups = groupsOf(seen, fused, requests, replayed, seed)
      const { characteristics } = seen
      const entries = entriesOf(requests, outcome, seed).map((entry) => ({
        ...entry,
        requests: seen.entries.get(entry.task)?.seen ?? 0,
      }))
      const advice: Advice = {
        v: 1,
        ...(setup !== undefined && { setup }),
        otherRequests,
        requests: characteristics.requests,
        runs: seen.runs,
        firstMs: characteristics.requests > 0 ? seen.firstMs : 0,
        lastMs: characteristics.requests > 0 ? seen.lastMs : 0,
        doubleBilling: doubleBillingOf(requests, doubleBillingShareOf(characteristics), options, seed),
        characteristics,
        nodes: [...seen.nodes].map(
          ([task, { errors, function: fn, ownMs, runs }]): GraphNode => ({
            task,
            function: fn,
            runs,
            runsPerRequest: runs / Math.max(1, characteristics.requests),
            errors,
            ownMs: quantileOf(ownMs, 0.5),
          }),
        ),
        edges,
        groups,
        sizes: adviseSizes(seen, [...setups.values()], options.facts, seed),
        entries: entries.sort((a, b) => b.requests - a.requests),
        total: {
          nowPerMillionUsd: costOf(requests, [requests.now], seed),
          fusedPerMillionUsd: costOf(requests, listsOf(outcome), seed),
          savesPerMillionUsd: requests.all.length === 0 ? null : savedUsd(requests, outcome, seed),
        },
        notation: notationOf(groups),
        limits: [],
      }
      const { startUps, startUpMs } = characteristics
      if (startUps.count > 0) {
        const value = startUps.sum / startUps.count
        const sampled = rangeOf(
          requests.all.length,
          [
            weightedMeanAt(
              requests.now.map((r) => r.startUps),
              requests.weight,
            ),
          ],
          seed,
        )
        advice.startUps = {
          perRequest: around(value, sampled),
          requestsWith: startUps.count - (startUps.buckets[0] ?? 0),
          ...(startUpMs.count > 0 && { medianMs: quantileOf(startUpMs, 0.5) }),
        }
      }
      advice.limits = limitsOf(advice, kept.length, replayed)
      return advice
    },
  }
}

/** @returns requests of the setup that is forgotten */
function forgetOldest(setups: Map<string | undefined, Observed>): number {
  const [setup, seen] = [...setups].reduce((a, b) => (b[1].lastMs < a[1].lastMs ? b : a))
  setups.delete(setup)
  return seen.characteristics.requests
}

/** The interval of a sample around the value of all. */
function around(value: number, { high, low, n, value: sampled }: Estimate): Estimate {
  return { value, low: Math.max(0, value + low - sampled), high: value + high - sampled, n }
}

function costOf({ all, weight }: Requests, lists: readonly Replayed[][], seed: number): Estimate | null {
  const costs = lists.map((list) => list.map((r) => 1e6 * r.costUsd))
  if (all.length === 0 || costs.some((list) => list.some(Number.isNaN))) return null
  return rangeOf(
    all.length,
    costs.map((list) => weightedMeanAt(list, weight)),
    seed,
  )
}

function doubleBillingOf(
  { all, now, weight }: Requests,
  { share, unit }: { share: number; unit: 'GB·s' | 's' },
  { facts }: AdviceOptions,
  seed: number,
): Advice['doubleBilling'] {
  const known = now.length > 0 && !now.some((r) => Number.isNaN(r.billedGbMs))
  const [part, whole] = known
    ? [now.map((r) => r.doubleBilledGbMs), now.map((r) => r.billedGbMs)]
    : [now.map((r) => r.doubleBilledMs), now.map((r) => r.billedMs)]
  const [parts, wholes] = [weightedMeanAt(part, weight), weightedMeanAt(whole, weight)]
  const sampled = rangeOf(all.length, [(indices) => parts(indices) / wholes(indices) || 0], seed)
  const perMs = 1e6 * (facts.prices.perGbSecond / 1000)
  return {
    share: around(share, sampled),
    perMillionRequestsUsd: known ? rangeOf(all.length, [(indices) => perMs * parts(indices)], seed) : null,
    unit,
  }
}

function entriesOf(requests: Requests, outcome: Outcome, seed: number): EntryAdvice[] {
  const { all, kept } = requests
  const lists = listsOf(outcome)
  return [...new Set(kept.map(({ entry }) => entry))].map((task) => {
    const some = all.filter((i) => kept[i]?.entry === task)
    const now = figuresOf([requests.now], some, seed)
    const fused = figuresOf(lists, some, seed)
    const at = (list: readonly Replayed[]) => Float64Array.from(some, (i) => (list[i] as Replayed).latencyMs)
    const before = at(requests.now)
    const saved = (p: number) =>
      rangeOf(
        some.length,
        lists.map((list) => {
          const [a, b] = [quantileAt(before, p), quantileAt(at(list), p)]
          return (indices: Int32Array) => a(indices) - b(indices)
        }),
        seed,
      )
    const costs = lists.map((list) =>
      Float64Array.from(some, (i) => 1e6 * ((requests.now[i] as Replayed).costUsd - (list[i] as Replayed).costUsd)),
    )
    return {
      task,
      requests: some.length,
      sampled: some.length,
      now,
      fused,
      saves: {
        p50Ms: saved(0.5),
        p95Ms: saved(0.95),
        costPerMillionUsd: fused.costPerMillionUsd
          ? rangeOf(
              some.length,
              costs.map(
                (list) => (indices: Int32Array) =>
                  indices.reduce((sum, i) => sum + (list[i] as number), 0) / indices.length,
              ),
              seed,
            )
          : null,
      },
    }
  })
}
