import { type App, entryTasks, type FusionSetup, routeOf, type TaskName } from 'fusionize/setup'
import type { PlannerFacts } from '../../types.js'
import type { Evidence } from './evidence.js'

/** What a setup is predicted to do, per request of the load that was seen. */
export interface Prediction {
  /** Mean time to the reply of the entries, ms. */
  replyMs: number
  costUsd: number
  /** Mean billed ms and invocations per request, by function. */
  functions: Record<TaskName, { invocations: number; wallMs: number; costUsd: number }>
}

interface Visit {
  /** Time until the task's result, own work and waits. ms */
  syncMs: number
  /** Work after the reply, ms. */
  afterMs: number
}

const MAX_DEPTH = 64

/**
 * Predicts a setup from own times and call counts: what runs inline adds up, what runs remotely is waited for with its hand-over (calls)
 * or handed over (sends). Parallel calls are taken as one after another, which CPU-bound work on one core is.
 */
export function predict(app: App, facts: PlannerFacts, evidence: Evidence, setup: FusionSetup): Prediction {
  const functions: Prediction['functions'] = {}
  const edges = new Map<TaskName, App['edges']>()
  for (const edge of app.edges) edges.set(edge.from, [...(edges.get(edge.from) ?? []), edge])

  const runTask = (fn: TaskName, task: TaskName, times: number, depth: number): Visit => {
    const memory = setup.functions[fn]?.memory ?? 128
    const visit: Visit = { syncMs: evidence.ownMs(task, memory), afterMs: 0 }
    if (depth > MAX_DEPTH) return visit
    for (const edge of edges.get(task) ?? [])
      for (const mode of edge.modes) {
        const calls = evidence.callsPerRun(task, edge.to, mode)
        if (calls === 0) continue
        const inline = routeOf(setup, fn, edge.to, mode) === 'inline'
        const handOver = evidence.handOverMs(mode, memory)
        const wait = Number.isFinite(handOver) ? handOver : 0
        if (inline) {
          const inner = runTask(fn, edge.to, times * calls, depth + 1)
          visit.afterMs += calls * inner.afterMs
          if (mode === 'send') visit.afterMs += calls * inner.syncMs
          else visit.syncMs += calls * inner.syncMs
        } else {
          const callee = invoke(edge.to, times * calls, depth + 1)
          visit.syncMs += calls * (mode === 'send' ? wait : wait + callee)
        }
      }
    return visit
  }

  /** @returns time to the reply, ms */
  const invoke = (fn: TaskName, times: number, depth: number): number => {
    const { syncMs, afterMs } = runTask(fn, fn, times, depth)
    const memory = setup.functions[fn]?.memory ?? 128
    const costUsd =
      times * (((memory / 1024) * (syncMs + afterMs) * facts.prices.perGbSecond) / 1000 + facts.prices.perRequest)
    functions[fn] ??= { invocations: 0, wallMs: 0, costUsd: 0 }
    functions[fn].invocations += times
    functions[fn].wallMs += times * (syncMs + afterMs)
    functions[fn].costUsd += costUsd
    return syncMs
  }

  const shares = entryShares(app, evidence)
  let replyMs = 0
  for (const [entry, share] of shares) replyMs += share * invoke(entry, share, 0)
  const costUsd = Object.values(functions).reduce((sum, f) => sum + f.costUsd, 0)
  return { replyMs, costUsd, functions }
}

/** How the requests that were seen spread over the entries. */
function entryShares(app: App, evidence: Evidence): [TaskName, number][] {
  const called = new Map<TaskName, number>()
  for (const edge of Object.values(evidence.profile.edges)) called.set(edge.to, (called.get(edge.to) ?? 0) + edge.calls)
  const direct = entryTasks(app).map((entry): [TaskName, number] => [
    entry,
    Math.max(0, (evidence.profile.tasks[entry]?.runs ?? 0) - (called.get(entry) ?? 0)),
  ])
  const total = direct.reduce((sum, [, runs]) => sum + runs, 0)
  return total === 0 ? [] : direct.map(([entry, runs]) => [entry, runs / total])
}
