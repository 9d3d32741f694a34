import { type CallGraphBucket, callGraph, type Profile } from '@fusionize/planner'
import type { Route, TaskName } from 'fusionize/setup'
import { type BucketFigures, edgeKey, type Figures, type FiringFigures } from './model.js'

/** What a call graph shows of a profile. */
export function figuresOf(profile: Profile): Figures {
  const { nodes, edges, buckets } = callGraph(profile)
  const requests = Math.max(1, profile.requests)
  const figures: Figures = { tasks: {}, edges: {} }
  const perRequest = new Map(nodes.map((node) => [node.task, node.runsPerRequest]))
  for (const { task, runsPerRequest, ownMs } of nodes) figures.tasks[task] = { perRequest: runsPerRequest, ownMs }
  for (const { from, to, mode, calls, callsPerRun, buckets: through = {} } of edges) {
    const direct = 1 - Object.values(through).reduce((sum, count) => sum + count, 0) / calls
    if (direct > 0)
      figures.edges[edgeKey(from, to, mode)] = { perRequest: direct * callsPerRun * (perRequest.get(from) ?? 0) }
  }
  if (buckets.length > 0)
    figures.buckets = Object.fromEntries(buckets.map((seen) => [seen.bucket, bucketFigures(seen, requests)]))
  return figures
}

function bucketFigures({ puts, firings }: CallGraphBucket, requests: number): BucketFigures {
  const found: BucketFigures = { puts: {}, firings: {} }
  for (const { from, puts: count, objectBytes } of puts)
    found.puts[from] = { perRequest: count / requests, bytes: objectBytes }
  for (const to of new Set(firings.map((seen) => seen.to)))
    found.firings[to] = {
      inline: firingFigures(firings, to, 'inline', requests),
      remote: firingFigures(firings, to, 'remote', requests),
    }
  return found
}

/** How often a task was started, by both routes: another setup starts it as often. How long that took, by one route only. */
function firingFigures(
  firings: CallGraphBucket['firings'],
  task: TaskName,
  route: Route,
  requests: number,
): FiringFigures {
  const all = firings.filter(({ to }) => to === task)
  const total = all.reduce((sum, seen) => sum + seen.firings, 0)
  const mean = (of: 'objects' | 'bytes') => all.reduce((sum, seen) => sum + seen[of] * seen.firings, 0) / total
  const figures = { perRequest: total / requests, objects: mean('objects'), bytes: mean('bytes') }
  const own = all.find((seen) => seen.route === route)
  return own ? { ...figures, waitMs: own.waitMs } : figures
}
