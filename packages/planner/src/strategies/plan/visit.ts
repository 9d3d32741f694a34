import type { PlannerFacts } from '../../types.js'
import { computeAt, type Fit, timeAt } from '../fit.js'
import type { CallDag, CallTask, DagCall } from './call-dag.js'

/**
 * What a run of a task inside a function comes to, with all that it calls. The one set of rules by which plans are predicted, and by which the search
 * composes them; each only grows when a part of it grows, which is why bounds of parts bound the whole.
 */
export interface Visit {
  /** Until its result, by scenario, ms. */
  syncMs: Float64Array
  /** The part of it for which it needs the function's core, ms. */
  cpuMs: Float64Array
  /** Mean of what it leaves for after the reply, ms. */
  afterMs: number
  /** What others are billed for it: remote callees. USD per run. */
  costUsd: number
  /** What the tasks run inside need, MB. */
  ownMb: number
}

/** A remote callee as its callers see it. */
export interface Remote {
  /** Handler start to reply, by scenario, ms. */
  replyMs: Float64Array
  /** USD per call (or per whole map). */
  costUsd: number
}

/** Bundles of a remote map that are looked at (BASELINES, `wisefuse`). */
export const BUNDLES: readonly number[] = [1, 2, 3, 5, 10, 20, 30]
/** Share of a sandbox's memory that may be filled. */
export const FILLED = 0.9

/** The rules for one DAG on one platform. */
export interface Rules {
  /** The task's own work in a function of this size. */
  own(task: CallTask, memoryMb: number): Visit
  /** Adds a call taken inline, alone. */
  inline(host: Visit, call: DagCall, callee: Visit, memoryMb: number): Visit
  /** Adds a remote call, alone. */
  remote(host: Visit, call: DagCall, callee: Remote, memoryMb: number): Visit
  /** Nothing yet: what a group of calls that are open at the same time starts from, and each of its members. */
  nothing(): Visit
  /** A group with a further member: `syncMs` is that of the longest. */
  join(group: Visit, member: Visit): Visit
  /** One after the other. */
  after(first: Visit, second: Visit): Visit
  /** Adds a group. */
  beside(host: Visit, group: Visit): Visit
  /** The function as its callers see it. @param items of a map, `bundle` of them per invocation */
  close(visit: Visit, memoryMb: number, items?: number, bundle?: number): Remote
  fits(visit: Visit, memoryMb: number, bundle?: number): boolean
  usdPerMs(memoryMb: number): number
}

export function rulesOf(dag: CallDag, { mbPerCore, prices }: PlannerFacts): Rules {
  const n = dag.scenarios
  const zero = new Float64Array(n)
  const handOver = (mode: DagCall['mode'], memoryMb: number) => timeAt(dag.handOver[mode], memoryMb)
  const usdPerMs = (memoryMb: number) => ((memoryMb / 1024) * prices.perGbSecond) / 1000
  const cores = (memoryMb: number) => memoryMb / mbPerCore
  const add = (a: Float64Array, b: Float64Array, times = 1) => {
    const sum = new Float64Array(n)
    for (let i = 0; i < n; i++) sum[i] = (a[i] as number) + times * (b[i] as number)
    return sum
  }
  const plus = (
    host: Visit,
    times: number,
    syncMs: Float64Array,
    cpuMs: Float64Array,
    rest: Partial<Visit>,
  ): Visit => ({
    syncMs: add(host.syncMs, syncMs, times),
    cpuMs: cpuMs === zero ? host.cpuMs : add(host.cpuMs, cpuMs, times),
    afterMs: host.afterMs + times * (rest.afterMs ?? 0),
    costUsd: host.costUsd + times * (rest.costUsd ?? 0),
    ownMb: host.ownMb + (rest.ownMb ?? 0),
  })

  return {
    usdPerMs,
    nothing: () => ({ syncMs: zero, cpuMs: zero, afterMs: 0, costUsd: 0, ownMb: 0 }),
    own({ cpuMs, waitMs, threads, ownMb }, memoryMb) {
      const cpu: Fit = { fixedMs: 0, scaledMbMs: mbPerCore, fullMb: threads * mbPerCore }
      const factor = computeAt(cpu, memoryMb)
      const computing = cpuMs.map((ms) => ms * factor)
      return { syncMs: add(computing, waitMs), cpuMs: computing, afterMs: 0, costUsd: 0, ownMb }
    },
    inline(host, { mode, times }, callee, memoryMb) {
      if (mode === 'send')
        return plus(host, times, zero, zero, { ...callee, afterMs: callee.afterMs + meanOf(callee.syncMs) })
      if (mode === 'call') return plus(host, times, callee.syncMs, callee.cpuMs, callee)
      // Items wait side by side; what they compute shares the sandbox's cores.
      const computing = (times * meanOf(callee.cpuMs)) / Math.max(1, Math.floor(cores(memoryMb)))
      const together = slowest(callee.syncMs, times).map((ms) => Math.max(ms, computing))
      const { afterMs, costUsd, ownMb } = callee
      return plus(host, 1, together, new Float64Array(n).fill(computing), {
        afterMs: times * afterMs,
        costUsd: times * costUsd,
        ownMb: ownMb * Math.ceil(times),
      })
    },
    remote(host, { mode, times }, { replyMs, costUsd }, memoryMb) {
      const passMs = handOver(mode, memoryMb)
      if (mode === 'map')
        return plus(
          host,
          1,
          replyMs.map((ms) => ms + passMs),
          zero,
          { costUsd },
        )
      const waitMs = mode === 'send' ? new Float64Array(n).fill(passMs) : replyMs.map((ms) => ms + passMs)
      return plus(host, times, waitMs, zero, { costUsd })
    },
    join(group, member) {
      const longest = new Float64Array(n)
      for (let i = 0; i < n; i++) longest[i] = Math.max(group.syncMs[i] as number, member.syncMs[i] as number)
      return { ...plus(group, 1, zero, member.cpuMs, member), syncMs: longest }
    },
    after: (first, second) => plus(first, 1, second.syncMs, second.cpuMs, second),
    beside(host, group) {
      // One core runs what they compute one after another.
      const syncMs = group.syncMs.map((ms, i) => Math.max(ms, group.cpuMs[i] as number))
      return plus(host, 1, syncMs, group.cpuMs, group)
    },
    close({ syncMs, cpuMs, afterMs, costUsd }, memoryMb, items, bundle = 1) {
      const billed = (ms: number) => usdPerMs(memoryMb) * (ms + prices.granularityMs / 2) + prices.perRequest
      if (items === undefined) return { replyMs: syncMs, costUsd: costUsd + billed(meanOf(syncMs) + afterMs) }
      const computing = (bundle * meanOf(cpuMs)) / Math.max(1, Math.floor(cores(memoryMb)))
      const least = (ms: number) => Math.max(ms, bundle > 1 ? computing : 0)
      const bundleMs = meanOf(slowest(syncMs, bundle).map(least))
      const invocations = Math.ceil(items / bundle)
      return {
        replyMs: slowest(syncMs, items).map(least),
        costUsd: items * costUsd + invocations * billed(bundleMs + bundle * afterMs),
      }
    },
    fits: ({ ownMb }, memoryMb, bundle = 1) => dag.baseMb + bundle * ownMb <= FILLED * memoryMb,
  }
}

export function meanOf(values: Float64Array): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i] as number
  return sum / values.length
}

/**
 * The slowest of n independent items, by scenario: F⁻¹(u^(1/n)) of the items' distribution (PAPERS §2), u spread over the scenarios in an order that
 * has nothing to do with that of single items.
 */
export function slowest(itemMs: Float64Array, items: number): Float64Array {
  if (items <= 1) return itemMs
  const n = itemMs.length
  const sorted = Float64Array.from(itemMs).sort()
  return Float64Array.from({ length: n }, (_, i) => {
    // A full-period step through the strata: 29 and any power of two have no common divisor.
    const u = (((i * 29 + 7) % n) + 0.5) / n
    const at = u ** (1 / items) * n - 0.5
    const low = Math.max(0, Math.min(n - 1, Math.floor(at)))
    const high = Math.min(n - 1, low + 1)
    return (
      (sorted[low] as number) +
      ((sorted[high] as number) - (sorted[low] as number)) * Math.max(0, Math.min(1, at - low))
    )
  })
}
