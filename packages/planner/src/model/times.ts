import { lambdaMbPerCore } from 'fusionize/prices'
import { mean, quantile } from '../statistics/bootstrap.js'
import {
  addHandOvers,
  clientSetUpsOf,
  type HandOverKind,
  type HandOverPools,
  keyOf,
  kindKeyOf,
  publishedHandOver,
  sameState,
  sizesIn,
  warmHandOvers,
} from './hand-over.js'
import {
  coreMsOf,
  NO_PERIOD_MS,
  PERIOD_MS,
  type SizedTime,
  stopMs,
  threadsOf,
  timeAtSize,
  timeOf,
  workOf,
} from './law.js'
import {
  addOwn,
  apart,
  FEW,
  FIRST_USE_CORE_MS,
  mediansOf,
  type OwnPools,
  type OwnTime,
  type Pool,
  rankIn,
} from './pools.js'
import type { Node, Tree } from './tree.js'
import type { PredictOptions } from './types.js'

/** Measured times by task and size, and what follows from them for other sizes. */
export interface Times {
  own(node: Node, memoryMb: number): OwnTime
  /** First-use time of a task in a new sandbox of a size. ms */
  firstUse(task: string, memoryMb: number): number
  /** @param recorded what the trace says of this very hand-over @param at 0…1 place in its distribution where the trace says nothing */
  handOver(kind: HandOverKind, recorded: RecordedHandOver | undefined, at: number): number
  /** What the first remote call out of a new sandbox takes longer than later ones. ms */
  clientSetUp(memoryMb: number): number
  /** How much longer what the runtime does takes at a size than at another. */
  slower(fromMb: number, toMb: number): number
  /** Computing in a task's own time, ms of one core. @param ms own time at that size */
  coreMs(task: string, ms: number, memoryMb: number): number
  /** How long a task's own time would keep a sandbox's cores busy that has nothing else to do, ms. @param ms own time at that size */
  load(task: string, ms: number, memoryMb: number): number
  /**
   * How much of the computing that tasks of one invocation would do apart it really did, by recorded invocation: what ran together cannot have computed
   * longer than the invocation took.
   */
  fairShares(tree: Tree): ReadonlyMap<number, number>
  /** Whether traces tell a task's computing from its waiting at a size. */
  tells(task: string, memoryMb: number): boolean
  threads(task: string): number | undefined
  /** Things that were assumed, in words. */
  assumed: Set<string>
  /** Assumptions that others could stand for. */
  open: Set<Doubt>
}

/** A hand-over as it was recorded. */
export interface RecordedHandOver {
  ms: number
  kind: HandOverKind
  /** What it belongs to: what it comes to in a state at a size is worked out once. */
  step: object
}

/** What may have to be assumed: `variants` has what else could be. */
export type Doubt = 'threads' | 'firstUse' | 'computing'

/** What is assumed where traces do not tell. */
export interface Assumption {
  /** Of work that was not seen at more than one core; absent: between one and two. */
  threads?: 1 | 2
  /** Of `FIRST_USE_CORE_MS`. @default 1 */
  firstUse?: number
  /** Share of own time that scales, of tasks recorded at one size. @default 1 */
  computing?: number
}

/** By doubt, the assumptions at its ends. First use differs by about this much between tasks that do use a client. */
export const variants: Record<Doubt, Assumption[]> = {
  threads: [{ threads: 1 }, { threads: 2 }],
  firstUse: [{ firstUse: 0.7 }, { firstUse: 1.3 }],
  computing: [{ computing: 0 }],
}

/** @param sets trees by setup; the first are those that are run again, others add only sizes that those before them did not show */
export function timesOf(
  sets: readonly (readonly Tree[])[],
  options: PredictOptions,
  assumption: Assumption = {},
): Times {
  const firstUseCoreMs = FIRST_USE_CORE_MS * (assumption.firstUse ?? 1)
  const open = new Set<Doubt>()
  const { mbPerCore = lambdaMbPerCore } = options
  const periodMs = Math.max(NO_PERIOD_MS, options.periodMs ?? PERIOD_MS)
  const pools: OwnPools = new Map()
  const handOvers: HandOverPools = new Map()
  for (const trees of sets) {
    addOwn(pools, trees, mbPerCore, firstUseCoreMs)
    addHandOvers(handOvers, trees)
  }
  const assumed = new Set<string>()

  const medians = remembered((task: string) => mediansOf(pools.get(task)))
  const threads = remembered(
    (task: string) =>
      options.threads?.[task] ?? threadsSeen(pools.get(task)) ?? threadsOf(medians(task), mbPerCore, periodMs),
  )

  /** Ms at a size from ms at another: the same quantile where the size was recorded, the law between. */
  const scale = (task: string, ms: number, fromMb: number, toMb: number): number => {
    const bySize = pools.get(task)
    const here = bySize?.get(fromMb)
    if (!bySize || !here) return ms
    // What it took beside others is not what it takes; but where no CPU time tells how much of it is computing, a second size does.
    const isTrue = (pool: Pool) => !pool.crowded || pool.cpuPerMs === undefined
    const others = [...bySize].filter(([mb, pool]) => mb !== fromMb && pool.work.length >= FEW && isTrue(pool))
    const [alone] = here.crowded ? others : []
    if (fromMb === toMb && !alone) return ms
    const at = rankIn(here.work, ms)
    const points: SizedTime[] = alone ? [] : [{ memoryMb: fromMb, ms }]
    for (const [memoryMb, pool] of others) points.push({ memoryMb, ms: quantile(pool.work, at) })
    const [baseMb, base] = alone ?? [fromMb, here]
    const told = options.computing?.[task] ?? computingIn(base, baseMb, threads(task) ?? 1, mbPerCore, periodMs)
    const guessed = points.length === 1 && told === undefined
    if (guessed) {
      open.add('computing')
      assumed.add(`${task} was recorded at ${fromMb} MB alone: all its own time is taken to be computing`)
    }
    const share = told ?? (assumption.computing ?? 1) * (1 - here.outsideShare)
    const known = threads(task)
    const sizes = points.map((point) => point.memoryMb)
    if (known !== undefined || sizes.includes(toMb))
      return timeAtSize(points, toMb, known ?? 1, mbPerCore, share, periodMs)
    if (toMb > mbPerCore) {
      open.add('threads')
      assumed.add(
        `how many threads ${task} keeps busy is unknown (no size above ${mbPerCore} MB was recorded): between one and two`,
      )
    }
    if (assumption.threads) return timeAtSize(points, toMb, assumption.threads, mbPerCore, share, periodMs)
    const by = (busy: number) => timeAtSize(points, toMb, busy, mbPerCore, share, periodMs)
    return Math.sqrt(by(1) * by(2))
  }

  const slower = (fromMb: number, toMb: number) => Math.min(fromMb, mbPerCore) / Math.min(toMb, mbPerCore)

  const firstUse = (task: string, memoryMb: number): number => {
    const bySize = pools.get(task)
    const exact = bySize?.get(memoryMb)
    if (exact && exact.cold.length > 0) return exact.firstUseMs
    for (const [mb, pool] of bySize ?? []) if (pool.cold.length > 0) return pool.firstUseMs * slower(mb, memoryMb)
    assumed.add(`no first run of ${task} in a new sandbox was recorded: it is taken to cost nothing more`)
    return 0
  }

  /** CPU per ms of own time at a size at which the task did not run: its CPU is what it was where it ran. */
  const cpuElsewhere = (task: string, memoryMb: number): number | undefined => {
    for (const [mb, pool] of pools.get(task) ?? []) {
      if (pool.cpuPerMs === undefined || pool.work.length === 0 || pool.crowded) continue
      const ms = quantile(pool.work, 0.5)
      const there = scale(task, ms, mb, memoryMb)
      return there > 0 ? (ms * pool.cpuPerMs) / there : 0
    }
    return undefined
  }

  /** Share of a task's own time at a size that is computing, where its CPU time does not tell. */
  const computingAt = remembered2((task: string, memoryMb: number): number => {
    const given = options.computing?.[task]
    if (given !== undefined) return given
    const here = pools.get(task)?.get(memoryMb)
    const points = medians(task)
    const [small, large] = [points[0], points.at(-1)]
    if (!small || !large || small === large)
      return [...(pools.get(task)?.values() ?? [])].some(({ waiting }) => waiting)
        ? 0
        : (assumption.computing ?? 1) * (1 - (here?.outsideShare ?? 0))
    const known = threads(task) ?? 1
    const work = workOf(small, large, known, mbPerCore, periodMs)
    const totalMs = timeOf(work, memoryMb, known, mbPerCore, periodMs)
    return totalMs > 0 ? 1 - work.waitMs / totalMs : 1
  })
  const coreMs = (task: string, ms: number, memoryMb: number): number => {
    const known = threads(task) ?? 1
    const here = pools.get(task)?.get(memoryMb)
    if (options.computing?.[task] === undefined) {
      if (here?.cpuPerMs !== undefined) return ms * here.cpuPerMs
      const elsewhere = here ? undefined : cpuElsewhere(task, memoryMb)
      if (elsewhere !== undefined) return ms * elsewhere
    }
    const computing = computingAt(task, memoryMb)
    return coreMsOf(ms * computing, Math.min(memoryMb, known * mbPerCore), known, mbPerCore, periodMs)
  }
  const clientSetUps = clientSetUpsOf(sets.flat())
  const clientSetUp = (memoryMb: number): number => {
    const known = clientSetUps.get(memoryMb)
    if (known !== undefined) return known
    for (const [mb, ms] of clientSetUps) return ms * slower(mb, memoryMb)
    return 0
  }

  const warmOnce = remembered((key: string) => {
    const [mode, fromMb, toMb] = JSON.parse(key) as [HandOverKind['mode'], number, number]
    const said = new Set<string>()
    return { ...warmHandOvers(handOvers, mode, fromMb, toMb, mbPerCore, said), said }
  })
  const warm = (mode: HandOverKind['mode'], fromMb: number, toMb: number) => {
    const found = warmOnce(JSON.stringify([mode, fromMb, toMb]))
    for (const text of found.said) assumed.add(text)
    return found
  }

  const load = (task: string, ms: number, memoryMb: number): number => {
    // One thread is the event loop's, which all tasks share however many cores there are.
    const cores = memoryMb / mbPerCore
    return coreMs(task, ms, memoryMb) / ((threads(task) ?? 1) > 1 ? cores : Math.min(1, cores))
  }
  const fair = new WeakMap<Tree, ReadonlyMap<number, number>>()

  /** Works a value out once, and says each time what was assumed for it. */
  const once = <T>(known: WeakMap<object, Map<number, Said<T>>>, of: object, key: number, work: () => T): T => {
    const byKey = known.get(of) ?? new Map<number, Said<T>>()
    known.set(of, byKey)
    const found = byKey.get(key)
    if (found) {
      if (found.assumed.length > 0) for (const text of found.assumed) assumed.add(text)
      if (found.open.length > 0) for (const doubt of found.open) open.add(doubt)
      return found.value
    }
    const before = { assumed: [...assumed], open: [...open] }
    assumed.clear()
    open.clear()
    const value = work()
    byKey.set(key, { value, assumed: [...assumed], open: [...open] })
    for (const text of before.assumed) assumed.add(text)
    for (const doubt of before.open) open.add(doubt)
    return value
  }
  const owns = new WeakMap<object, Map<number, Said<OwnTime>>>()
  const handedOver = new WeakMap<object, Map<number, Said<number>>>()
  const sizesOnce = remembered((key: string) => {
    const [kind, first] = JSON.parse(key) as [HandOverKind, number | null]
    return sizesIn(handOvers, kind, first ?? undefined)
  })
  /** Who calls whom does not matter for the sizes. */
  const sizesFor = ({ mode, callerCold, calleeCold }: HandOverKind, first: number | undefined) =>
    sizesOnce(JSON.stringify([{ mode, callerCold, calleeCold }, first ?? null]))

  const ownOf = (node: Node, memoryMb: number): OwnTime => {
    const from = node.memoryMb ?? memoryMb
    const pool = pools.get(node.task)?.get(from)
    const { workMs, firstUseMs } = apart(node, pool, mbPerCore, firstUseCoreMs)
    if (pool?.allCold && !pool.waiting) {
      open.add('firstUse')
      assumed.add(
        `every sandbox was new: of the first run in one, ${FIRST_USE_CORE_MS} ms of a core are taken to be first use, which fused tasks share`,
      )
    }
    return {
      workMs: scale(node.task, workMs, from, memoryMb),
      firstUseMs: firstUseMs * slower(from, memoryMb),
    }
  }
  const handOverOf = (kind: HandOverKind, recorded: RecordedHandOver | undefined, at: number): number => {
    const fromMb = recorded?.kind.memoryMb
    const place = recorded ? rankIn(handOvers.get(keyOf(recorded.kind)) ?? [], recorded.ms) : at
    for (const key of [keyOf(kind), kindKeyOf(kind)]) {
      const pool = handOvers.get(key)
      if (pool && pool.length >= FEW) return quantile(pool, place)
    }
    // In this state at another size, else in the state that was recorded.
    const states: HandOverKind[] = [
      kind,
      ...(recorded ? [recorded.kind] : []),
      { ...kind, callerCold: false, calleeCold: false },
    ]
    for (const state of states)
      for (const mb of sizesFor(state, fromMb)) {
        const other = { ...state, memoryMb: mb }
        const pool = handOvers.get(keyOf(other)) ?? handOvers.get(kindKeyOf(other)) ?? []
        if (pool.length === 0) continue
        const ms = quantile(pool, place)
        const { fromMs, toMs } = warm(kind.mode, mb, kind.memoryMb)
        // Who sends waits for no start-up.
        if (!state.calleeCold || kind.mode === 'send') return (ms * toMs) / fromMs
        // A start-up gets the same CPU at every size (AWS Lambda); only the hand-over around it, and the caller's client, are as fast as the size.
        const setUpMs = state.callerCold ? clientSetUp(mb) - clientSetUp(kind.memoryMb) : 0
        return Math.max(toMs, ms - (fromMs - toMs) - setUpMs)
      }
    assumed.add(`no hand-over of a ${kind.mode} was recorded: taken from published measurements (PAPERS §1)`)
    return publishedHandOver(kind.mode, kind.memoryMb, mbPerCore)
  }

  return {
    assumed,
    open,
    threads,
    firstUse,
    slower,
    clientSetUp,
    own(node, memoryMb) {
      const asRecorded =
        !node.cold && node.memoryMb === memoryMb && pools.get(node.task)?.get(memoryMb)?.crowded === false
      if (asRecorded) return { workMs: node.ownMs, firstUseMs: 0 }
      return once(owns, node, memoryMb, () => ownOf(node, memoryMb))
    },
    coreMs,
    load,
    fairShares(tree) {
      const shares = fair.get(tree) ?? fairShares(tree, load, (memoryMb) => stopMs(memoryMb, 1, mbPerCore, periodMs))
      fair.set(tree, shares)
      return shares
    },
    tells(task, memoryMb) {
      const here = pools.get(task)?.get(memoryMb)
      return (
        options.computing?.[task] !== undefined ||
        here?.cpuPerMs !== undefined ||
        here?.waiting === true ||
        medians(task).length > 1
      )
    },
    handOver(kind, recorded, at) {
      if (!recorded) return handOverOf(kind, undefined, at)
      if (recorded.kind.memoryMb === kind.memoryMb && sameState(recorded.kind, kind)) return recorded.ms
      const state = 4 * kind.memoryMb + 2 * Number(kind.callerCold) + Number(kind.calleeCold)
      return once(handedOver, recorded.step, state, () => handOverOf(kind, recorded, at))
    },
  }
}

/** Share of a task's own time at a size that is computing: as its CPU time tells, or none if it is a timer. @returns undefined if nothing tells */
function computingIn(
  pool: Pool,
  memoryMb: number,
  threads: number,
  mbPerCore: number,
  periodMs: number,
): number | undefined {
  if (pool.cpuPerMs === undefined) return pool.waiting ? 0 : undefined
  const ownMs = mean(pool.work)
  if (!(ownMs > 0)) return 1
  const flat = Math.min(memoryMb, threads * mbPerCore)
  const tookMs = timeOf({ coreMs: ownMs * pool.cpuPerMs, waitMs: 0 }, flat, threads, mbPerCore, periodMs)
  // Where in a period it began decides about one stop: so much is no wait.
  const stop = stopMs(flat, threads, mbPerCore, periodMs)
  return pool.cpuPerMs > 0 && ownMs - tookMs <= stop * (1 + 1e-6) ? 1 : Math.min(1, tookMs / ownMs)
}

/** CPU above the time that passed: threads that were seen at work. */
function threadsSeen(bySize: ReadonlyMap<number, Pool> | undefined): number | undefined {
  const most = Math.max(0, ...[...(bySize?.values() ?? [])].map((pool) => pool.cpuPerMs ?? 0))
  return most > BUSY ? Math.ceil(most - (BUSY - 1)) : undefined
}

/** CPU per ms above which more than one thread worked; below, it is garbage collection and the like. */
const BUSY = 1.25

function remembered2<T>(of: (key: string, memoryMb: number) => T): (key: string, memoryMb: number) => T {
  const bySize = remembered(() => new Map<number, T>())
  return (key, memoryMb) => {
    const known = bySize(key)
    if (!known.has(memoryMb)) known.set(memoryMb, of(key, memoryMb))
    return known.get(memoryMb) as T
  }
}

/** A value, and what was assumed for it. */
interface Said<T> {
  value: T
  assumed: string[]
  open: Doubt[]
}

function remembered<T>(of: (key: string) => T): (key: string) => T {
  const known = new Map<string, T>()
  return (key) => {
    if (!known.has(key)) known.set(key, of(key))
    return known.get(key) as T
  }
}

function fairShares(tree: Tree, load: Times['load'], restedMs: (memoryMb: number) => number): Map<number, number> {
  const loads = new Map<number, number>()
  const limits = new Map<number, number>()
  for (const node of tree.nodes) {
    if (node.memoryMb === undefined) continue
    const ms = load(node.task, node.ownMs, node.memoryMb)
    loads.set(node.invocation, (loads.get(node.invocation) ?? 0) + ms)
    if (node.isHead) limits.set(node.invocation, node.wallMs + restedMs(node.memoryMb))
  }
  return new Map([...loads].map(([i, ms]) => [i, ms > 0 ? Math.min(1, (limits.get(i) ?? ms) / ms) : 1]))
}
