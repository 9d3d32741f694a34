import { sortedSet } from './canonical.js'
import { callsByTask } from './reach.js'
import type { App, FunctionSpec, FusionSetup, TaskName } from './types.js'

/** A function that runs nothing but its own task, one request at a time. @param memory MB */
export function defaultSpec(memory: number): FunctionSpec {
  return {
    memory,
    inline: { call: [], send: [], map: [] },
    bundle: {},
    buckets: [],
    concurrency: 1,
    parallel: 'loop',
    passing: {},
    prewarm: {},
  }
}

/** The setup `remote`: every task in a function of its own, nothing inline. @param memory MB of every function */
export function remoteSetup(app: App, memory: number): FusionSetup {
  return setupOf(app, () => defaultSpec(memory))
}

/** The setup `all-fused`: every call that the source can make is inline, in every function that can make it. @param memory MB of every function */
export function allFusedSetup(app: App, memory: number): FusionSetup {
  const calls = callsByTask(app)
  return setupOf(app, (root) => {
    const inline = { call: new Set<TaskName>(), send: new Set<TaskName>(), map: new Set<TaskName>() }
    const seen = new Set([root])
    for (const task of seen)
      for (const { to, modes } of calls.get(task) ?? []) {
        seen.add(to)
        for (const mode of modes) inline[mode].add(to)
      }
    return {
      ...defaultSpec(memory),
      inline: { call: sortedSet(inline.call), send: sortedSet(inline.send), map: sortedSet(inline.map) },
    }
  })
}

function setupOf(app: App, spec: (task: TaskName) => FunctionSpec): FusionSetup {
  return { functions: Object.fromEntries(Object.keys(app.tasks).map((task) => [task, spec(task)])) }
}
