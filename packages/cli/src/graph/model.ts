import type { App, BucketInfo, BucketName, FusionSetup, Mode, Route, TaskName } from 'fusionize/setup'
import { entryTasks, modes, routeOf } from 'fusionize/setup'

/** What was observed of one task, per run of it. */
export interface TaskFigures {
  /** Runs per request. */
  perRequest: number
  /** Median of the task's own time (its callees' left out), ms. */
  ownMs?: number
}

/** What was observed of one edge, whatever its route. */
export interface EdgeFigures {
  /** Calls per request. */
  perRequest: number
}

/** What was observed of one task's puts into a bucket. */
export interface PutFigures {
  /** Puts per request. */
  perRequest: number
  /** Mean size of an object. */
  bytes: number
}

/** What was observed of one task's starts by a bucket, all of its triggers together. */
export interface FiringFigures {
  /** Firings per request. */
  perRequest: number
  /** Mean objects of a firing, and their size together. */
  objects: number
  bytes: number
  /** Median time from the put that completed it to the start, ms; absent when never seen by this route. */
  waitMs?: number
}

/** By task. */
export interface BucketFigures {
  puts: Record<TaskName, PutFigures>
  firings: Record<TaskName, Record<Route, FiringFigures>>
}

/** What a profile adds to the static graph. Keys of `edges`: `edgeKey(from, to, mode)`; sends through buckets are not in it. */
export interface Figures {
  tasks: Record<TaskName, TaskFigures>
  edges: Record<string, EdgeFigures>
  buckets?: Record<BucketName, BucketFigures>
}

export function edgeKey(from: TaskName, to: TaskName, mode: Mode): string {
  return `${from} ${mode} ${to}`
}

/** A task as it runs inside one function. A task that several functions inline has a node in each. */
export interface Node {
  /** `function/task`. */
  id: string
  task: TaskName
  host: TaskName
  figures?: TaskFigures
}

export interface Edge {
  /** Node ids. */
  from: string
  to: string
  mode: Mode
  route: Route
  figures?: EdgeFigures
}

/** A bucket: once in the platform, and once in every function that evaluates its triggers itself. */
export interface BucketNode {
  /** `[bucket]`, in a function `function/[bucket]`. */
  id: string
  bucket: BucketName
  /** The function that evaluates it; absent: the platform. */
  host?: TaskName
}

/** A task puts into a bucket, or a bucket's triggers start a task. */
export interface DataEdge {
  /** Node ids. */
  from: string
  to: string
  kind: 'put' | 'start'
  /** `inline`: the task runs in the invocation that put; the bucket is in the function that puts. */
  route: Route
  /** What starts it, as in the source. */
  triggers?: string[]
  figures?: PutFigures | FiringFigures
}

/** One function that something can reach: a fusion group with its size. */
export interface Group {
  host: TaskName
  /** MB; NaN: not known. */
  memory: number
  /** `POST /readings` when requests enter here. */
  entry?: string
  /** The host first, then in the order in which calls reach them. */
  tasks: TaskName[]
}

/** The call graph as a setup cuts it: groups, who calls whom inside and between them, and what goes through buckets. */
export interface CallGraph {
  app: string
  groups: Group[]
  nodes: Node[]
  /** Calls, maps and sends but those through buckets. */
  edges: Edge[]
  buckets: BucketNode[]
  data: DataEdge[]
}

/**
 * Cuts the static call graph by a setup. A function's table routes all that runs in it, so its group is what its inline routes reach from
 * its own task; functions that no entry reaches are left out.
 */
export function callGraph(app: App, setup: FusionSetup, figures?: Figures): CallGraph {
  const graph: CallGraph = { app: app.name, groups: [], nodes: [], edges: [], buckets: [], data: [] }
  const queue = entryTasks(app).filter((task) => setup.functions[task])
  const seen = new Set(queue)
  for (let host = queue.shift(); host !== undefined; host = queue.shift())
    for (const called of addGroup(graph, app, setup, host, figures))
      if (!seen.has(called) && setup.functions[called]) {
        seen.add(called)
        queue.push(called)
      }
  return graph
}

/** Adds the group of `host` and returns the tasks that it calls, or starts through buckets, remotely. */
function addGroup(graph: CallGraph, app: App, setup: FusionSetup, host: TaskName, figures?: Figures): TaskName[] {
  const spec = setup.functions[host]
  if (!spec) return []
  const http = app.tasks[host]?.http
  const group: Group = { host, memory: spec.memory, tasks: [host] }
  if (http) group.entry = `${http.method} ${http.path}`
  graph.groups.push(group)
  const remote: TaskName[] = []
  for (const task of group.tasks) {
    const node: Node = { id: `${host}/${task}`, task, host }
    if (figures?.tasks[task]) node.figures = figures.tasks[task]
    graph.nodes.push(node)
    for (const { to, mode, buckets } of callsOf(app, task)) {
      const seen = figures?.edges[edgeKey(task, to, mode)]
      // The source does not tell whether there are sends beside those through buckets.
      if (mode === 'send' && buckets && !seen) continue
      const inline = routeOf(setup, host, to, mode) === 'inline'
      if (inline && !group.tasks.includes(to)) group.tasks.push(to)
      if (!inline) remote.push(to)
      const edge: Edge = {
        from: node.id,
        to: inline ? `${host}/${to}` : `${to}/${to}`,
        mode,
        route: inline ? 'inline' : 'remote',
      }
      if (seen) edge.figures = seen
      graph.edges.push(edge)
    }
    for (const bucket of putsOf(app, task)) {
      for (const { task: to, route } of addBucket(graph, setup, host, node, bucket, figures))
        if (route === 'remote') remote.push(to)
        else if (!group.tasks.includes(to)) group.tasks.push(to)
    }
  }
  return remote
}

/** Adds the bucket into which a node puts, unless it is there, and the put. Returns what it may start. */
function addBucket(
  graph: CallGraph,
  setup: FusionSetup,
  host: TaskName,
  from: Node,
  { name, triggers }: BucketInfo,
  figures?: Figures,
): { task: TaskName; route: Route }[] {
  const spec = setup.functions[host]
  const fused = spec?.buckets.includes(name) === true
  const id = fused ? `${host}/[${name}]` : `[${name}]`
  const seen = figures?.buckets?.[name]
  const put: DataEdge = { from: from.id, to: id, kind: 'put', route: fused ? 'inline' : 'remote' }
  if (seen?.puts[from.task]) put.figures = seen.puts[from.task] as PutFigures
  graph.data.push(put)
  const started = [...new Set(triggers.map(({ task }) => task))].map((task) => {
    const route: Route = fused && spec.inline.send.includes(task) ? 'inline' : 'remote'
    return { task, route }
  })
  if (graph.buckets.some((bucket) => bucket.id === id)) return started
  graph.buckets.push(fused ? { id, bucket: name, host } : { id, bucket: name })
  for (const { task, route } of started) {
    const edge: DataEdge = {
      from: id,
      to: route === 'inline' ? `${host}/${task}` : `${task}/${task}`,
      kind: 'start',
      route,
      triggers: triggers.filter((trigger) => trigger.task === task).map(({ trigger }) => trigger),
    }
    const firings = seen?.firings[task]?.[route]
    if (firings) edge.figures = firings
    graph.data.push(edge)
  }
  return started
}

function putsOf(app: App, task: TaskName): BucketInfo[] {
  return Object.values(app.buckets ?? {}).filter(({ producers }) => producers.includes(task))
}

/** The calls that a task's source makes, by mode in the order call, map, send, then by name; of sends, the buckets they go through. */
export function callsOf(app: App, task: TaskName): { to: TaskName; mode: Mode; buckets?: BucketName[] | undefined }[] {
  const order: readonly Mode[] = ['call', 'map', 'send']
  return app.edges
    .filter((edge) => edge.from === task)
    .flatMap(({ to, ...edge }) =>
      modes
        .filter((mode) => edge.modes.includes(mode))
        .map((mode) => ({ to, mode, buckets: mode === 'send' ? edge.buckets : undefined })),
    )
    .sort((a, b) => order.indexOf(a.mode) - order.indexOf(b.mode) || a.to.localeCompare(b.to))
}
