import { quantile } from '../statistics/bootstrap.js'
import { type SizedTime, timeAtSize } from './law.js'
import { FEW, sorted } from './pools.js'
import type { Node, Step, Tree } from './tree.js'

/**
 * Hand-overs where none, or none at a second size, was recorded. Sends: through the middles of PAPERS §1 (62–160 ms from a 128 MB caller, 24–36 ms from 768 MB
 * on). Calls: medians of the same measurements, warm (docs/decisions/022-emulation.md).
 */
const PUBLISHED_SEND = [
  { memoryMb: 128, ms: 100 },
  { memoryMb: 768, ms: 30 },
] as const satisfies SizedTime[]
const PUBLISHED_CALL = [
  { memoryMb: 128, ms: 35 },
  { memoryMb: 768, ms: 24 },
] as const satisfies SizedTime[]

/** A warm hand-over by the published measurements, ms. */
export function publishedHandOver(mode: Step['mode'], memoryMb: number, mbPerCore: number): number {
  return timeAtSize(mode === 'send' ? PUBLISHED_SEND : PUBLISHED_CALL, memoryMb, 1, mbPerCore)
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

/** Ascending ms by the kind's key. */
export type HandOverPools = Map<string, number[]>

/** Adds modes and sizes that are not there yet. */
export function addHandOvers(pools: Map<string, number[]>, trees: readonly Tree[]): void {
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

/**
 * Ms by which the first remote call out of a new sandbox is longer than a later one of the same mode, to a sandbox in the same state; by size. Where no
 * new sandbox made two such calls, than the same call out of a used one.
 */
export function clientSetUpsOf(trees: readonly Tree[]): Map<number, number> {
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
      for (const { kind, ms } of remote) if (!kind.callerCold) note(warm, keyOf(kind), ms)
      if (!node.cold || !node.isHead) continue
      const first = remote.filter(({ step }) => step.isFirstRemote)
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

export function sameState(a: HandOverKind, b: HandOverKind): boolean {
  return a.callerCold === b.callerCold && a.calleeCold === b.calleeCold
}

/** Between the parts of a key; names of tasks may have spaces. */
const GAP = '\t'
const ANY = '*'
const stateOf = (kind: HandOverKind) => `${kind.callerCold ? 'cold' : 'warm'} ${kind.calleeCold ? 'cold' : 'warm'}`
export const keyOf = (kind: HandOverKind) =>
  [JSON.stringify([kind.from, kind.to]), kind.mode, kind.memoryMb, stateOf(kind)].join(GAP)
export const kindKeyOf = (kind: HandOverKind) => [ANY, kind.mode, kind.memoryMb, stateOf(kind)].join(GAP)

/** Sizes at which hand-overs in this state were recorded, the trace's own first. */
export function sizesIn(pools: ReadonlyMap<string, number[]>, kind: HandOverKind, first: number | undefined): number[] {
  const sizes: number[] = []
  for (const key of pools.keys()) {
    const [name, mode, mb, state] = key.split(GAP)
    if (name === ANY && mode === kind.mode && state === stateOf(kind)) sizes.push(Number(mb))
  }
  return sizes.sort((a, b) => Number(b === first) - Number(a === first) || a - b)
}

/**
 * A hand-over between warm sandboxes at two sizes: as measured, in its own mode or the other; else by the published law. Ms
 */
export function warmHandOvers(
  pools: ReadonlyMap<string, number[]>,
  mode: Step['mode'],
  fromMb: number,
  toMb: number,
  mbPerCore: number,
  assumed: Set<string>,
): { fromMs: number; toMs: number } {
  for (const m of [mode, mode === 'send' ? 'call' : 'send'] as const) {
    const points: SizedTime[] = []
    for (const [key, pool] of pools) {
      const [name, of, mb, state] = key.split(GAP)
      if (name === ANY && of === m && state === 'warm warm' && pool.length >= FEW)
        points.push({ memoryMb: Number(mb), ms: quantile(pool, 0.5) })
    }
    const here = points.find((point) => point.memoryMb === fromMb)
    if (here && here.ms > 0 && points.length > 1)
      return { fromMs: here.ms, toMs: timeAtSize(points, toMb, 1, mbPerCore) }
  }
  assumed.add(`hand-overs were recorded at ${fromMb} MB alone: scaled by the published law (PAPERS §1)`)
  const law = (mb: number) => publishedHandOver(mode, mb, mbPerCore)
  return { fromMs: law(fromMb), toMs: law(toMb) }
}

/** Mode and size in the key of a hand-over. */
function sizeOfKey(key: string): string {
  return key.split(GAP).slice(1, 3).join(GAP)
}
