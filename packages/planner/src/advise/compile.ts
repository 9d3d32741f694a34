import { childrenOf, openOf, workOf } from '../characterize/shape.js'
import { lengthOf } from '../statistics/intervals.js'
import type { RequestTrace, TaskRun } from '../traces/types.js'

interface StretchCall {
  run: number
  from: number
  to: number
}

/** Calls that one run had open beside each other, in order of their start. */
export interface Stretch {
  /** Indices of runs, and of each: ms from the start of the caller. */
  calls: StretchCall[]
  /** Indices in `calls`, in order of their ends. */
  byEnd: number[]
  from: number
  to: number
}

/** A trace made ready for many replays. */
export interface Compiled {
  arrivalMs: number
  /** Ms from the arrival to the start of the first run. */
  beforeMs: number
  missing: number
  runs: CompiledRun[]
}

export interface CompiledRun {
  task: string
  /** Number of the edge that it was called by; -1: the request. */
  edge: number
  parent: number
  send: boolean
  /** Its caller waited for it, or for its hand-over. */
  awaited: boolean
  remote: boolean
  /** Duration; of that, ms in which nothing that it called was open. */
  ms: number
  ownMs: number
  /** Ms of own time that are computing, at least and at most. */
  cpuMs: [low: number, high: number]
  /** Hand-over before and after it, for what was called remotely; of a send, what its caller waited. */
  handOverMs: [before: number, after: number]
  /** Hand-overs that its caller's invocation had back before it began this one (the first few); empty: this was its first. */
  earlier: number[]
  /** Ms that it takes longer as its invocation's first hand-over. */
  firstExtraMs: number
  /** Work of its invocation after its end. Of the first run of an invocation; else 0. */
  tailMs: number
  /** Memory of the invocation, MB; NaN: not told. */
  memoryMb: number
  /** Billed ms of the invocation beyond its work (what it says was billed, less its duration). */
  extraBilledMs: number
  coldMs: number
  cold: boolean
  stretches: Stretch[]
}

/**
 * @param edgeOf number of the edge from a task to a task by a mode
 * @param mbPerCore MB of one full core
 */
export function compile(
  trace: RequestTrace,
  edgeOf: (from: string, to: string, mode: TaskRun['mode']) => number,
  mbPerCore: number,
): Compiled {
  const children = childrenOf(trace)
  const { runs, invocations } = trace
  const first = invocations.map(() => true)
  const compiled = runs.map((run, i): CompiledRun => {
    const invocation = invocations[run.invocation] as RequestTrace['invocations'][number]
    const isFirst = first[run.invocation] === true
    first[run.invocation] = false
    const ownMs = lengthOf(workOf(trace, i, children[i] ?? []))
    const caller = runs[run.parent]
    const open = openOf(run)
    const { coldMs, isCold } = invocation
    return {
      task: run.task,
      edge: caller ? edgeOf(caller.task, run.task, run.mode) : -1,
      parent: run.parent,
      send: run.mode === 'send',
      awaited: false,
      remote: run.route === 'remote',
      ms: Math.max(0, run.endMs - run.startMs),
      ownMs,
      cpuMs: cpuOf(run, ownMs, invocation.memoryMb, mbPerCore),
      handOverMs: run.mode === 'send' ? [open[1] - open[0], 0] : [run.startMs - open[0], open[1] - run.endMs],
      earlier: [],
      firstExtraMs: 0,
      tailMs: isFirst ? Math.max(0, invocation.endMs - run.endMs) : 0,
      memoryMb: invocation.memoryMb ?? Number.NaN,
      extraBilledMs: isFirst ? (invocation.billedMs ?? 0) && billedBeyond(invocation) : 0,
      coldMs: isFirst && typeof coldMs === 'number' ? coldMs : 0,
      cold: isFirst && (isCold ?? typeof coldMs === 'number'),
      stretches: stretchesOf(run, runs, children[i] ?? []),
    }
  })
  for (const { stretches } of compiled)
    for (const { calls } of stretches) for (const { run } of calls) (compiled[run] as CompiledRun).awaited = true
  addEarlier(trace, compiled)
  return {
    arrivalMs: trace.arrivalMs,
    beforeMs: runs[0]?.startMs ?? 0,
    missing: trace.missing ?? 0,
    runs: compiled,
  }
}

/** More of them say nothing new: one that stays remote is enough. */
const MOST_EARLIER = 8

function addEarlier({ runs, invocations }: RequestTrace, compiled: readonly CompiledRun[]): void {
  const byInvocation: { run: number; from: number; to: number }[][] = invocations.map(() => [])
  for (const [i, run] of runs.entries()) {
    const caller = runs[run.parent]
    if (!caller || run.route !== 'remote' || !run.call) continue
    byInvocation[caller.invocation]?.push({ run: i, from: run.call.startMs, to: run.call.endMs })
  }
  for (const handOvers of byInvocation) {
    const byEnd = [...handOvers].sort((a, b) => a.to - b.to).slice(0, MOST_EARLIER)
    for (const { from, run } of handOvers)
      (compiled[run] as CompiledRun).earlier = byEnd.filter((other) => other.to <= from).map((other) => other.run)
  }
}

function billedBeyond({ billedMs = 0, startMs, endMs }: RequestTrace['invocations'][number]): number {
  return billedMs - (endMs - startMs)
}

/**
 * What of the own time is computing, as it goes by at the function's share of a core (PAPERS §1, CPU law): told by the trace, or anything between
 * nothing and all but the waiting that it tells of.
 */
function cpuOf(
  { cpuMs, outsideMs = 0 }: TaskRun,
  ownMs: number,
  memoryMb: number | undefined,
  mbPerCore: number,
): [number, number] {
  const most = Math.max(0, ownMs - outsideMs)
  if (cpuMs === undefined) return [0, most]
  if (memoryMb === undefined) return [Math.min(cpuMs, ownMs), Math.max(Math.min(cpuMs, ownMs), most)]
  const computing = computingMs(cpuMs, memoryMb, mbPerCore, ownMs)
  return [computing, computing]
}

/** How long computing takes at a share of a core, of what one full core needs `cpuMs` for; at most `ownMs`. */
export function computingMs(cpuMs: number, memoryMb: number, mbPerCore: number, ownMs: number): number {
  return Math.min(ownMs, cpuMs * Math.max(1, mbPerCore / memoryMb))
}

/** What the caller waited for: not inline sends, and not what was still open at its end. */
function stretchesOf(run: TaskRun, runs: readonly TaskRun[], children: readonly number[]): Stretch[] {
  const calls = children
    .map((child) => {
      const [start, end] = openOf(runs[child] as TaskRun)
      return { run: child, from: start - run.startMs, to: end - run.startMs }
    })
    .filter(({ run: child, from, to }) => {
      const { mode, route, call } = runs[child] as TaskRun
      return (mode !== 'send' || (route === 'remote' && call)) && from >= 0 && to <= run.endMs - run.startMs + 1e-3
    })
    .sort((a, b) => a.from - b.from)
  const stretches: Stretch[] = []
  for (const call of calls) {
    const last = stretches.at(-1)
    if (last && call.from < last.to) {
      last.calls.push(call)
      last.to = Math.max(last.to, call.to)
    } else stretches.push({ calls: [call], byEnd: [], from: call.from, to: call.to })
  }
  for (const stretch of stretches) {
    const { calls } = stretch
    stretch.byEnd = calls.map((_, k) => k).sort((a, b) => (calls[a] as StretchCall).to - (calls[b] as StretchCall).to)
  }
  return stretches
}
