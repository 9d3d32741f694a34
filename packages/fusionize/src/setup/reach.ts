import { sortedSet } from './canonical.js'
import { directModes, fusedBuckets, fusedOf } from './fused-buckets.js'
import type { App, BucketName, FunctionSpec, FusionSetup, Mode, Route, StaticEdge, TaskName } from './types.js'
import { modes } from './types.js'

/** Where a call to `to` runs when it is made inside function `fn`. */
export function routeOf(setup: FusionSetup, fn: TaskName, to: TaskName, mode: Mode): Route {
  return specOf(setup, fn)?.inline[mode].includes(to) ? 'inline' : 'remote'
}

/**
 * The tasks whose code function `fn` contains, sorted: its own, and whatever these can reach over inline calls and over the
 * buckets that the function evaluates itself.
 */
export function artifactTasks(app: App, setup: FusionSetup, fn: TaskName): TaskName[] {
  return artifact(app, callsByTask(app), setup, fn)
}

/**
 * The functions that must exist, sorted: the entries, and every function that one of these may call, send to or map over
 * remotely, or start through a bucket that it does not evaluate itself. Entries are the tasks with `http`; in an app without any, the tasks that no other task calls (all, if there is none).
 */
export function reachableFunctions(app: App, setup: FusionSetup): TaskName[] {
  const calls = callsByTask(app)
  const reached = new Set(entryTasks(app))
  for (const fn of reached)
    for (const task of artifact(app, calls, setup, fn))
      for (const edge of calls.get(task) ?? []) if (leaves(app, setup, fn, edge)) reached.add(edge.to)
  return sortedSet(reached)
}

/** Where requests enter: the tasks with `http`; without any, the tasks that no other task calls or starts through a bucket; without these, all. */
export function entryTasks(app: App): TaskName[] {
  const tasks = Object.keys(app.tasks)
  const open = tasks.filter((task) => app.tasks[task]?.http)
  if (open.length > 0) return open
  const called = new Set(app.edges.filter(({ from, to }) => from !== to).map(({ to }) => to))
  const uncalled = tasks.filter((task) => !called.has(task))
  return uncalled.length > 0 ? uncalled : tasks
}

/**
 * What a setup comes to in this app: only functions that must exist, only routes that a call in the source can take, only
 * buckets into which the function's tasks may put. Two setups with equal effective forms behave alike. The result is no total map: for display and comparison, not for deployment.
 */
export function effectiveSetup(app: App, setup: FusionSetup): FusionSetup {
  const functions: Record<TaskName, FunctionSpec> = {}
  for (const fn of reachableFunctions(app, setup)) {
    const spec = specOf(setup, fn)
    if (spec)
      functions[fn] = { ...spec, inline: takenInline(app, setup, fn), buckets: evaluatedBuckets(app, setup, fn) }
  }
  return { functions }
}

/** The inline lists of a function without what no call in its tasks' source can use. */
export function takenInline(app: App, setup: FusionSetup, fn: TaskName): FunctionSpec['inline'] {
  const possible = possibleCalls(app, setup, fn)
  const taken = (mode: Mode) =>
    (specOf(setup, fn)?.inline[mode] ?? []).filter((to) => possible.some((x) => x.to === to && x.modes.includes(mode)))
  return { call: taken('call'), send: taken('send'), map: taken('map') }
}

/** The buckets that a function evaluates itself and into which one of its tasks may put. Sorted. */
export function evaluatedBuckets(app: App, setup: FusionSetup, fn: TaskName): BucketName[] {
  const fused = fusedBuckets(app, setup, fn)
  if (fused.length === 0) return fused
  const inside = artifactTasks(app, setup, fn)
  return fused.filter((bucket) => app.buckets?.[bucket]?.producers.some((task) => inside.includes(task)))
}

/**
 * Every call that a function can make, with the modes that have a route: those in which its tasks' source calls, and `send` for
 * what a bucket starts that the function evaluates itself.
 */
export function possibleCalls(app: App, setup: FusionSetup, fn: TaskName): StaticEdge[] {
  const inside = new Set(artifactTasks(app, setup, fn))
  return app.edges
    .filter(({ from }) => inside.has(from))
    .map((edge) => (fusedOf(app, setup, fn, edge).length > 0 ? edge : { ...edge, modes: directModes(edge) }))
}

/** The static edges by caller. */
export function callsByTask(app: App): Map<TaskName, StaticEdge[]> {
  const calls = new Map<TaskName, StaticEdge[]>()
  for (const edge of app.edges) {
    const own = calls.get(edge.from)
    if (own) own.push(edge)
    else calls.set(edge.from, [edge])
  }
  return calls
}

function artifact(app: App, calls: Map<TaskName, StaticEdge[]>, setup: FusionSetup, fn: TaskName): TaskName[] {
  const inside = new Set([fn])
  for (const task of inside)
    for (const edge of calls.get(task) ?? [])
      if (
        directModes(edge).some((mode) => routeOf(setup, fn, edge.to, mode) === 'inline') ||
        fusedOf(app, setup, fn, edge).length > 0
      )
        inside.add(edge.to)
  return sortedSet(inside)
}

/** Whether what this edge stands for may need the callee's own function when it happens in function `fn`. */
function leaves(app: App, setup: FusionSetup, fn: TaskName, edge: StaticEdge): boolean {
  const remote = (mode: Mode) => routeOf(setup, fn, edge.to, mode) === 'remote'
  if (directModes(edge).some(remote)) return true
  if (!edge.buckets) return false
  return remote('send') || fusedOf(app, setup, fn, edge).length < edge.buckets.length
}

/** Own properties only: `constructor` is a task name like any other. */
export function specOf(setup: FusionSetup, fn: TaskName): FunctionSpec | undefined {
  return Object.hasOwn(setup.functions, fn) ? setup.functions[fn] : undefined
}

/** The modes in which a function takes calls to `to` inline. */
export function inlineModes(spec: FunctionSpec, to: TaskName): Mode[] {
  return modes.filter((mode) => spec.inline[mode].includes(to))
}
