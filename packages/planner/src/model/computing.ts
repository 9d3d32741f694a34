import { mean, quantile } from '../statistics/bootstrap.js'
import type { Basis } from './basis.js'
import { coreMsOf, type SizedTime, stopMs, threadsOf, timeAtSize, timeOf, workOf } from './law.js'
import { FEW, mediansOf, type Pool, rankIn } from './pools.js'
import { remembered, remembered2 } from './remembered.js'

/** What of tasks' own time is computing, and what follows from it for other sizes. */
export interface Computing {
  threads(task: string): number | undefined
  /** Own time at a size from own time at another, ms. */
  scale(task: string, ms: number, fromMb: number, toMb: number): number
  coreMs(task: string, ms: number, memoryMb: number): number
  load(task: string, ms: number, memoryMb: number): number
  tells(task: string, memoryMb: number): boolean
}

export function computingOf({ pools, options, assumption, mbPerCore, periodMs, assumed, open }: Basis): Computing {
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
  const load = (task: string, ms: number, memoryMb: number): number => {
    // One thread is the event loop's, which all tasks share however many cores there are.
    const cores = memoryMb / mbPerCore
    return coreMs(task, ms, memoryMb) / ((threads(task) ?? 1) > 1 ? cores : Math.min(1, cores))
  }

  return {
    threads,
    scale,
    coreMs,
    load,
    tells(task, memoryMb) {
      const here = pools.get(task)?.get(memoryMb)
      return (
        options.computing?.[task] !== undefined ||
        here?.cpuPerMs !== undefined ||
        here?.waiting === true ||
        medians(task).length > 1
      )
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
