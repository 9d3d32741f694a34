import type { Mode, Route } from 'fusionize/setup'
import { meanOf, quantileOf } from '../statistics/distribution.js'
import type { BucketProfile, Profile } from './types.js'

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
  /** Of `calls`, those that a bucket's trigger made, by bucket; absent when none. */
  buckets?: Record<string, number>
  /** Mean wait of the caller, ms. */
  waitMs: number
}

/** What went through a bucket. Means, but for the median wait. */
export interface CallGraphBucket {
  bucket: string
  puts: { from: string; puts: number; objectBytes: number }[]
  firings: { to: string; route: Route; firings: number; objects: number; bytes: number; waitMs: number }[]
}

export interface CallGraph {
  nodes: CallGraphNode[]
  edges: CallGraphEdge[]
  buckets: CallGraphBucket[]
}

/** The call graph for people: tasks and calls, both routes of an edge together; and the buckets. */
export function callGraph(profile: Profile): CallGraph {
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
  for (const { from, to, mode, route, calls, waitMs, buckets = {} } of Object.values(profile.edges)) {
    const key = `${from}>${to} ${mode}`
    const edge = edges.get(key) ?? { from, to, mode, calls: 0, callsPerRun: 0, inlineCalls: 0, waitMs: 0, waited: 0 }
    edge.calls += calls
    if (route === 'inline') edge.inlineCalls += calls
    edge.waited += meanOf(waitMs) * calls
    edge.callsPerRun = edge.calls / Math.max(1, profile.tasks[from]?.runs ?? 0)
    edge.waitMs = edge.waited / edge.calls
    for (const [bucket, through] of Object.entries(buckets))
      edge.buckets = { ...edge.buckets, [bucket]: (edge.buckets?.[bucket] ?? 0) + through }
    edges.set(key, edge)
  }
  const byName = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
  return {
    nodes: nodes.sort((a, b) => byName(a.task, b.task)),
    edges: [...edges.values()]
      .map(({ waited: _, ...edge }) => edge)
      .sort((a, b) => byName(a.from, b.from) || byName(a.to, b.to) || byName(a.mode, b.mode)),
    buckets: Object.entries(profile.buckets ?? {})
      .sort(([a], [b]) => byName(a, b))
      .map(([bucket, seen]) => bucketFigures(bucket, seen)),
  }
}

function bucketFigures(bucket: string, { puts, firings }: BucketProfile): CallGraphBucket {
  return {
    bucket,
    puts: Object.entries(puts).map(([from, seen]) => ({
      from,
      puts: seen.puts,
      objectBytes: seen.bytes / Math.max(1, seen.puts),
    })),
    firings: Object.values(firings).map(({ to, route, firings, objects, bytes, waitMs }) => ({
      to,
      route,
      firings,
      objects: meanOf(objects),
      bytes: meanOf(bytes),
      waitMs: quantileOf(waitMs, 0.5),
    })),
  }
}
