import type { Node, Step } from '../model/tree.js'
import { quantile } from '../statistics/bootstrap.js'
import type { Kept } from './kept.js'

/** Fewer hand-overs say little about an edge. */
const FEWEST = 20
/** Of its hand-over: on AWS Lambda a first one took at most 0.4 longer than a later one (decision 022), and a larger difference has other causes. */
const MOST = 0.5

interface HandOver {
  kind: string
  callee: Node
  edge: number
  ms: number
  /** Nothing remote of its invocation had ended when it began. */
  isFirst: boolean
}

/**
 * What an invocation's first hand-over takes longer than its later ones (it connects, or wakes a connection up), learnt by mode and memory of the
 * caller, for every later one by its callee. Edges differ by more than that: so the least of the first ones' medians is compared with the greatest of
 * the later ones'.
 */
export function firstExtraOf(kept: readonly Kept[]): ReadonlyMap<Node, number> {
  const seen = new Map<string, { first: Map<number, number[]>; later: Map<number, number[]> }>()
  const all = kept.flatMap(handOversOf)
  for (const { kind, edge, ms, isFirst } of all) {
    let found = seen.get(kind)
    if (!found) {
      found = { first: new Map(), later: new Map() }
      seen.set(kind, found)
    }
    const byEdge = isFirst ? found.first : found.later
    const list = byEdge.get(edge)
    if (list) list.push(ms)
    else byEdge.set(edge, [ms])
  }
  const extra = new Map([...seen].map(([kind, { first, later }]) => [kind, extraOf(medians(first), medians(later))]))
  const found = new Map<Node, number>()
  for (const { kind, callee, ms, isFirst } of all) {
    const more = Math.min(extra.get(kind) ?? 0, MOST * Math.max(0, ms))
    if (!isFirst && more > 0) found.set(callee, more)
  }
  return found
}

function handOversOf({ edge, tree: { nodes } }: Kept): HandOver[] {
  const byInvocation = new Map<number, { caller: Node; step: Step; startMs: number; endMs: number }[]>()
  for (const caller of nodes)
    for (const step of caller.steps) {
      const callee = nodes[step.child] as Node
      if (step.route !== 'remote' || !step.awaited) continue
      const startMs = callee.startMs - step.lagMs
      const endMs = startMs + step.handOverMs + (step.mode === 'send' ? 0 : callee.wallMs)
      const list = byInvocation.get(caller.invocation)
      if (list) list.push({ caller, step, startMs, endMs })
      else byInvocation.set(caller.invocation, [{ caller, step, startMs, endMs }])
    }
  return [...byInvocation.values()].flatMap((list) => {
    const firstEndMs = Math.min(...list.map(({ endMs }) => endMs))
    return list.map(({ caller, startMs, step }) => ({
      kind: `${step.mode === 'send'} ${caller.memoryMb}`,
      callee: nodes[step.child] as Node,
      edge: edge[step.child] as number,
      ms: step.handOverMs,
      isFirst: startMs < firstEndMs,
    }))
  })
}

function medians(byEdge: ReadonlyMap<number, number[]>): number[] {
  return [...byEdge.values()]
    .filter((list) => list.length >= FEWEST)
    .map((list) => quantile(Float64Array.from(list).sort(), 0.5))
}

function extraOf(first: readonly number[], later: readonly number[]): number {
  if (first.length === 0 || later.length === 0) return 0
  return Math.max(0, Math.min(...first) - Math.max(...later))
}
