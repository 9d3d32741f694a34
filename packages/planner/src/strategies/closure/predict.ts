import { type App, entryTasks, type FusionSetup, routeOf, type TaskName } from 'fusionize/setup'
import type { PlannerFacts } from '../../types.js'
import { computeAt, timeAt } from '../fit.js'
import { type Call, callsOf } from '../fuse.js'
import type { Evidence, Group } from './evidence.js'

/** What a setup is predicted to do, per request of the load that was seen. */
export interface Prediction {
  /** Mean time to the reply of the entries, ms. */
  replyMs: number
  /** USD. */
  cost: { compute: number; requests: number; startup: number; gateway: number }
  /** Per request, by function. */
  functions: Record<TaskName, { invocations: number; wallMs: number; costUsd: number }>
}

/** One run of a task inside a function. ms */
interface Visit {
  /** Until its result: own work, calls, hand-overs. */
  syncMs: number
  /** The part of `syncMs` for which it needs the function's core. */
  cpuMs: number
  /** Work that it leaves for after the reply: the core's time, and the longest of its strands. */
  after: { cpuMs: number; longestMs: number }
}

/** Runs that are expected less often per request, and recursions that go deeper, are left out. */
const RARE = 1e-3
const MAX_DEPTH = 64

/**
 * Predicts a setup from own times and call counts. Calls one after another add up; calls at the same time take as long as the longest, but
 * what of them computes inline shares one core. A remote call is waited for with its hand-over, a remote send is handed over, an inline
 * send runs after the reply. What starts a task through a bucket is a send like others.
 */
export function predict(app: App, facts: PlannerFacts, evidence: Evidence, setup: FusionSetup): Prediction {
  const functions: Prediction['functions'] = {}
  const { prices } = facts
  const cost = { compute: 0, requests: 0, startup: 0, gateway: prices.perGatewayRequest }
  const edges = edgesByCaller(app)
  const memoryOf = (fn: TaskName) => setup.functions[fn]?.memory ?? 128
  const seen = edgeFigures(evidence)

  const run = (fn: TaskName, task: TaskName, times: number, depth: number): Visit => {
    const memory = memoryOf(fn)
    const time = evidence.taskTime(task)
    const visit: Visit = {
      syncMs: timeAt(time, memory),
      cpuMs: computeAt(time, memory),
      after: { cpuMs: 0, longestMs: 0 },
    }
    const groups = new Map<Group, { cpuMs: number; longestMs: number }>()
    for (const edge of edges(task)) {
      const { to, mode } = edge
      const { calls, group } = seen(edge)
      if (calls * times < RARE || depth > MAX_DEPTH) continue
      const call = { totalMs: 0, cpuMs: 0 }
      if (!isInline(setup, fn, edge)) {
        const replyMs = invoke(to, times * calls, depth + 1)
        call.totalMs = evidence.handOverMs(mode, memory) + (mode === 'send' ? 0 : replyMs)
      } else {
        const inner = run(fn, to, times * calls, depth + 1)
        const { after } = visit
        after.cpuMs += calls * (inner.after.cpuMs + (mode === 'send' ? inner.cpuMs : 0))
        after.longestMs = Math.max(after.longestMs, inner.after.longestMs + (mode === 'send' ? inner.syncMs : 0))
        if (mode === 'send') continue
        call.totalMs = inner.syncMs
        call.cpuMs = inner.cpuMs
      }
      visit.cpuMs += calls * call.cpuMs
      if (group) {
        const beside = groups.get(group) ?? { cpuMs: 0, longestMs: 0 }
        const waitMs = group.steps * Math.min(1, calls) * (call.totalMs - call.cpuMs)
        beside.cpuMs += calls * call.cpuMs
        beside.longestMs = Math.max(beside.longestMs, calls * call.cpuMs + waitMs)
        groups.set(group, beside)
      } else visit.syncMs += calls * call.totalMs
    }
    for (const { cpuMs, longestMs } of groups.values()) visit.syncMs += Math.max(cpuMs, longestMs)
    return visit
  }

  /** @returns time to the reply, with a start-up where most invocations have one. ms */
  const invoke = (fn: TaskName, times: number, depth: number): number => {
    const memory = memoryOf(fn)
    const { syncMs, after } = run(fn, fn, times, depth)
    const wallMs = syncMs + Math.max(after.cpuMs, after.longestMs)
    const usdPerMs = ((memory / 1024) * prices.perGbSecond) / 1000
    const starts = evidence.starts.perInvocation + evidence.starts.perBusyMs * wallMs
    const startMs = timeAt(evidence.starts.timeMs, memory)
    // Rounding up adds half a grain on average.
    const compute = times * usdPerMs * (wallMs + prices.granularityMs / 2)
    const startup = prices.billsInit ? times * starts * usdPerMs * startMs : 0
    cost.compute += compute
    cost.requests += times * prices.perRequest
    cost.startup += startup
    functions[fn] ??= { invocations: 0, wallMs: 0, costUsd: 0 }
    functions[fn].invocations += times
    functions[fn].wallMs += times * wallMs
    functions[fn].costUsd += compute + startup + times * prices.perRequest
    return syncMs + (evidence.starts.perInvocation > 0.5 ? startMs : 0)
  }

  let replyMs = 0
  for (const [entry, share] of entryShares(app, evidence)) replyMs += share * invoke(entry, share, 0)
  return { replyMs, cost, functions }
}

export function totalUsd({ cost }: Prediction): number {
  return cost.compute + cost.requests + cost.startup + cost.gateway
}

/** The calls of a task; its sends through buckets, and beside these those that may go to the same tasks without. */
function edgesByCaller(app: App): (task: TaskName) => readonly Call[] {
  const known = new Map<TaskName, Call[]>()
  return (task) => {
    const found =
      known.get(task) ??
      callsOf(app, task).flatMap((call, _, all): Call[] => {
        const { bucket, ...direct } = call
        const isFirst = all.find((other) => other.bucket !== undefined && other.to === call.to) === call
        return bucket !== undefined && isFirst ? [direct, call] : [call]
      })
    known.set(task, found)
    return found
  }
}

function isInline(setup: FusionSetup, fn: TaskName, { to, mode, bucket }: Call): boolean {
  const evaluates = bucket === undefined || setup.functions[fn]?.buckets.includes(bucket) === true
  return evaluates && routeOf(setup, fn, to, mode) === 'inline'
}

function edgeFigures(evidence: Evidence) {
  const known = new Map<string, { calls: number; group: Group | undefined }>()
  return ({ from, to, mode, bucket }: Call) => {
    const key = `${from}>${to} ${mode} ${bucket ?? ''}`
    const found = known.get(key) ?? {
      calls: evidence.callsPerRun(from, to, mode, bucket),
      group: bucket === undefined ? evidence.group(from, to, mode) : undefined,
    }
    known.set(key, found)
    return found
  }
}

/** How the requests that were seen spread over the entries. */
function entryShares(app: App, evidence: Evidence): [TaskName, number][] {
  const called = new Map<TaskName, number>()
  for (const { to, calls } of Object.values(evidence.profile.edges)) called.set(to, (called.get(to) ?? 0) + calls)
  const direct = entryTasks(app).map((entry): [TaskName, number] => [
    entry,
    Math.max(0, (evidence.profile.tasks[entry]?.runs ?? 0) - (called.get(entry) ?? 0)),
  ])
  const total = direct.reduce((sum, [, runs]) => sum + runs, 0)
  return total === 0 ? [] : direct.map(([entry, runs]) => [entry, runs / total])
}
