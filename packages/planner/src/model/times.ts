import { mean, quantile } from '../statistics/bootstrap.js'
import { coreMsOf, type SizedTime, threadsOf, timeAtSize, timeOf, workOf } from './law.js'
import type { Node, Step, Tree } from './tree.js'
import type { PredictOptions } from './types.js'

/**
 * What the first use of a sandbox costs beyond its start-up (loading and compiling code, opening clients and connections), ms of one core. Used
 * only where every recorded sandbox was new, so that the traces cannot tell it from the task's work. It is the published records' median of
 * (first − later run) of tasks that do little else than use one client: 620–690 ms at 128 MB, all loads alike (docs/reference/model.md).
 */
export const FIRST_USE_CORE_MS = 46

/**
 * A hand-over where none, or none at a second size, was recorded: through the middles of PAPERS §1 (async hand-off: 62–160 ms from a 128 MB caller,
 * 24–36 ms from 768 MB on).
 */
const PUBLISHED_HAND_OVER = [
  { memoryMb: 128, ms: 100 },
  { memoryMb: 768, ms: 30 },
] as const satisfies SizedTime[]

/** Fewer values than this are no distribution. */
const FEW = 3

/** Own time of a run, taken apart. ms */
export interface OwnTime {
  workMs: number
  /** What only the first run in a sandbox takes. */
  firstUseMs: number
}

interface Pool {
  /** Ascending. */
  work: number[]
  cold: number[]
  /** Every run at this size was its sandbox's first. */
  allCold: boolean
  firstUseMs: number
}

/** Hand-overs of one kind. */
export interface HandOverKind {
  from: string
  to: string
  mode: Step['mode']
  memoryMb: number
  callerCold: boolean
  calleeCold: boolean
}

/** Measured times by task and size, and what follows from them for other sizes. */
export interface Times {
  own(node: Node, memoryMb: number): OwnTime
  /** First-use time of a task in a new sandbox of a size. ms */
  firstUse(task: string, memoryMb: number): number
  /** @param recorded what the trace says of this very hand-over @param at 0…1 place in its distribution where the trace says nothing */
  handOver(kind: HandOverKind, recorded: { ms: number; kind: HandOverKind } | undefined, at: number): number
  /** What the first remote call out of a new sandbox takes longer than later ones. ms */
  clientSetUp(memoryMb: number): number
  /** How much longer what the runtime does takes at a size than at another. */
  slower(fromMb: number, toMb: number): number
  /** Computing in a task's own time, ms of one core. @param ms own time at that size */
  coreMs(task: string, ms: number, memoryMb: number): number
  /** How long a task's own time would keep a sandbox's cores busy that has nothing else to do, ms. @param ms own time at that size */
  load(task: string, ms: number, memoryMb: number): number
  threads(task: string): number | undefined
  /** Things that were assumed, in words. */
  assumed: Set<string>
}

/** @param sets trees by setup; the first are those that are run again, others add only sizes that those before them did not show */
export function timesOf(sets: readonly (readonly Tree[])[], options: PredictOptions): Times {
  const { mbPerCore = 1769 } = options
  const pools = new Map<string, Map<number, Pool>>()
  const handOvers = new Map<string, number[]>()
  for (const trees of sets) {
    addOwn(pools, trees, mbPerCore)
    addHandOvers(handOvers, trees)
  }
  const assumed = new Set<string>()

  const medians = remembered((task: string) => mediansOf(pools.get(task)))
  const threads = remembered((task: string) => options.threads?.[task] ?? threadsOf(medians(task), mbPerCore))

  /** Ms at a size from ms at another: the same quantile where the size was recorded, the law between. */
  const scale = (task: string, ms: number, fromMb: number, toMb: number): number => {
    const bySize = pools.get(task)
    const here = bySize?.get(fromMb)
    if (fromMb === toMb || !bySize || !here) return ms
    const at = rankIn(here.work, ms)
    const points: SizedTime[] = [{ memoryMb: fromMb, ms }]
    for (const [memoryMb, pool] of bySize)
      if (memoryMb !== fromMb && pool.work.length >= FEW) points.push({ memoryMb, ms: quantile(pool.work, at) })
    if (points.length === 1)
      assumed.add(`${task} was recorded at ${fromMb} MB alone: all its own time is taken to be computing`)
    const known = threads(task)
    const share = options.computing?.[task] ?? 1
    const sizes = points.map((point) => point.memoryMb)
    if (known !== undefined || sizes.includes(toMb)) return timeAtSize(points, toMb, known ?? 1, mbPerCore, share)
    if (toMb > mbPerCore)
      assumed.add(
        `how many threads ${task} keeps busy is unknown (no size above ${mbPerCore} MB was recorded): between one and two`,
      )
    return Math.sqrt(timeAtSize(points, toMb, 1, mbPerCore, share) * timeAtSize(points, toMb, 2, mbPerCore, share))
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

  const coreMs = (task: string, ms: number, memoryMb: number): number => {
    const known = threads(task) ?? 1
    const given = options.computing?.[task]
    const points = medians(task)
    const [small, large] = [points[0], points.at(-1)]
    let computing = given ?? 1
    if (given === undefined && small && large && small !== large) {
      const work = workOf(small, large, known, mbPerCore)
      const here = timeOf(work, memoryMb, known, mbPerCore)
      computing = here > 0 ? 1 - work.waitMs / here : 1
    }
    return coreMsOf(ms * computing, Math.min(memoryMb, known * mbPerCore), known, mbPerCore)
  }
  const clientSetUps = clientSetUpsOf(sets.flat())

  return {
    assumed,
    threads,
    firstUse,
    slower,
    clientSetUp(memoryMb) {
      const known = clientSetUps.get(memoryMb)
      if (known !== undefined) return known
      for (const [mb, ms] of clientSetUps) return ms * slower(mb, memoryMb)
      return 0
    },
    own(node, memoryMb) {
      const from = node.memoryMb ?? memoryMb
      const pool = pools.get(node.task)?.get(from)
      const { workMs, firstUseMs } = apart(node, pool, mbPerCore)
      if (pool?.allCold)
        assumed.add(
          `every sandbox was new: of the first run in one, ${FIRST_USE_CORE_MS} ms of a core are taken to be first use, which fused tasks share`,
        )
      return {
        workMs: scale(node.task, workMs, from, memoryMb),
        firstUseMs: firstUseMs * slower(from, memoryMb),
      }
    },
    coreMs,
    load(task, ms, memoryMb) {
      // One thread is the event loop's, which all tasks share however many cores there are.
      const cores = memoryMb / mbPerCore
      return coreMs(task, ms, memoryMb) / ((threads(task) ?? 1) > 1 ? cores : Math.min(1, cores))
    },
    handOver(kind, recorded, at) {
      const fromMb = recorded?.kind.memoryMb
      if (recorded && fromMb === kind.memoryMb && sameState(recorded.kind, kind)) return recorded.ms
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
        for (const mb of sizesIn(handOvers, state, fromMb)) {
          const other = { ...state, memoryMb: mb }
          const pool = handOvers.get(keyOf(other)) ?? handOvers.get(kindKeyOf(other)) ?? []
          if (pool.length === 0) continue
          return quantile(pool, place) * handOverRatio(handOvers, other, kind.memoryMb, mbPerCore, assumed)
        }
      assumed.add(`no hand-over of a ${kind.mode} was recorded: taken from published measurements (PAPERS §1)`)
      return timeAtSize(PUBLISHED_HAND_OVER, kind.memoryMb, 1, mbPerCore)
    },
  }
}

function sameState(a: HandOverKind, b: HandOverKind): boolean {
  return a.callerCold === b.callerCold && a.calleeCold === b.calleeCold
}

const stateOf = (kind: HandOverKind) => `${kind.callerCold ? 'cold' : 'warm'} ${kind.calleeCold ? 'cold' : 'warm'}`
const keyOf = (kind: HandOverKind) => `${kind.from}>${kind.to} ${kind.mode} ${kind.memoryMb} ${stateOf(kind)}`
const kindKeyOf = (kind: HandOverKind) => `* ${kind.mode} ${kind.memoryMb} ${stateOf(kind)}`

/** Sizes at which hand-overs in this state were recorded, the trace's own first. */
function sizesIn(pools: ReadonlyMap<string, number[]>, kind: HandOverKind, first: number | undefined): number[] {
  const sizes: number[] = []
  for (const key of pools.keys()) {
    const [name, mode, mb, ...state] = key.split(' ')
    if (name === '*' && mode === kind.mode && state.join(' ') === stateOf(kind)) sizes.push(Number(mb))
  }
  return sizes.sort((a, b) => Number(b === first) - Number(a === first) || a - b)
}

/** By how much a hand-over is longer at another size: as measured with warm sandboxes, in its own mode or the other; else by the published law. */
function handOverRatio(
  pools: ReadonlyMap<string, number[]>,
  kind: HandOverKind,
  memoryMb: number,
  mbPerCore: number,
  assumed: Set<string>,
): number {
  for (const mode of [kind.mode, kind.mode === 'send' ? 'call' : 'send'] as const) {
    const points: SizedTime[] = []
    for (const [key, pool] of pools) {
      const [name, m, mb, ...state] = key.split(' ')
      if (name === '*' && m === mode && state.join(' ') === 'warm warm' && pool.length >= FEW)
        points.push({ memoryMb: Number(mb), ms: quantile(pool, 0.5) })
    }
    const here = points.find((point) => point.memoryMb === kind.memoryMb)
    if (here && here.ms > 0 && points.length > 1) return timeAtSize(points, memoryMb, 1, mbPerCore) / here.ms
  }
  assumed.add(`hand-overs were recorded at ${kind.memoryMb} MB alone: scaled by the published law (PAPERS §1)`)
  const law = (mb: number) => timeAtSize(PUBLISHED_HAND_OVER, mb, 1, mbPerCore)
  return law(memoryMb) / law(kind.memoryMb)
}

function addOwn(pools: Map<string, Map<number, Pool>>, trees: readonly Tree[], mbPerCore: number): void {
  const grouped = new Map<string, Map<number, Node[]>>()
  for (const { nodes } of trees)
    for (const node of nodes) {
      if (node.memoryMb === undefined) continue
      const bySize = grouped.get(node.task) ?? new Map<number, Node[]>()
      grouped.set(node.task, bySize)
      const list = bySize.get(node.memoryMb)
      if (list) list.push(node)
      else bySize.set(node.memoryMb, [node])
    }
  for (const [task, bySize] of grouped) {
    const sizes = pools.get(task) ?? new Map<number, Pool>()
    pools.set(task, sizes)
    for (const [memoryMb, nodes] of bySize) {
      if (sizes.has(memoryMb)) continue
      const warm = sorted(nodes.filter((node) => !node.cold).map((node) => node.ownMs))
      const cold = sorted(nodes.filter((node) => node.cold).map((node) => node.ownMs))
      const pool: Pool = { work: warm, cold, allCold: warm.length === 0, firstUseMs: 0 }
      if (pool.allCold) {
        const parts = nodes.map((node) => apart(node, pool, mbPerCore))
        pool.work = sorted(parts.map((part) => part.workMs))
        pool.firstUseMs = mean(parts.map((part) => part.firstUseMs))
      } else if (cold.length > 0) pool.firstUseMs = Math.max(0, mean(cold) - mean(warm))
      sizes.set(memoryMb, pool)
    }
  }
}

/** A cold run's time as what a warm one at the same place of the distribution takes, and the rest. */
function apart(node: Node, pool: Pool | undefined, mbPerCore: number): OwnTime {
  if (!node.cold || !pool) return { workMs: node.ownMs, firstUseMs: 0 }
  if (pool.allCold) {
    const firstUseMs = Math.min(
      node.ownMs,
      (FIRST_USE_CORE_MS * mbPerCore) / Math.min(node.memoryMb ?? mbPerCore, mbPerCore),
    )
    return { workMs: node.ownMs - firstUseMs, firstUseMs }
  }
  const workMs = Math.min(node.ownMs, quantile(pool.work, rankIn(pool.cold, node.ownMs)))
  return { workMs, firstUseMs: node.ownMs - workMs }
}

function addHandOvers(pools: Map<string, number[]>, trees: readonly Tree[]): void {
  const added = new Map<string, number[]>()
  const sizes = new Set([...pools.keys()].map(sizeOfKey))
  const note = (key: string, ms: number) => {
    if (sizes.has(sizeOfKey(key))) return
    const list = added.get(key)
    if (list) list.push(ms)
    else added.set(key, [ms])
  }
  for (const { nodes } of trees)
    for (const node of nodes)
      for (const step of node.steps) {
        const kind = recordedKind(nodes, node, step)
        if (!kind) continue
        note(keyOf(kind), step.handOverMs)
        note(kindKeyOf(kind), step.handOverMs)
      }
  for (const [key, list] of added) pools.set(key, sorted(list))
}

/** Mode and size in the key of a hand-over, as in `a>b send 128 warm cold`. */
function sizeOfKey(key: string): string {
  return key.split(' ').slice(1, 3).join(' ')
}

/**
 * Ms by which the first remote call out of a new sandbox is longer than a later one of the same mode, to a sandbox in the same state; by size. Where no
 * new sandbox made two such calls, than the same call out of a used one.
 */
function clientSetUpsOf(trees: readonly Tree[]): Map<number, number> {
  const later = new Map<number, number[]>()
  const used = new Map<number, number[]>()
  const warm = new Map<string, number[]>()
  const note = <K>(lists: Map<K, number[]>, key: K, ms: number) => void lists.set(key, [...(lists.get(key) ?? []), ms])
  const firsts: { kind: HandOverKind; ms: number }[] = []
  for (const { nodes } of trees)
    for (const node of nodes) {
      const remote = node.steps.flatMap((step) => {
        const kind = recordedKind(nodes, node, step)
        return kind ? [{ step, kind, ms: step.handOverMs }] : []
      })
      for (const { kind, ms } of remote) if (!kind.callerCold) note(warm, `${keyOf(kind)}`, ms)
      if (!node.cold || !node.isHead) continue
      const first = remote.filter(({ step }) => isFirstRemote(node, step))
      firsts.push(...first)
      for (const one of first)
        for (const other of remote)
          if (!first.includes(other) && other.kind.mode === one.kind.mode && sameState(other.kind, one.kind))
            note(later, one.kind.memoryMb, one.ms - other.ms)
    }
  for (const { kind, ms } of firsts) {
    const list = warm.get(keyOf({ ...kind, callerCold: false })) ?? []
    if (list.length >= FEW) note(used, kind.memoryMb, ms - quantile(sorted([...list]), 0.5))
  }
  const sizes = new Set([...later.keys(), ...used.keys()])
  return new Map([...sizes].map((mb) => [mb, Math.max(0, quantile(sorted(later.get(mb) ?? used.get(mb) ?? []), 0.5))]))
}

/** Nothing remote had ended when this call began. */
export function isFirstRemote(node: Node, step: Step): boolean {
  return step.route === 'remote' && step.after.every((k) => node.steps[k]?.route !== 'remote')
}

/** @returns undefined for what was inline */
export function recordedKind(nodes: readonly Node[], caller: Node, step: Step): HandOverKind | undefined {
  const callee = nodes[step.child] as Node
  if (step.route !== 'remote' || caller.memoryMb === undefined) return undefined
  return {
    from: caller.task,
    to: callee.task,
    mode: step.mode,
    memoryMb: caller.memoryMb,
    callerCold: caller.cold,
    calleeCold: callee.cold,
  }
}

function remembered<T>(of: (key: string) => T): (key: string) => T {
  const known = new Map<string, T>()
  return (key) => {
    if (!known.has(key)) known.set(key, of(key))
    return known.get(key) as T
  }
}

/** Ascending sizes. */
function mediansOf(bySize: ReadonlyMap<number, Pool> | undefined): SizedTime[] {
  return [...(bySize ?? [])]
    .flatMap(([memoryMb, pool]) => (pool.work.length >= FEW ? [{ memoryMb, ms: quantile(pool.work, 0.5) }] : []))
    .sort((a, b) => a.memoryMb - b.memoryMb)
}

/** Place of a value in a sorted list, 0…1. */
function rankIn(list: readonly number[], value: number): number {
  if (list.length < 2) return 0.5
  let low = 0
  let high = list.length
  while (low < high) {
    const mid = (low + high) >> 1
    if ((list[mid] as number) < value) low = mid + 1
    else high = mid
  }
  let last = low
  while (last < list.length && list[last] === value) last++
  const middle = last > low ? (low + last - 1) / 2 : low - 0.5
  return Math.min(1, Math.max(0, middle / (list.length - 1)))
}

function sorted(values: number[]): number[] {
  return values.sort((a, b) => a - b)
}
