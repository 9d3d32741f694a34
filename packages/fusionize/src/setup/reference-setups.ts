import { sortedSet } from './canonical.js'
import { directModes, isFusible } from './fused-buckets.js'
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
    passing: {},
    prewarm: {},
  }
}

/** The setup `remote`: every task in a function of its own, nothing inline. @param memory MB of every function */
export function remoteSetup(app: App, memory: number): FusionSetup {
  return setupOf(app, () => defaultSpec(memory))
}

/**
 * The setup `all-fused`: every call that the source can make is inline, in every function that can make it, and so is what
 * buckets start wherever a function may evaluate them. @param memory MB of every function
 */
export function allFusedSetup(app: App, memory: number): FusionSetup {
  const calls = callsByTask(app)
  const fusible = Object.values(app.buckets ?? {}).filter((bucket) => bucket.fusible)
  return setupOf(app, (root) => {
    const inline = { call: new Set<TaskName>(), send: new Set<TaskName>(), map: new Set<TaskName>() }
    const seen = new Set([root])
    for (const task of seen)
      for (const edge of calls.get(task) ?? []) {
        const modes = edge.buckets?.some((bucket) => isFusible(app, bucket)) ? edge.modes : directModes(edge)
        if (modes.length > 0) seen.add(edge.to)
        for (const mode of modes) inline[mode].add(edge.to)
      }
    return {
      ...defaultSpec(memory),
      inline: { call: sortedSet(inline.call), send: sortedSet(inline.send), map: sortedSet(inline.map) },
      buckets: fusible.filter(({ producers }) => producers.some((task) => seen.has(task))).map(({ name }) => name),
    }
  })
}

function setupOf(app: App, spec: (task: TaskName) => FunctionSpec): FusionSetup {
  return { functions: Object.fromEntries(Object.keys(app.tasks).map((task) => [task, spec(task)])) }
}
