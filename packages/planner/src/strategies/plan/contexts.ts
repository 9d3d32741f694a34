import type { TaskName } from 'fusionize/setup'
import type { PlannerFacts } from '../../types.js'
import { type CallDag, type CallTask, calleesFirst, type DagCall } from './call-dag.js'
import type { Fronts, Pruner } from './fronts.js'
import { betterThan, type PlanGoal } from './goal.js'
import type { Label } from './labels.js'
import { type SetupFigures, stepsOf } from './predictor.js'
import { meanOf, type Rules } from './visit.js'

/**
 * What the rest of a plan can at best be around a part plan with latency x, weight w and mean latency m: end to end it takes at least
 * max(floor, base + factor·x), and costs at least fixed + runs·w + perMs·m.
 */
interface Context {
  floor: Float64Array
  base: Float64Array
  factor: number
  fixed: number
  runs: number
  perMs: number
  /** Mean of `base` or, where nobody waits, of `floor`: what contexts are sorted by. */
  atMs: number
}

/** Contexts kept for a task and size. */
const MOST = 12

/**
 * Bounds for part plans from relaxed fronts, entry first: around every task and size, what all other tasks can at best do. A part plan that would not be
 * better than the best known plan in any of its contexts cannot be in an optimal plan. A task that several paths reach has contexts on each of them, in which its other
 * runs are part of the rest. Items of a map have no contexts: they are never left out.
 */
export function prunerOf(
  dag: CallDag,
  facts: PlannerFacts,
  rules: Rules,
  goal: PlanGoal,
  relaxed: Fronts,
  best: SetupFigures,
): Pruner {
  const { memoryLadder: ladder, prices } = facts
  const n = dag.scenarios
  const free = freeTasks(dag)
  const inside = new Map<string, Context[]>()
  const partial = new Map<string, Context[]>()
  const steady = new Map<string, Context[]>()
  const outside = new Map<TaskName, Context[]>()
  const put = (map: Map<string, Context[]>, key: string, found: Context[]) =>
    map.set(key, [...(map.get(key) ?? []), ...found])
  const zero = new Float64Array(n)
  outside.set(dag.entry, [{ floor: zero, base: zero, factor: 1, fixed: 0, runs: 1, perMs: 0, atMs: 0 }])

  for (const name of calleesFirst(dag).reverse()) {
    const task = dag.tasks[name] as CallTask
    if (free.has(name)) continue
    const seen = merged(outside.get(name) ?? [])
    outside.set(name, seen)
    for (const memoryMb of ladder) {
      const part = relaxed.parts.get(`${name} ${memoryMb}`)
      if (!part) continue
      const price = rules.usdPerMs(memoryMb)
      const fee = prices.perRequest + (price * prices.granularityMs) / 2
      const hosted = seen.map((c) => ({ ...c, perMs: c.perMs + c.runs * price, fixed: c.fixed + c.runs * fee }))
      const around = merged([...(inside.get(`${name} ${memoryMb}`) ?? []), ...hosted])
      if (around.length === 0) continue
      const steps = stepsOf(task)
      // Own work and the steps before, and the steps after.
      const before: Summary[][] = [[summaryOf(part.own)]]
      for (const options of part.steps) before.push(sum(before.at(-1) as Summary[], options))
      const after: Summary[][] = [[{ syncMs: zero, weight: 0, meanMs: 0 }]]
      for (const options of [...part.steps].reverse()) after.unshift(sum(after[0] as Summary[], options))
      for (const [i, step] of steps.entries()) {
        partial.set(
          `${name} ${memoryMb} ${i}`,
          merged(around.flatMap((c) => (after[i + 1] as Summary[]).map((rest) => withRest(c, rest)))),
        )
        const rests = sum(before[i] as Summary[], after[i + 1] as Summary[])
        const atStep = merged(around.flatMap((c) => rests.map((rest) => withRest(c, rest))))
        steady.set(`${name} ${memoryMb} ${i}`, atStep)
        for (const call of step) {
          const others = step.reduce((sum, other) => sum + (other === call ? 0 : (part.least.get(other) ?? 0)), 0)
          pass(
            call,
            memoryMb,
            price,
            atStep.map((c) => ({ ...c, fixed: c.fixed + c.runs * others })),
          )
        }
      }
    }
  }

  function pass(call: DagCall, memoryMb: number, price: number, at: readonly Context[]): void {
    const { to, mode, times } = call
    if (mode === 'map' || free.has(to)) return
    const passMs = rules.remote(rules.nothing(), { ...call, times: 1 }, { replyMs: zero, costUsd: 0 }, memoryMb)
      .syncMs[0] as number
    const remote: Context[] = []
    const inline: Context[] = []
    for (const c of at) {
      const runs = c.runs * times
      if (mode === 'send') {
        const floorAt = (ms: number) =>
          new Float64Array(c.floor.map((v, s) => Math.max(v, (c.base[s] as number) + c.factor * ms)))
        remote.push({
          ...c,
          floor: floorAt(times * passMs),
          factor: 0,
          base: zero,
          fixed: c.fixed + c.perMs * times * passMs,
          runs,
          perMs: 0,
        })
        inline.push({ ...c, floor: floorAt(0), factor: 0, base: zero, runs, perMs: runs * price })
        continue
      }
      // A group takes at least as long as any of its members, which cost at least their weight.
      const perMs = c.perMs * times
      const factor = c.factor * times
      inline.push({ ...c, factor, runs, perMs })
      const waitMs = factor * passMs
      remote.push({
        ...c,
        factor,
        runs,
        perMs,
        base: c.base.map((ms) => ms + waitMs),
        fixed: c.fixed + perMs * passMs,
        atMs: c.atMs + waitMs,
      })
    }
    put(outside, to, remote)
    put(inside, `${to} ${memoryMb}`, inline)
  }

  const may = betterThan(goal, best)
  const hopeless = (contexts: readonly Context[] | undefined, syncMs: Float64Array, weight: number, meanMs: number) => {
    if (contexts === undefined || contexts.length === 0) return false
    for (const c of contexts) {
      const costUsd = c.fixed + c.runs * weight + c.perMs * meanMs
      const latencies = may(1e6 * (costUsd + prices.perGatewayRequest))
      if (latencies?.every(({ share, ms }) => isWithin(c, syncMs, share, ms))) return false
    }
    return true
  }
  return {
    isHopeless: (task, memoryMb, step, syncMs, weight, meanMs) =>
      hopeless(partial.get(`${task} ${memoryMb} ${step}`), syncMs, weight, meanMs),
    isHopelessStep: (task, memoryMb, step, syncMs, weight, meanMs) =>
      hopeless(steady.get(`${task} ${memoryMb} ${step}`), syncMs, weight, meanMs),
    isHopelessCallee(task, replyMs, costUsd) {
      return !free.has(task) && hopeless(outside.get(task), replyMs, costUsd, meanOf(replyMs))
    },
  }
}

/** Whether a quantile of the latency around a part plan is at most so many ms; as `quantile`, without sorting. */
function isWithin({ floor, base, factor }: Context, syncMs: Float64Array, share: number, ms: number): boolean {
  const n = syncMs.length
  const at = (n - 1) * share
  const low = Math.floor(at)
  let [above, under, over] = [0, 0, Number.POSITIVE_INFINITY]
  for (let s = 0; s < n; s++) {
    const latency = Math.max(floor[s] as number, (base[s] as number) + factor * (syncMs[s] as number))
    if (latency <= ms) under = Math.max(under, latency)
    else if (++above >= n - low) return false
    else over = Math.min(over, latency)
  }
  if (above < n - Math.ceil(at)) return true
  return under + (over - under) * (at - low) <= ms
}

/** Items of maps, and all below them: what they add to a whole is not proportional to what they take. */
function freeTasks(dag: CallDag): Set<TaskName> {
  const free = new Set<TaskName>()
  for (const { calls } of Object.values(dag.tasks)) for (const { to, mode } of calls) if (mode === 'map') free.add(to)
  for (const name of free) for (const { to } of (dag.tasks[name] as CallTask).calls) free.add(to)
  return free
}

/** Latency and weight of what else a task does. */
interface Summary {
  syncMs: Float64Array
  weight: number
  meanMs: number
}

const summaryOf = ({ visit: { syncMs }, weight, meanMs }: Label): Summary => ({ syncMs, weight, meanMs })

/** One after the other, all ways of one with all of the other, thinned so that it stays a bound. */
function sum(a: readonly Summary[], b: readonly (Summary | Label)[]): Summary[] {
  const all = a.flatMap((x) =>
    b.map((option) => {
      const y = 'visit' in option ? summaryOf(option) : option
      return {
        syncMs: x.syncMs.map((ms, s) => ms + (y.syncMs[s] as number)),
        weight: x.weight + y.weight,
        meanMs: x.meanMs + y.meanMs,
      }
    }),
  )
  if (all.length <= MOST) return all
  return spreadOut(all, ({ meanMs }) => meanMs).map((cluster) => {
    const syncMs = least(cluster.map((of) => of.syncMs))
    return { syncMs, weight: Math.min(...cluster.map(({ weight }) => weight)), meanMs: meanOf(syncMs) }
  })
}

function withRest(c: Context, { syncMs, weight, meanMs }: Summary): Context {
  return {
    ...c,
    base: c.base.map((ms, s) => ms + c.factor * (syncMs[s] as number)),
    fixed: c.fixed + c.runs * weight + c.perMs * meanMs,
    atMs: c.atMs + c.factor * meanMs,
  }
}

/** At most `MOST` contexts that bound all of these. */
function merged(contexts: readonly Context[]): Context[] {
  if (contexts.length <= MOST) return [...contexts]
  return spreadOut(contexts, ({ atMs }) => atMs).map((cluster) => {
    const smallest = (of: (c: Context) => number) => Math.min(...cluster.map(of))
    return {
      floor: least(cluster.map(({ floor }) => floor)),
      base: least(cluster.map(({ base }) => base)),
      factor: smallest(({ factor }) => factor),
      fixed: smallest(({ fixed }) => fixed),
      runs: smallest(({ runs }) => runs),
      perMs: smallest(({ perMs }) => perMs),
      atMs: smallest(({ atMs }) => atMs),
    }
  })
}

/** Neighbours in equally many. */
function spreadOut<T>(all: readonly T[], by: (one: T) => number): T[][] {
  const sorted = [...all].sort((a, b) => by(a) - by(b))
  return Array.from({ length: MOST }, (_, i) =>
    sorted.slice(Math.floor((i * sorted.length) / MOST), Math.floor(((i + 1) * sorted.length) / MOST)),
  ).filter((of) => of.length > 0)
}

function least(vectors: readonly Float64Array[]): Float64Array {
  const [first] = vectors as [Float64Array]
  const found = Float64Array.from(first)
  for (const vector of vectors)
    for (let s = 0; s < found.length; s++)
      if ((vector[s] as number) < (found[s] as number)) found[s] = vector[s] as number
  return found
}
