import type { App, FusionSetup, Mode, Route, TaskName } from 'fusionize/setup'
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

/** What a profile adds to the static graph. Keys of `edges`: `edgeKey(from, to, mode)`. */
export interface Figures {
  tasks: Record<TaskName, TaskFigures>
  edges: Record<string, EdgeFigures>
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

/** One function that something can reach: a fusion group with its size. */
export interface Group {
  host: TaskName
  memory: number
  /** `POST /readings` when requests enter here. */
  entry?: string
  /** The host first, then in the order in which calls reach them. */
  tasks: TaskName[]
}

/** The call graph as a setup cuts it: groups, and who calls whom inside and between them. */
export interface CallGraph {
  app: string
  groups: Group[]
  nodes: Node[]
  edges: Edge[]
}

/**
 * Cuts the static call graph by a setup. A function's table routes all that runs in it, so its group is what its inline routes reach from
 * its own task; functions that no entry reaches are left out.
 */
export function callGraph(app: App, setup: FusionSetup, figures?: Figures): CallGraph {
  const graph: CallGraph = { app: app.name, groups: [], nodes: [], edges: [] }
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

/** Adds the group of `host` and returns the tasks that it calls remotely. */
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
    for (const { to, mode } of callsOf(app, task)) {
      const inline = routeOf(setup, host, to, mode) === 'inline'
      if (inline && !group.tasks.includes(to)) group.tasks.push(to)
      if (!inline) remote.push(to)
      const edge: Edge = {
        from: node.id,
        to: inline ? `${host}/${to}` : `${to}/${to}`,
        mode,
        route: inline ? 'inline' : 'remote',
      }
      const seen = figures?.edges[edgeKey(task, to, mode)]
      if (seen) edge.figures = seen
      graph.edges.push(edge)
    }
  }
  return remote
}

/** The calls that a task's source makes, by mode in the order call, map, send, then by name. */
export function callsOf(app: App, task: TaskName): { to: TaskName; mode: Mode }[] {
  const order: readonly Mode[] = ['call', 'map', 'send']
  return app.edges
    .filter((edge) => edge.from === task)
    .flatMap((edge) => modes.filter((mode) => edge.modes.includes(mode)).map((mode) => ({ to: edge.to, mode })))
    .sort((a, b) => order.indexOf(a.mode) - order.indexOf(b.mode) || a.to.localeCompare(b.to))
}
