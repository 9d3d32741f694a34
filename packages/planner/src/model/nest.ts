import type { RequestTrace, TaskRun } from '../traces/types.js'

/** How often a run of a task calls another, on average, by `caller` and `callee`. */
export type Graph = ReadonlyMap<string, ReadonlyMap<string, number>>

/** Who called whom in traces. */
export function graphOf(traces: readonly RequestTrace[]): Graph {
  const runs = new Map<string, number>()
  const calls = new Map<string, Map<string, number>>()
  for (const trace of traces)
    for (const { task, parent } of trace.runs) {
      runs.set(task, (runs.get(task) ?? 0) + 1)
      const caller = trace.runs[parent]?.task
      if (caller === undefined) continue
      const of = calls.get(caller) ?? new Map<string, number>()
      calls.set(caller, of.set(task, (of.get(task) ?? 0) + 1))
    }
  for (const [caller, of] of calls) for (const [callee, n] of of) of.set(callee, n / (runs.get(caller) as number))
  return calls
}

/** Ms by which an inner run may end after the outer: clocks round. */
const ROUNDING_MS = 1.5

/**
 * Puts inline runs under the runs that called them, for formats that know only the function: there all inline runs of an invocation seem to be called by
 * its own task. A run moves to an inline run beside it whose task calls its task, and during which it ran, if its apparent caller does not call it as
 * often as that.
 * @param graph from traces in which these calls were remote
 */
export function nested(trace: RequestTrace, graph: Graph): RequestTrace {
  const children = new Map<number, number[]>()
  for (const [i, { parent }] of trace.runs.entries())
    if (parent >= 0) children.set(parent, [...(children.get(parent) ?? []), i])
  const parents = new Map<number, number>()
  for (const [outer, all] of children) {
    const beside = all.filter((i) => (trace.runs[i] as TaskRun).route === 'inline')
    if (beside.length === 0) continue
    const direct = graph.get((trace.runs[outer] as TaskRun).task)
    // What may have been called from inside another, shortest first: the innermost find their callers first.
    const byTask = new Map<string, number[]>()
    for (const i of all) {
      const { task } = trace.runs[i] as TaskRun
      byTask.set(task, [...(byTask.get(task) ?? []), i])
    }
    const places = new Map<string, number>()
    for (const [task, list] of byTask) {
      let spare = list.length - Math.round(direct?.get(task) ?? 0)
      for (const i of list.sort((a, b) => spanOf(trace.runs[a]) - spanOf(trace.runs[b]))) {
        if (spare <= 0) break
        const caller = callerOf(trace, i, beside, graph, places)
        if (caller === undefined) continue
        parents.set(i, caller)
        spare--
      }
    }
  }
  return parents.size === 0 ? trace : { ...trace, runs: ordered(trace.runs, parents) }
}

function callerOf(
  trace: RequestTrace,
  i: number,
  beside: readonly number[],
  graph: Graph,
  places: Map<string, number>,
): number | undefined {
  const { task } = trace.runs[i] as TaskRun
  const end = endOf(trace.runs[i] as TaskRun)
  for (const j of beside) {
    const outer = trace.runs[j] as TaskRun
    const wanted = graph.get(outer.task)?.get(task) ?? 0
    const key = `${j}\t${task}`
    const taken = places.get(key) ?? 0
    if (j === i || taken >= Math.ceil(wanted) || end > outer.endMs + ROUNDING_MS) continue
    places.set(key, taken + 1)
    return j
  }
  return undefined
}

const endOf = (run: TaskRun) => run.call?.endMs ?? run.endMs
const spanOf = (run: TaskRun | undefined) => (run ? endOf(run) - (run.call?.startMs ?? run.startMs) : 0)

/** Runs with other parents, callers before what they call. */
function ordered(runs: readonly TaskRun[], parents: ReadonlyMap<number, number>): TaskRun[] {
  const parentOf = (i: number) => parents.get(i) ?? (runs[i] as TaskRun).parent
  const places = new Map<number, number>()
  const out: TaskRun[] = []
  const place = (i: number): number => {
    const known = places.get(i)
    if (known !== undefined) return known
    const parent = parentOf(i)
    const at = parent < 0 ? parent : place(parent)
    places.set(i, out.length)
    return out.push({ ...(runs[i] as TaskRun), parent: at }) - 1
  }
  for (const i of runs.keys()) place(i)
  return out
}
