import type { TaskName } from 'fusionize/setup'
import type { RequestTrace, TaskRun } from '../traces/types.js'

/** One run in a request. */
export interface TracedRun {
  trace: RequestTrace
  run: TaskRun
  index: number
}

/** A task where it is called: its runs in all requests, and what they call, one cluster of calls after the other; those of a cluster are open at the same time. */
export interface TracedTask {
  task: TaskName
  /** Runs per request. */
  dop: number
  runs: TracedRun[]
  clusters: TracedTask[][]
}

/**
 * Who awaits whom in these requests, from their entry on. Sends are nobody's wait and left out. Runs of a task may call differently: the most frequent
 * order of calls counts, and runs with another one are left out below it.
 */
export function structureOf(traces: readonly RequestTrace[]): TracedTask | undefined {
  const children = new Map<RequestTrace, number[][]>()
  const roots = traces.flatMap((trace): TracedRun[] => {
    children.set(trace, childrenOf(trace))
    const run = trace.runs[0]
    return run ? [{ trace, run, index: 0 }] : []
  })
  const task = mostFrequent(roots.map(({ run }) => run.task))
  if (task === undefined) return undefined
  const own = roots.filter(({ run }) => run.task === task)
  return visit(task, own, 1, (run) => callsOf(run, children))
}

function visit(task: TaskName, runs: TracedRun[], dop: number, calls: (run: TracedRun) => TracedRun[][]): TracedTask {
  const called = runs.map(calls)
  const words = called.map((clusters) => clusters.map(wordsOf).join(' > '))
  const usual = mostFrequent(words)
  const kept = called.filter((_, i) => words[i] === usual)
  const clusters = (kept[0] ?? []).map((first, k) =>
    tasksOf(first).map((name) => {
      const all = kept.flatMap((of) => (of[k] ?? []).filter(({ run }) => run.task === name))
      return visit(name, all, Math.max(1, Math.round((dop * all.length) / kept.length)), calls)
    }),
  )
  return { task, dop, runs, clusters }
}

/** What a run awaited, by calls that were open at the same time. */
function callsOf({ trace, index }: TracedRun, children: ReadonlyMap<RequestTrace, number[][]>): TracedRun[][] {
  const awaited = (children.get(trace)?.[index] ?? [])
    .map((at) => ({ trace, run: trace.runs[at] as TaskRun, index: at }))
    .filter(({ run }) => run.mode !== 'send')
    .sort((a, b) => openOf(a.run).startMs - openOf(b.run).startMs)
  const clusters: TracedRun[][] = []
  let until = Number.NEGATIVE_INFINITY
  for (const one of awaited) {
    const { startMs, endMs } = openOf(one.run)
    if (startMs < until) clusters.at(-1)?.push(one)
    else clusters.push([one])
    until = Math.max(until, endMs)
  }
  return clusters
}

/** In which its caller waited for it. */
export function openOf({ call, startMs, endMs }: TaskRun): { startMs: number; endMs: number } {
  return call ?? { startMs, endMs }
}

function childrenOf({ runs }: RequestTrace): number[][] {
  const children: number[][] = runs.map(() => [])
  for (const [i, { parent }] of runs.entries()) if (parent >= 0) children[parent]?.push(i)
  return children
}

const tasksOf = (cluster: readonly TracedRun[]) => [...new Set(cluster.map(({ run }) => run.task))].sort()
const wordsOf = (cluster: readonly TracedRun[]) => tasksOf(cluster).join(' + ')

function mostFrequent(words: readonly string[]): string | undefined {
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return [...counts].reduce<[string, number] | undefined>((a, b) => (a && a[1] >= b[1] ? a : b), undefined)?.[0]
}
