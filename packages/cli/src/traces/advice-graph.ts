import type { Advice } from '@fusionize/planner'
import { type CallGraph, edgeKey, type Figures } from '../graph/model.js'

/** More than this nobody can read. */
export const MOST_NODES = 40

/** The fused setup of an advice as a drawing's call graph: a box for each function. */
export function graphOf({ edges, groups, nodes, requests }: Advice): CallGraph {
  const figures: Figures = { tasks: {}, edges: {} }
  for (const { ownMs, runsPerRequest, task } of nodes) figures.tasks[task] = { perRequest: runsPerRequest, ownMs }
  for (const { callsPerRequest, from, mode, to } of edges)
    figures.edges[edgeKey(from, to, mode)] = { perRequest: callsPerRequest }
  const graph: CallGraph = { app: `${requests} requests`, groups: [], nodes: [], edges: [], buckets: [], data: [] }
  const hosts = new Set(groups.map(({ host }) => host))
  for (const { host, members, memoryMb } of groups) {
    graph.groups.push({ host, memory: memoryMb ?? Number.NaN, tasks: members })
    for (const task of members) {
      const seen = figures.tasks[task]
      graph.nodes.push({ id: `${host}/${task}`, task, host, ...(seen && { figures: seen }) })
    }
    for (const { from, mode, to } of edges) {
      if (!members.includes(from)) continue
      const inline = mode !== 'send' && members.includes(to) && (to !== host || from === to)
      if (!inline && !hosts.has(to)) continue
      const seen = figures.edges[edgeKey(from, to, mode)]
      graph.edges.push({
        from: `${host}/${from}`,
        to: inline ? `${host}/${to}` : `${to}/${to}`,
        mode,
        route: inline ? 'inline' : 'remote',
        ...(seen && { figures: seen }),
      })
    }
  }
  return graph
}
