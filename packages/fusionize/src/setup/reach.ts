import { sortedSet } from './canonical.js'
import type { App, FunctionSpec, FusionSetup, Mode, Route, StaticEdge, TaskName } from './types.js'
import { modes } from './types.js'

/** Where a call to `to` runs when it is made inside function `fn`. */
export function routeOf(setup: FusionSetup, fn: TaskName, to: TaskName, mode: Mode): Route {
  return specOf(setup, fn)?.inline[mode].includes(to) ? 'inline' : 'remote'
}

/** The tasks whose code function `fn` contains, sorted: its own, and whatever these can reach over inline calls. */
export function artifactTasks(app: App, setup: FusionSetup, fn: TaskName): TaskName[] {
  return artifact(callsByTask(app), setup, fn)
}

/**
 * The functions that must exist, sorted: the entries, and every function that one of these may call, send to or map over
 * remotely. Entries are the tasks with `http`; in an app without any, the tasks that no other task calls (all, if there is none).
 */
export function reachableFunctions(app: App, setup: FusionSetup): TaskName[] {
  const calls = callsByTask(app)
  const reached = new Set(entryTasks(app))
  for (const fn of reached)
    for (const task of artifact(calls, setup, fn))
      for (const { to, modes } of calls.get(task) ?? [])
        if (modes.some((mode) => routeOf(setup, fn, to, mode) === 'remote')) reached.add(to)
  return sortedSet(reached)
}

/** Where requests enter: the tasks with `http`; without any, the tasks that no other task calls; without these, all. */
export function entryTasks(app: App): TaskName[] {
  const tasks = Object.keys(app.tasks)
  const open = tasks.filter((task) => app.tasks[task]?.http)
  if (open.length > 0) return open
  const called = new Set(app.edges.filter(({ from, to }) => from !== to).map(({ to }) => to))
  const uncalled = tasks.filter((task) => !called.has(task))
  return uncalled.length > 0 ? uncalled : tasks
}

/**
 * What a setup comes to in this app: only functions that must exist, only routes that a call in the source can take. Two
 * setups with equal effective forms behave alike. The result is no total map: for display and comparison, not for deployment.
 */
export function effectiveSetup(app: App, setup: FusionSetup): FusionSetup {
  const functions: Record<TaskName, FunctionSpec> = {}
  for (const fn of reachableFunctions(app, setup)) {
    const spec = specOf(setup, fn)
    if (spec) functions[fn] = { ...spec, inline: takenInline(app, setup, fn) }
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

/** Every call that the source of a function's tasks can make. */
export function possibleCalls(app: App, setup: FusionSetup, fn: TaskName): StaticEdge[] {
  const inside = new Set(artifactTasks(app, setup, fn))
  return app.edges.filter(({ from }) => inside.has(from))
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

function artifact(calls: Map<TaskName, StaticEdge[]>, setup: FusionSetup, fn: TaskName): TaskName[] {
  const inside = new Set([fn])
  for (const task of inside)
    for (const { to, modes } of calls.get(task) ?? [])
      if (modes.some((mode) => routeOf(setup, fn, to, mode) === 'inline')) inside.add(to)
  return sortedSet(inside)
}

/** Own properties only: `constructor` is a task name like any other. */
export function specOf(setup: FusionSetup, fn: TaskName): FunctionSpec | undefined {
  return Object.hasOwn(setup.functions, fn) ? setup.functions[fn] : undefined
}

/** The modes in which a function takes calls to `to` inline. */
export function inlineModes(spec: FunctionSpec, to: TaskName): Mode[] {
  return modes.filter((mode) => spec.inline[mode].includes(to))
}
