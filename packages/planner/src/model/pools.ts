import { mean, quantile } from '../statistics/bootstrap.js'
import { PERIOD_MS, type SizedTime } from './law.js'
import type { Node, Tree } from './tree.js'

/**
 * What the first use of a sandbox costs beyond its start-up (loading and compiling code, opening clients and connections), ms of one core. Used
 * only where every recorded sandbox was new, so that the traces cannot tell it from the task's work. It is the published records' median of
 * (first − later run) of tasks that do little else than use one client: 620–670 ms at 128 MB, all loads alike (docs/reference/model.md).
 */
export const FIRST_USE_CORE_MS = 46

/** Fewer values than this are no distribution. */
export const FEW = 3

/** Own time of a run, taken apart. ms */
export interface OwnTime {
  workMs: number
  /** What only the first run in a sandbox takes. */
  firstUseMs: number
}

/** Recorded own times of one task at one size. */
export interface Pool {
  /** Ascending. */
  work: number[]
  cold: number[]
  /** Every run at this size was its sandbox's first. */
  allCold: boolean
  firstUseMs: number
  /** Too regular to be computing (see `isWaiting`). */
  waiting: boolean
  /** Others were at work in the sandbox during every run, so that these are times of them all. */
  crowded: boolean
  /** CPU per ms of own time, where traces tell: above 1 with several threads. */
  cpuPerMs?: number
  /** Share of own time that traces tell to be waiting for what is no traced function. 0…1 */
  outsideShare: number
}

/** By task, by MB. */
export type OwnPools = Map<string, Map<number, Pool>>

/** Adds sizes that are not there yet. */
export function addOwn(pools: OwnPools, trees: readonly Tree[], mbPerCore: number, firstUseCoreMs: number): void {
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
    for (const [memoryMb, all] of bySize) {
      const known = sizes.get(memoryMb)
      const apartFromOthers = all.filter(({ beside }) => !beside)
      const crowded = apartFromOthers.length < FEW
      if (known && (crowded || !known.crowded)) continue
      const nodes = crowded ? all : apartFromOthers
      const warm = sorted(nodes.filter((node) => !node.cold).map((node) => node.ownMs))
      const cold = sorted(nodes.filter((node) => node.cold).map((node) => node.ownMs))
      const pool: Pool = {
        work: warm,
        cold,
        allCold: warm.length === 0,
        firstUseMs: 0,
        waiting: false,
        crowded,
        outsideShare: 0,
      }
      pool.waiting = isWaiting(warm.length > 0 ? warm : cold, memoryMb, mbPerCore)
      if (pool.allCold) {
        const parts = nodes.map((node) => apart(node, pool, mbPerCore, firstUseCoreMs))
        pool.work = sorted(parts.map((part) => part.workMs))
        pool.firstUseMs = mean(parts.map((part) => part.firstUseMs))
      } else if (cold.length > 0) pool.firstUseMs = Math.max(0, mean(cold) - mean(warm))
      const allMs = nodes.reduce((sum, node) => sum + node.ownMs, 0)
      if (allMs > 0)
        pool.outsideShare = nodes.reduce((sum, node) => sum + Math.min(node.ownMs, node.outsideMs), 0) / allMs
      const timed = nodes.filter((node) => node.cpuMs !== undefined)
      const ownMs = timed.reduce((sum, node) => sum + node.ownMs, 0)
      if (ownMs > 0) pool.cpuPerMs = timed.reduce((sum, node) => sum + (node.cpuMs ?? 0), 0) / ownMs
      sizes.set(memoryMb, pool)
    }
  }
}

/** So long that whether it is waiting matters, periods. */
const LONG = 10
/** Steps of a period by which the same computing differs from run to run at least, where a sandbox gets less than half a core. */
const IRREGULAR = 1.25

/**
 * A time that its shortest runs hardly undercut is a wait (a timer): who computes with a part of a core is stopped at other places each time. Only
 * for long times, at sizes of less than half a core.
 * @param times ascending
 */
function isWaiting(times: readonly number[], memoryMb: number, mbPerCore: number): boolean {
  const middle = quantile(times, 0.5)
  return (
    times.length >= 10 &&
    memoryMb < mbPerCore / 2 &&
    middle > LONG * PERIOD_MS &&
    middle - quantile(times, 0.05) < IRREGULAR * PERIOD_MS
  )
}

/** A cold run's time as what a warm one at the same place of the distribution takes, and the rest. */
export function apart(node: Node, pool: Pool | undefined, mbPerCore: number, firstUseCoreMs: number): OwnTime {
  if (!node.cold || !pool || (pool.allCold && pool.waiting)) return { workMs: node.ownMs, firstUseMs: 0 }
  if (pool.allCold) {
    const firstUseMs = Math.min(
      node.ownMs,
      (firstUseCoreMs * mbPerCore) / Math.min(node.memoryMb ?? mbPerCore, mbPerCore),
    )
    return { workMs: node.ownMs - firstUseMs, firstUseMs }
  }
  const workMs = Math.min(node.ownMs, quantile(pool.work, rankIn(pool.cold, node.ownMs)))
  return { workMs, firstUseMs: node.ownMs - workMs }
}

/** Ascending sizes. */
export function mediansOf(bySize: ReadonlyMap<number, Pool> | undefined): SizedTime[] {
  return [...(bySize ?? [])]
    .flatMap(([memoryMb, pool]) => (pool.work.length >= FEW ? [{ memoryMb, ms: quantile(pool.work, 0.5) }] : []))
    .sort((a, b) => a.memoryMb - b.memoryMb)
}

/** Place of a value in a sorted list, 0…1. */
export function rankIn(list: readonly number[], value: number): number {
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

export function sorted(values: number[]): number[] {
  return values.sort((a, b) => a - b)
}
