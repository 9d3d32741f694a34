import { callGraph, type Profile } from '@fusionize/planner'
import { edgeKey, type Figures } from './model.js'

/** What a call graph shows of a profile. */
export function figuresOf(profile: Profile): Figures {
  const { nodes, edges } = callGraph(profile)
  const figures: Figures = { tasks: {}, edges: {} }
  const perRequest = new Map(nodes.map((node) => [node.task, node.runsPerRequest]))
  for (const { task, runsPerRequest, ownMs } of nodes) figures.tasks[task] = { perRequest: runsPerRequest, ownMs }
  for (const { from, to, mode, callsPerRun } of edges)
    figures.edges[edgeKey(from, to, mode)] = { perRequest: callsPerRun * (perRequest.get(from) ?? 0) }
  return figures
}
