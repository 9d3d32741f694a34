import type { PublishedCall, PublishedRecord } from './published-record.js'
import { callKey, count, type PublishedRun } from './published-runs.js'
import type { RequestTrace, TaskRun, TraceInvocation } from './types.js'

/** How the calls of a function, or those inside an inline call of it, follow each other. */
export interface Layout {
  /** Calls of one stage begin together, by kind of call. */
  stages: ReadonlyMap<string, number>
  /** Of a kind of call made by an inline call: that one's kind. */
  parents: ReadonlyMap<string, string>
  inside: ReadonlyMap<string, Layout>
}

/** A remote call whose callee is still to be found. */
interface OpenCall {
  parent: number
  to: string
  sync: boolean
  startMs: number
  endMs: number
}

/** Runs that a trace may have by its invocations, those that are made up included. */
const LEAST_ROOM = 100
const ROOM = 10

/** How much longer than its call a callee may seem to take: clocks of two machines. */
const CLOCKS_MS = 20

/**
 * One request's trace from its invocations. A run begins with its task's own time, then come its calls, stage by stage; what its handler does
 * after the task belongs to the invocation alone. A call takes the earliest invocation of its callee that no earlier call took.
 * @param layouts how each function's calls follow each other
 * @param donors invocations of the whole file by function: what is lost gets the times of one of these
 */
export function traceOf(
  id: string,
  found: readonly PublishedRun[],
  layouts: ReadonlyMap<string, Layout>,
  donors: ReadonlyMap<string, readonly PublishedRun[]>,
  repaired: Map<string, number>,
): RequestTrace {
  const root = found.find((run) => run.isRoot) as PublishedRun
  const arrivalMs = found.reduce((least, run) => Math.min(least, run.startMs), root.startMs)
  const left = new Map<string, PublishedRun[]>()
  for (const run of found) if (run !== root) left.set(run.function, [...(left.get(run.function) ?? []), run])
  const runs: TaskRun[] = []
  const invocations: TraceInvocation[] = []
  const most = LEAST_ROOM + ROOM * found.length
  const open: OpenCall[] = []
  const calls: OpenCall[] = []

  const place = (run: PublishedRun, startMs: number, from: Pick<TaskRun, 'parent' | 'mode' | 'call'>): void => {
    const index = runs.length
    const invocation = invocations.length
    const endMs = startMs + run.wallMs
    // A caller has its answer when the task has ended; the published latency of a request counts its handler whole.
    const answeredMs = from.parent < 0 ? endMs : startMs + Math.min(run.taskMs, run.wallMs)
    const { function: task, memoryMb, isCold, billedMs } = run
    invocations.push({
      function: task,
      memoryMb,
      startMs,
      endMs,
      billedMs,
      ...(isCold ? { isCold: true } : { coldMs: null }),
    })
    const error = run.timedOut ? { error: 'timed out' } : {}
    runs.push({ task, ...from, route: 'remote', startMs, endMs: answeredMs, invocation, ...error })
    const layout = layouts.get(task)
    const lay = (parent: number, calls: readonly PublishedCall[], beginMs: number, ms: number, key?: string): void => {
      const inner = key === undefined ? layout : insideOf(layout, key)
      // What a call is inside of may be missing in this run.
      const here = calls.filter((call) => outerOf(call, calls, layout) === key)
      for (const { call, at, ms: callMs } of laidOut(here, beginMs, ms, inner?.stages)) {
        const mode = call.sync ? 'call' : 'send'
        const end = at + callMs
        if (call.local) {
          if (!call.sync) count(repaired, 'inline send: only its beginning was recorded')
          const child =
            runs.push({ task: call.called, parent, mode, route: 'inline', startMs: at, endMs: end, invocation }) - 1
          if (call.sync && here.find((one) => callKey(one) === callKey(call)) === call)
            lay(child, calls, at, callMs, callKey(call))
        } else open.push({ parent, to: call.called, sync: call.sync, startMs: at, endMs: end })
      }
    }
    lay(index, run.calls, startMs, run.taskMs)
  }

  const answer = (call: OpenCall): void => {
    const waitMs = call.endMs - call.startMs
    const list = left.get(call.to) ?? []
    const fits = list.findIndex((run) => !call.sync || run.taskMs <= waitMs + CLOCKS_MS)
    const from = { parent: call.parent, mode: modeOf(call), call: { startMs: call.startMs, endMs: call.endMs } }
    calls.push(call)
    const run = fits < 0 ? undefined : list.splice(fits, 1)[0]
    if (run) {
      place(run, run.startMs - arrivalMs, from)
      return
    }
    // Tasks that call each other must not stand in for each other for ever.
    const stand = runs.length > most ? undefined : standIn(call, donors.get(call.to) ?? [], runs.length)
    count(
      repaired,
      stand ? 'record lost: given the times of another request' : 'callee never recorded: its time is its call’s',
    )
    const handOverMs = Math.max(0, waitMs - (stand?.taskMs ?? 0)) / 2
    place(stand ?? unknownRun(call), call.sync ? call.startMs + handOverMs : call.endMs, from)
  }

  const answerAll = () => {
    while (open.length > 0) {
      let next = 0
      for (const [i, call] of open.entries()) if (call.startMs < (open[next] as OpenCall).startMs) next = i
      answer(open.splice(next, 1)[0] as OpenCall)
    }
  }

  place(root, root.startMs - arrivalMs, { parent: -1, mode: 'call' })
  answerAll()
  for (const list of left.values())
    for (let run = list.shift(); run; run = list.shift()) {
      const fn = run.function
      const like = calls.filter((call) => call.to === fn)
      const call = like[list.length % Math.max(1, like.length)]
      count(
        repaired,
        call
          ? 'repeated call lost: taken to overlap the one that is there'
          : 'caller unknown: taken as a send of the root',
      )
      const from = call
        ? { parent: call.parent, mode: modeOf(call), call: { startMs: call.startMs, endMs: call.endMs } }
        : { parent: 0, mode: 'send' as const }
      place(run, run.startMs - arrivalMs, from)
      answerAll()
    }
  return { id, arrivalMs, runs, invocations }
}

const modeOf = ({ sync }: { sync: boolean }) => (sync ? ('call' as const) : ('send' as const))

/** Key of the inline call that a call was made in. */
function outerOf(call: PublishedCall, all: readonly PublishedCall[], layout: Layout | undefined): string | undefined {
  const key = layout?.parents.get(callKey(call))
  return all.some((other) => other !== call && other.local && callKey(other) === key) ? key : undefined
}

function insideOf(layout: Layout | undefined, key: string): Layout | undefined {
  if (!layout) return undefined
  const outer = layout.parents.get(key)
  return (outer === undefined ? layout : insideOf(layout, outer))?.inside.get(key)
}

/** When each of the calls that lie directly in a run (or an inline call) began, and how long it took. ms */
function laidOut(
  calls: readonly PublishedCall[],
  startMs: number,
  totalMs: number,
  stages: ReadonlyMap<string, number> | undefined,
): { call: PublishedCall; at: number; ms: number }[] {
  const byStage = new Map<number, PublishedCall[]>()
  for (const call of calls) {
    // Calls that only cold runs made come last.
    const stage = stages?.get(callKey(call)) ?? Number.MAX_SAFE_INTEGER
    byStage.set(stage, [...(byStage.get(stage) ?? []), call])
  }
  const ordered = [...byStage].sort(([a], [b]) => a - b).map(([, list]) => list)
  const longest = ordered.map((list) => list.reduce((most, call) => Math.max(most, call.ms), 0))
  const sum = longest.reduce((total, ms) => total + ms, 0)
  // Calls that together seem to take longer than the run are shortened to it: clocks round, and some structures hold only for most runs.
  const fit = sum > totalMs ? totalMs / sum : 1
  let at = startMs + Math.max(0, totalMs - sum)
  return ordered.flatMap((list, i) => {
    const begin = at
    at += (longest[i] as number) * fit
    return list.map((call) => ({ call, at: begin, ms: call.ms * fit }))
  })
}

/** Of the warm invocations of a function one that fits into the call. */
function standIn(call: OpenCall, donors: readonly PublishedRun[], turn: number): PublishedRun | undefined {
  const warm = donors.filter((run) => !run.isCold && !run.timedOut)
  const usable = (warm.length > 0 ? warm : donors).filter(
    (run) => !call.sync || run.taskMs <= call.endMs - call.startMs + CLOCKS_MS,
  )
  return usable[(turn * 7 + Math.round(call.startMs)) % Math.max(1, usable.length)]
}

function unknownRun(call: OpenCall): PublishedRun {
  const ms = call.sync ? call.endMs - call.startMs : 0
  const record: Pick<PublishedRecord, 'isRoot' | 'isCold' | 'timedOut'> = {
    isRoot: false,
    isCold: false,
    timedOut: false,
  }
  return {
    ...record,
    function: call.to,
    memoryMb: 128,
    startMs: 0,
    wallMs: ms,
    billedMs: Math.ceil(ms),
    taskMs: ms,
    calls: [],
  }
}
