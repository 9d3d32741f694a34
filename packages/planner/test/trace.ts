import type { RequestTrace, TaskRun, TraceInvocation } from '@fusionize/planner'

/** A run in short: times, and who called it. Each has an invocation of its own unless it is inline. */
export interface Short {
  task: string
  from?: string
  mode?: TaskRun['mode']
  inline?: boolean
  at: [startMs: number, endMs: number]
  call?: [startMs: number, endMs: number]
  more?: Partial<TaskRun>
  invocation?: Partial<TraceInvocation>
}

/** A request from its runs, callers first; a task's name tells the caller. */
export function traceOf(id: string, shorts: readonly Short[], arrivalMs = 0): RequestTrace {
  const trace: RequestTrace = { id, arrivalMs, runs: [], invocations: [] }
  for (const { at, call, from, inline = false, invocation, mode = 'call', more, task } of shorts) {
    const parent = from === undefined ? -1 : trace.runs.findLastIndex((run) => run.task === from)
    const [startMs, endMs] = at
    const index = inline
      ? (trace.runs[parent]?.invocation ?? 0)
      : trace.invocations.push({ function: task, startMs, endMs, ...invocation }) - 1
    trace.runs.push({
      task,
      parent,
      mode,
      route: inline ? 'inline' : 'remote',
      startMs,
      endMs,
      invocation: index,
      ...(call && { call: { startMs: call[0], endMs: call[1] } }),
      ...more,
    })
  }
  return trace
}
