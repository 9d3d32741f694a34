import type { Mode } from 'fusionize/setup'
import { meanOf, quantileOf } from '../statistics/distribution.js'
import type { Profile } from './types.js'

export interface CallGraphNode {
  task: string
  runs: number
  runsPerRequest: number
  errors: number
  /** Median own time, ms, at the memory with the most runs. */
  ownMs: number
}

export interface CallGraphEdge {
  from: string
  to: string
  mode: Mode
  calls: number
  callsPerRun: number
  inlineCalls: number
  /** Mean wait of the caller, ms. */
  waitMs: number
}

/** The call graph for people: tasks and calls, both routes of an edge together. */
export function callGraph(profile: Profile): { nodes: CallGraphNode[]; edges: CallGraphEdge[] } {
  const nodes = Object.entries(profile.tasks).map(([task, { runs, errors, sizes }]) => {
    const most = Object.values(sizes).reduce((a, b) => (b.runs > a.runs ? b : a))
    return {
      task,
      runs,
      runsPerRequest: runs / Math.max(1, profile.requests),
      errors,
      ownMs: quantileOf(most.ownMs, 0.5),
    }
  })
  const edges = new Map<string, CallGraphEdge & { waited: number }>()
  for (const { from, to, mode, route, calls, waitMs } of Object.values(profile.edges)) {
    const key = `${from}>${to} ${mode}`
    const edge = edges.get(key) ?? { from, to, mode, calls: 0, callsPerRun: 0, inlineCalls: 0, waitMs: 0, waited: 0 }
    edge.calls += calls
    if (route === 'inline') edge.inlineCalls += calls
    edge.waited += meanOf(waitMs) * calls
    edge.callsPerRun = edge.calls / Math.max(1, profile.tasks[from]?.runs ?? 0)
    edge.waitMs = edge.waited / edge.calls
    edges.set(key, edge)
  }
  const byName = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
  return {
    nodes: nodes.sort((a, b) => byName(a.task, b.task)),
    edges: [...edges.values()]
      .map(({ waited: _, ...edge }) => edge)
      .sort((a, b) => byName(a.from, b.from) || byName(a.to, b.to) || byName(a.mode, b.mode)),
  }
}
