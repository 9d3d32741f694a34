import { lambdaMbPerCore } from 'fusionize/prices'
import { type Assumption, type Basis, type Doubt, slowerAt } from './basis.js'
import { computingOf } from './computing.js'
import { addHandOvers, type HandOverKind, sameState } from './hand-over.js'
import { handOverTimes, type RecordedHandOver } from './hand-over-times.js'
import { NO_PERIOD_MS, PERIOD_MS, stopMs } from './law.js'
import { addOwn, apart, FIRST_USE_CORE_MS, type OwnTime } from './pools.js'
import { saidOnce } from './remembered.js'
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

/** @param sets trees by setup; the first are those that are run again, others add only sizes that those before them did not show */
export function timesOf(
  sets: readonly (readonly Tree[])[],
  options: PredictOptions,
  assumption: Assumption = {},
): Times {
  const firstUseCoreMs = FIRST_USE_CORE_MS * (assumption.firstUse ?? 1)
  const { mbPerCore = lambdaMbPerCore } = options
  const periodMs = Math.max(NO_PERIOD_MS, options.periodMs ?? PERIOD_MS)
  const [assumed, open] = [new Set<string>(), new Set<Doubt>()]
  const basis: Basis = {
    pools: new Map(),
    handOvers: new Map(),
    options,
    assumption,
    mbPerCore,
    periodMs,
    assumed,
    open,
  }
  const { pools, handOvers } = basis
  for (const trees of sets) {
    addOwn(pools, trees, mbPerCore, firstUseCoreMs)
    addHandOvers(handOvers, trees)
  }
  const { threads, scale, coreMs, load, tells } = computingOf(basis)
  const { handOver: handOverOf, clientSetUp } = handOverTimes(basis, sets.flat())
  const slower = slowerAt(mbPerCore)
  const ownOnce = saidOnce<OwnTime>(basis)
  const handOverOnce = saidOnce<number>(basis)
  const fair = new WeakMap<Tree, ReadonlyMap<number, number>>()

  const firstUse = (task: string, memoryMb: number): number => {
    const bySize = pools.get(task)
    const exact = bySize?.get(memoryMb)
    if (exact && exact.cold.length > 0) return exact.firstUseMs
    for (const [mb, pool] of bySize ?? []) if (pool.cold.length > 0) return pool.firstUseMs * slower(mb, memoryMb)
    assumed.add(`no first run of ${task} in a new sandbox was recorded: it is taken to cost nothing more`)
    return 0
  }

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
      return ownOnce(node, memoryMb, () => ownOf(node, memoryMb))
    },
    coreMs,
    load,
    fairShares(tree) {
      const shares = fair.get(tree) ?? fairShares(tree, load, (memoryMb) => stopMs(memoryMb, 1, mbPerCore, periodMs))
      fair.set(tree, shares)
      return shares
    },
    tells,
    handOver(kind, recorded, at) {
      if (!recorded) return handOverOf(kind, undefined, at)
      if (recorded.kind.memoryMb === kind.memoryMb && sameState(recorded.kind, kind)) return recorded.ms
      const state = 4 * kind.memoryMb + 2 * Number(kind.callerCold) + Number(kind.calleeCold)
      return handOverOnce(recorded.step, state, () => handOverOf(kind, recorded, at))
    },
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
