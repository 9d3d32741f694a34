import { quantile } from '../statistics/bootstrap.js'
import type { Compiled, CompiledRun } from './compile.js'

/** Fewer hand-overs say little about an edge. */
const FEWEST = 20
/** Of its hand-over: on AWS Lambda a first one took at most 0.4 longer than a later one (decision 022), and a larger difference has other causes. */
const MOST = 0.5

/**
 * Learns what an invocation's first hand-over takes longer than its later ones (it connects, or wakes a connection up), by mode and memory of the
 * caller, and notes it on every later one. Edges differ by more than that: so the least of the first ones' medians is compared with the greatest of
 * the later ones'.
 */
export function addFirstExtra(traces: readonly Compiled[]): void {
  const seen = new Map<string, { first: Map<number, number[]>; later: Map<number, number[]> }>()
  const each = (visit: (run: CompiledRun, kind: string) => void) => {
    for (const { runs } of traces)
      for (const run of runs)
        if (run.remote && run.awaited && run.parent >= 0) visit(run, `${run.send} ${runs[run.parent]?.memoryMb}`)
  }
  each((run, kind) => {
    let found = seen.get(kind)
    if (!found) {
      found = { first: new Map(), later: new Map() }
      seen.set(kind, found)
    }
    const byEdge = run.earlier.length === 0 ? found.first : found.later
    const list = byEdge.get(run.edge)
    if (list) list.push(handOverOf(run))
    else byEdge.set(run.edge, [handOverOf(run)])
  })
  const extra = new Map([...seen].map(([kind, { first, later }]) => [kind, extraOf(medians(first), medians(later))]))
  each((run, kind) => {
    run.firstExtraMs = Math.min(extra.get(kind) ?? 0, MOST * Math.max(0, handOverOf(run)))
  })
}

const handOverOf = ({ handOverMs: [before, after] }: CompiledRun) => before + after

function medians(byEdge: ReadonlyMap<number, number[]>): number[] {
  return [...byEdge.values()]
    .filter((list) => list.length >= FEWEST)
    .map((list) => quantile(Float64Array.from(list).sort(), 0.5))
}

function extraOf(first: readonly number[], later: readonly number[]): number {
  if (first.length === 0 || later.length === 0) return 0
  return Math.max(0, Math.min(...first) - Math.max(...later))
}
