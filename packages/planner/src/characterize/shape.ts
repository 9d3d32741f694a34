import { type Interval, lengthOf, subtract, subtractAll, union } from '../statistics/intervals.js'
import type { RequestTrace, TaskRun } from '../traces/types.js'

/** Runs that one run started and that lay beside each other. Indices in `runs`. */
export type Stage = number[]

/** Indices of the runs that each run called; the last list is the request's. */
export function childrenOf({ runs }: RequestTrace): number[][] {
  const children: number[][] = Array.from({ length: runs.length + 1 }, () => [])
  for (const [i, run] of runs.entries()) children[run.parent < 0 ? runs.length : run.parent]?.push(i)
  return children
}

/** Caller's side of a run: what its caller was open for. */
export function openOf(run: TaskRun): Interval {
  return run.call ? [run.call.startMs, run.call.endMs] : [run.startMs, run.endMs]
}

/** The stages of a run's calls, one after the other. A send is open until it has run: what is called meanwhile is beside it. */
export function stagesOf({ runs }: RequestTrace, children: readonly number[]): Stage[] {
  const spans = children
    .map((i) => {
      const run = runs[i] as TaskRun
      const [start, end] = openOf(run)
      return { i, start: Math.min(start, run.startMs), end: Math.max(end, run.endMs) }
    })
    .sort((a, b) => a.start - b.start)
  const stages: Stage[] = []
  let reach = Number.NEGATIVE_INFINITY
  for (const { i, start, end } of spans) {
    if (start >= reach) stages.push([])
    stages.at(-1)?.push(i)
    reach = Math.max(reach, end)
  }
  return stages
}

/** Runs on the longest way: a run, and of each of its stages the deepest, one after the other. */
export function depthOf(trace: RequestTrace, children: readonly number[][]): number {
  const { runs } = trace
  const depths = new Array<number>(runs.length)
  const below = (list: readonly number[]) =>
    stagesOf(trace, list).reduce((sum, stage) => sum + Math.max(...stage.map((i) => depths[i] as number)), 0)
  // Callers come before what they call.
  for (let i = runs.length - 1; i >= 0; i--) depths[i] = 1 + below(children[i] ?? [])
  return below(children[runs.length] ?? [])
}

/** Time in which a run itself is at work: none of the runs that it called is open. Ms since the arrival. */
export function workOf({ runs }: RequestTrace, i: number, children: readonly number[]): Interval[] {
  const { startMs, endMs } = runs[i] as TaskRun
  if (children.length === 0) return endMs > startMs ? [[startMs, endMs]] : []
  return subtract([startMs, endMs], union(children.map((child) => openOf(runs[child] as TaskRun))))
}

/**
 * Ms of each invocation in which a remote call or map was open and neither own nor inline work was running (METRICS, double billing).
 */
export function doubleBilledOf(trace: RequestTrace, children: readonly number[][]): number[] {
  const { runs, invocations } = trace
  const waits: Interval[][] = invocations.map(() => [])
  const work: Interval[][] = invocations.map(() => [])
  for (const [i, run] of runs.entries()) {
    work[run.invocation]?.push(...workOf(trace, i, children[i] ?? []))
    const caller = runs[run.parent]
    if (caller && run.route === 'remote' && run.mode !== 'send') waits[caller.invocation]?.push(openOf(run))
  }
  return invocations.map((_, k) => {
    const open = waits[k] as Interval[]
    return open.length === 0 ? 0 : lengthOf(subtractAll(union(open), union(work[k] as Interval[])))
  })
}
