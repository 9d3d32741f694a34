import { priceOf } from '../model/prices.js'
import { mean } from '../statistics/bootstrap.js'
import { seededRandom } from '../statistics/random.js'
import { fitTimes, timeAt } from '../strategies/fit.js'
import type { PlannerFacts } from '../types.js'
import { rangeOf } from './interval.js'
import type { Observed, SeenSize, SizePoint } from './observe.js'
import type { SizeAdvice } from './types.js'
import { digits, interval, names } from './words.js'

/** Of sizes that cost within this share of the cheapest the fastest is advised: 3% dearer was up to 6× faster (PAPERS §1, weaknesses). */
const NEAR = 0.03
/** A gain that is less is not worth a change. */
const WORTH = 0.01
/** Fewer invocations at a size say little about it. */
const FEWEST = 20

/**
 * Which memory each function should have, where the traces tell how it depends on that.
 * @param seen of the setup that the advice is about
 * @param all of every setup: functions in which the same tasks ran tell more sizes
 */
export function adviseSizes(seen: Observed, all: readonly Observed[], facts: PlannerFacts, seed: number): SizeAdvice[] {
  const others = all.filter((other) => other !== seen).flatMap(({ sizes }) => [...sizes.values()])
  const byFunction = new Map<string, SeenSize[]>()
  for (const size of seen.sizes.values())
    byFunction.set(size.function, [...(byFunction.get(size.function) ?? []), size])
  return [...byFunction].map(([name, own]) => {
    const tasks = new Set(own.flatMap((size) => [...size.tasks]))
    const alike = others.filter(
      (size) =>
        size.function === name && size.tasks.size === tasks.size && [...size.tasks].every((task) => tasks.has(task)),
    )
    return adviseSize(name, knownSizes(own), knownSizes([...own, ...alike]), facts, seed)
  })
}

interface KnownSize {
  memoryMb: number
  /** In order of arrival. */
  points: readonly SizePoint[]
  seen: number
}

/** Ascending; sizes that were seen more than once together. */
function knownSizes(sizes: readonly SeenSize[]): KnownSize[] {
  const known = new Map<number, KnownSize>()
  for (const { memoryMb, points } of sizes) {
    if (memoryMb === undefined) continue
    const before = known.get(memoryMb)
    known.set(memoryMb, {
      memoryMb,
      points: [...(before?.points ?? []), ...points.items].sort((a, b) => a.arrivalMs - b.arrivalMs),
      seen: (before?.seen ?? 0) + points.seen,
    })
  }
  return [...known.values()].sort((a, b) => a.memoryMb - b.memoryMb)
}

/** @param own sizes in the setup that the advice is about */
function adviseSize(
  name: string,
  own: readonly KnownSize[],
  known: readonly KnownSize[],
  facts: PlannerFacts,
  seed: number,
): SizeAdvice {
  const now = own.reduce<KnownSize | undefined>((a, b) => (a && a.seen >= b.seen ? a : b), undefined)
  const advice: SizeAdvice = {
    function: name,
    seen: known.map(({ memoryMb, seen }) => ({ memoryMb, invocations: seen })),
    from: 'nothing',
    why: [],
  }
  if (!now) {
    advice.why.push('Its memory is not in the traces: give it with the spans (faas.max_memory), then size can be told.')
    return advice
  }
  advice.memoryMb = now.memoryMb
  const usable = known.filter(({ points }) => points.length >= FEWEST)
  const told = new Set(usable.map(({ memoryMb }) => Math.min(memoryMb, facts.mbPerCore))).size
  const cpuKnown = now.points.filter(({ cpuMs }) => cpuMs !== undefined)
  advice.from = told > 1 ? 'two sizes' : cpuKnown.length >= FEWEST ? 'cpu time' : 'nothing'
  if (advice.from === 'nothing') {
    advice.why.push(
      `Seen at ${names(known.map(({ memoryMb }) => `${memoryMb} MB`))} only${now.seen < FEWEST ? `, ${now.seen} times` : ''}, and without CPU time: one size says nothing about another. Run it once at a second size.`,
    )
    return advice
  }
  const basis = advice.from === 'two sizes' ? usable : [{ ...now, points: cpuKnown }]
  return sized(advice, now, basis, facts, seed)
}

function sized(
  advice: SizeAdvice,
  now: KnownSize,
  basis: readonly KnownSize[],
  facts: PlannerFacts,
  seed: number,
): SizeAdvice {
  const { prices, memoryLadder, mbPerCore } = facts
  const costOf = (ms: number, memoryMb: number) => 1e6 * priceOf(prices, memoryMb, ms).compute
  const ladder = [...new Set([...memoryLadder, now.memoryMb])].sort((a, b) => a - b)
  const whole = lawOf(basis, now, mbPerCore)
  const nowCost = costOf(whole(now.memoryMb), now.memoryMb)
  const costs = ladder.map((memoryMb) => ({ memoryMb, ms: whole(memoryMb), usd: costOf(whole(memoryMb), memoryMb) }))
  const cheapest = Math.min(...costs.map(({ usd }) => usd))
  const near = costs.filter(({ usd }) => usd <= cheapest * (1 + NEAR))
  const best = near.reduce((a, b) => (b.ms < a.ms * (1 - WORTH) ? b : a))
  const gains =
    best.usd < nowCost * (1 - WORTH) ||
    (best.ms < whole(now.memoryMb) * (1 - WORTH) && best.usd <= nowCost * (1 + NEAR))
  const advised = gains ? best.memoryMb : now.memoryMb

  // Resamples of each size's invocations are drawn apart: they are other requests.
  const random = seededRandom(seed)
  const drawn = (list: KnownSize) => ({
    ...list,
    points: list.points.map(() => list.points[Math.floor(random() * list.points.length)] as SizePoint),
  })
  const laws = Array.from({ length: 200 }, () => {
    const again = basis.map(drawn)
    return lawOf(again, again.find(({ memoryMb }) => memoryMb === now.memoryMb) ?? now, mbPerCore)
  })
  const estimate = (of: (law: (memoryMb: number) => number) => number) => {
    const values = laws.map(of).sort((a, b) => a - b)
    const n = basis.reduce((sum, { points }) => sum + points.length, 0)
    return { value: of(whole), low: values[4] as number, high: values[194] as number, n }
  }
  advice.adviseMb = advised
  advice.nowMs = rangeOf(
    now.points.length,
    [(indices) => indices.reduce((sum, i) => sum + totalOf(now.points[i]), 0) / indices.length],
    seed,
  )
  advice.thenMs = estimate((law) => law(advised))
  advice.savesPerMillionUsd = estimate((law) => costOf(law(now.memoryMb), now.memoryMb) - costOf(law(advised), advised))
  advice.why.push(
    advice.from === 'two sizes'
      ? `Seen at ${names(advice.seen.map(({ memoryMb, invocations }) => `${memoryMb} MB (${invocations}×)`))}: its time is ${digits(whole(1e9 * mbPerCore))} ms that no memory shortens, and computing in proportion to 1/MB up to ${mbPerCore} MB.`
      : `Seen at ${now.memoryMb} MB only; its CPU time tells how much of it computes, which goes in proportion to 1/MB up to ${mbPerCore} MB (one thread).`,
    advised === now.memoryMb
      ? `No size is cheaper by more than ${WORTH * 100}% or as cheap and faster.`
      : `At ${advised} MB an invocation would take ${interval(advice.thenMs)} ms instead of ${interval(advice.nowMs)} ms, and save ${interval(advice.savesPerMillionUsd)} USD per million invocations. The traces do not tell how much memory it needs.`,
  )
  return advice
}

const totalOf = (point: SizePoint | undefined) => (point ? point.ownMs + point.waitMs : 0)

/** Mean ms of an invocation as a function of its memory: waiting for others as it was, own time by the CPU law (PAPERS §1). */
function lawOf(basis: readonly KnownSize[], now: KnownSize, fullMb: number): (memoryMb: number) => number {
  const waitMs = mean(now.points.map((point) => point.waitMs))
  const own = (points: readonly SizePoint[]) => mean(points.map((point) => point.ownMs))
  const single = basis[0] as KnownSize
  const computing =
    basis.length > 1
      ? 0
      : mean(single.points.map(({ cpuMs = 0, ownMs }) => computingMs(cpuMs, single.memoryMb, fullMb, ownMs))) /
        Math.max(1e-9, own(single.points))
  const fit = fitTimes(
    basis.map(({ memoryMb, points }) => ({ memory: memoryMb, ms: own(points) })),
    fullMb,
    Math.min(1, computing),
  )
  return (memoryMb) => waitMs + timeAt(fit, memoryMb)
}

/** How long computing takes at a share of a core, of what one full core needs `cpuMs` for; at most `ownMs`. */
function computingMs(cpuMs: number, memoryMb: number, mbPerCore: number, ownMs: number): number {
  return Math.min(ownMs, cpuMs * Math.max(1, mbPerCore / memoryMb))
}
