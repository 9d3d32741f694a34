import type { Mode, Route } from 'fusionize/setup'
import type { RequestTrace, TaskRun } from '../traces/types.js'

/** A call of a run, as it was recorded. */
export interface Step {
  /** Index of the callee in `Tree.nodes`. */
  child: number
  mode: Mode
  route: Route
  /** Steps that had ended when it began, without those that one of these waited for in turn. */
  after: number[]
  /** It is remote, and nothing remote of this run had ended when it began. */
  isFirstRemote: boolean
  /** Own work between the last of these ends (or the run's start) and this call, ms. */
  gapMs: number
  /** Ms of the call that were not the callee's: of a remote call both ways, of a send until it was handed over. */
  handOverMs: number
  /** From the call's start to the callee's, ms. */
  lagMs: number
  /** The run waited for it: it had ended when the run ended. */
  awaited: boolean
}

/** One run of a task, taken apart: what it did itself, and what it called when. */
export interface Node {
  task: string
  /** Function that it ran in. */
  host: string
  memoryMb: number | undefined
  cold: boolean
  initMs: number
  /** Index of its invocation in the trace; equal for what ran in one sandbox. */
  invocation: number
  /** It is what the invocation was for. */
  isHead: boolean
  /** Time in which no call was open, ms. */
  ownMs: number
  /** Others ran in its sandbox meanwhile, so its own time may be theirs in part. */
  beside: boolean
  /** CPU of its own, ms, if recorded. */
  cpuMs: number | undefined
  /** Of the own time, waiting for what is no traced function, as far as the trace tells. ms */
  outsideMs: number
  wallMs: number
  steps: Step[]
  /** Own work after the last awaited step, ms. */
  tailMs: number
  /** Steps that had ended when the run ended. */
  last: number[]
  /** Head only: the invocation's work after the run, ms, and what was billed beyond the invocation, ms. */
  extraMs: number
  billedExtraMs: number
  /** Recorded start, ms since the arrival. */
  startMs: number
}

export interface Tree {
  arrivalMs: number
  nodes: Node[]
  /** The requests' own runs. */
  roots: number[]
}

/**
 * A trace as what had to wait for what: a call that began after another had ended is taken to depend on it, and what lay between them is the
 * task's own work. Running this again with other times gives other overlaps, but never another order.
 */
export function treeOf(trace: RequestTrace): Tree {
  const children: number[][] = trace.runs.map(() => [])
  const roots: number[] = []
  for (const [i, { parent }] of trace.runs.entries()) (children[parent] ?? roots).push(i)
  const heads = new Set<number>()
  const seen = new Set<number>()
  for (const [i, { invocation }] of trace.runs.entries())
    if (!seen.has(invocation)) {
      seen.add(invocation)
      heads.add(i)
    }
  const crowded = besideOthers(trace)
  const nodes = trace.runs.map((run, i): Node => {
    const invocation = trace.invocations[run.invocation]
    const steps = stepsOf(trace, run, children[i] as number[])
    const ends = steps.map((step) => callOf(trace.runs[step.child] as TaskRun).endMs)
    const starts = steps.map((step) => callOf(trace.runs[step.child] as TaskRun).startMs)
    const last = steps.flatMap((step, k) => (step.awaited ? [k] : []))
    const lastEnd = last.reduce((latest, k) => Math.max(latest, ends[k] as number), run.startMs)
    const isHead = heads.has(i)
    const endMs = invocation?.endMs ?? run.endMs
    const wallOfInvocation = invocation ? endMs - invocation.startMs : run.endMs - run.startMs
    return {
      task: run.task,
      host: invocation?.function ?? run.task,
      memoryMb: invocation?.memoryMb,
      cold: invocation?.isCold === true || (invocation?.coldMs ?? null) !== null,
      initMs: invocation?.coldMs ?? 0,
      invocation: run.invocation,
      isHead,
      ownMs: ownMs(
        run,
        steps
          .map((_, k): [number, number] => [starts[k] as number, ends[k] as number])
          .filter((_, k) => !isAfterwards(steps[k] as Step)),
      ),
      beside: crowded.has(i),
      cpuMs: run.cpuMs,
      outsideMs: run.outsideMs ?? 0,
      wallMs: run.endMs - run.startMs,
      steps,
      tailMs: Math.max(0, run.endMs - lastEnd),
      last,
      extraMs: isHead ? Math.max(0, endMs - run.endMs) : 0,
      billedExtraMs: isHead && invocation?.billedMs !== undefined ? invocation.billedMs - wallOfInvocation : 0,
      startMs: run.startMs,
    }
  })
  return { arrivalMs: trace.arrivalMs, nodes, roots }
}

/** Runs that overlap with others of their invocation which neither called them nor were called by them. */
function besideOthers({ runs }: RequestTrace): Set<number> {
  const found = new Set<number>()
  const byInvocation = new Map<number, number[]>()
  for (const [i, { invocation }] of runs.entries()) {
    const list = byInvocation.get(invocation)
    if (list) list.push(i)
    else byInvocation.set(invocation, [i])
  }
  const isAbove = (a: number, b: number) => {
    for (let at = runs[b]?.parent ?? -1; at >= 0; at = runs[at]?.parent ?? -1) if (at === a) return true
    return false
  }
  for (const list of byInvocation.values()) {
    list.sort((a, b) => (runs[a] as TaskRun).startMs - (runs[b] as TaskRun).startMs)
    for (const [k, i] of list.entries())
      for (const j of list.slice(k + 1)) {
        if ((runs[j] as TaskRun).startMs + ROUNDING_MS >= (runs[i] as TaskRun).endMs) break
        if (isAbove(i, j) || isAbove(j, i)) continue
        found.add(i)
        found.add(j)
      }
  }
  return found
}

/** An inline send: nobody waits for it. */
const isAfterwards = ({ mode, route }: Pick<Step, 'mode' | 'route'>) => mode === 'send' && route === 'inline'

/** Ms by which a call may begin before another ended and still have waited for it: clocks round. */
const ROUNDING_MS = 0.001

function stepsOf(trace: RequestTrace, run: TaskRun, children: readonly number[]): Step[] {
  const calls = children
    .map((child) => ({ child, callee: trace.runs[child] as TaskRun }))
    .map(({ child, callee }) => ({ child, callee, ...callOf(callee) }))
    .sort((a, b) => a.startMs - b.startMs || a.endMs - b.endMs)
  const endedBefore = ended(calls)
  return calls.map((call): Step => {
    const { child, callee, startMs, endMs } = call
    const { after, remote: remoteEnded } = endedBefore(startMs)
    const from = after.reduce((latest, k) => Math.max(latest, (calls[k] as { endMs: number }).endMs), run.startMs)
    const remote = callee.route === 'remote'
    return {
      child,
      mode: callee.mode,
      route: callee.route,
      after,
      isFirstRemote: callee.route === 'remote' && !remoteEnded,
      gapMs: Math.max(0, startMs - from),
      handOverMs: remote
        ? Math.max(0, endMs - startMs - (callee.mode === 'send' ? 0 : callee.endMs - callee.startMs))
        : 0,
      lagMs: callee.startMs - startMs,
      awaited: !isAfterwards(callee) && endMs <= run.endMs + ROUNDING_MS,
    }
  })
}

interface Call {
  callee: TaskRun
  startMs: number
  endMs: number
}

/**
 * Who had ended when a call began, asked in order of the starts. Only the last of them are told: what ended before another of them began says nothing
 * more, and all of them would be as many as the square of the calls.
 */
function ended(calls: readonly Call[]): (startMs: number) => { after: number[]; remote: boolean } {
  const open: number[] = []
  let last: number[] = []
  let remote = false
  let next = 0
  return (startMs) => {
    for (; next < calls.length && (calls[next] as Call).startMs < startMs; next++)
      if (!isAfterwards((calls[next] as Call).callee)) open.push(next)
    const now: number[] = []
    let kept = 0
    for (const k of open)
      if ((calls[k] as Call).endMs <= startMs + ROUNDING_MS) now.push(k)
      else open[kept++] = k
    open.length = kept
    if (now.length > 0) {
      remote ||= now.some((k) => (calls[k] as Call).callee.route === 'remote')
      const all = [...last, ...now]
      const latest = all.reduce((most, k) => Math.max(most, (calls[k] as Call).startMs), Number.NEGATIVE_INFINITY)
      last = all
        .filter((k) => (calls[k] as Call).endMs > latest || (calls[k] as Call).startMs === latest)
        .sort((a, b) => a - b)
    }
    return { after: last, remote }
  }
}

/** The caller's side of a run. */
function callOf(run: TaskRun): { startMs: number; endMs: number } {
  if (run.call) return run.call
  // A send whose hand-over nobody timed took none.
  if (run.mode === 'send' && run.route === 'remote') return { startMs: run.startMs, endMs: run.startMs }
  return { startMs: run.startMs, endMs: run.endMs }
}

function ownMs(run: TaskRun, open: [number, number][]): number {
  let waitedMs = 0
  let at = run.startMs
  for (const [start, end] of open.sort((a, b) => a[0] - b[0])) {
    const from = Math.max(at, start)
    const to = Math.min(run.endMs, end)
    if (to > from) waitedMs += to - from
    at = Math.max(at, to)
  }
  return Math.max(0, run.endMs - run.startMs - waitedMs)
}
