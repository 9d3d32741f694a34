import { type App, defaultSpec, type FusionSetup, modes, type StaticEdge, type TaskName } from 'fusionize/setup'
import type { ExecutionPlan, PlannedGroup } from './execution-plan.js'

/** A plan as a setup, and what of it no setup of this application can say. */
export interface Translated {
  setup: FusionSetup
  /** In words; empty when the setup says all of the plan. */
  lost: string[]
}

/**
 * An execution plan as a fusion setup. Stages are tasks of the same names (`taskOf` renames them); all other tasks run where they do in `base`. A fused stage is inline in the
 * function of the group's first stage, a bundle belongs to every function that maps over it remotely, data passing and start-ups ahead likewise.
 * A `merged` plan puts every stage inline wherever it is called.
 * @param base the setup of everything that the plan does not mention
 * @param ladder sizes that the platform has; a plan's size becomes the next larger one
 */
export function setupOfPlan(
  app: App,
  plan: ExecutionPlan,
  base: FusionSetup,
  ladder: readonly number[],
  taskOf: (stage: string) => TaskName = (stage) => stage,
): Translated {
  const functions = structuredClone(base.functions)
  const lost: string[] = []
  const callers = (task: TaskName): StaticEdge[] => app.edges.filter(({ to }) => to === task)
  const specOf = (task: TaskName) => {
    functions[task] ??= defaultSpec(ladder[0] ?? 128)
    return functions[task]
  }
  const fuse = (host: TaskName, task: TaskName, edge: StaticEdge) => {
    for (const mode of edge.modes) specOf(host).inline[mode] = [...new Set([...specOf(host).inline[mode], task])].sort()
  }
  for (const group of plan.groups) {
    const [head, ...inner] = group.stages.map(taskOf) as [TaskName, ...TaskName[]]
    if (!app.tasks[head]) {
      lost.push(`stage ${head}: the application has no such task`)
      continue
    }
    const spec = specOf(head)
    spec.memory = sizeFor(group, ladder, lost)
    spec.parallel = group.parallel
    spec.concurrency = group.concurrency
    let before = head
    for (const task of inner) {
      const edge = app.edges.find(({ from, to }) => from === before && to === task)
      if (edge) fuse(head, task, edge)
      else lost.push(`${before} and ${task} in one function: ${before} does not call ${task}`)
      before = task
    }
    for (const { from, modes: called } of callers(head)) {
      const caller = specOf(from)
      for (const mode of called) caller.inline[mode] = caller.inline[mode].filter((task) => task !== head)
      if (!plan.merged && group.bundle > 1 && called.includes('map')) caller.bundle[head] = group.bundle
      if (group.prewarmMs !== undefined) caller.prewarm[head] = group.prewarmMs
    }
    if (!plan.merged && group.bundle > 1 && !callers(head).some(({ modes: called }) => called.includes('map')))
      lost.push(`${group.bundle} items of ${head} per sandbox: nothing maps over it`)
  }
  for (const [edge, how] of Object.entries(plan.passing)) {
    const to = taskOf(edge.slice(edge.indexOf('>') + 1))
    const from = callers(to)
    for (const caller of from) specOf(caller.from).passing[to] = how
    if (from.length === 0) lost.push(`${edge} by ${how}: nothing calls ${to}`)
  }
  if (plan.merged) merge(plan.groups)
  return { setup: { functions }, lost }

  /**
   * Every function that takes part, those that call stages included, holds all stages. A map of more items than one sandbox takes goes to further sandboxes, all of it: a
   * setup has one route for all items.
   */
  function merge(groups: readonly PlannedGroup[]): void {
    const heads = new Map(groups.map((group) => [taskOf(group.stages[0] as string), group]))
    const calls = app.edges.filter(({ to }) => heads.has(to))
    const largest = groups.reduce((a, b) => (b.memoryMb > a.memoryMb ? b : a))
    for (const task of new Set([...heads.keys(), ...calls.map(({ from }) => from)])) {
      const spec = specOf(task)
      spec.memory = sizeFor(largest, ladder, [])
      spec.parallel = largest.parallel
      for (const { to, modes: called } of calls) {
        const { bundle, sandboxes = 1 } = heads.get(to) as PlannedGroup
        for (const mode of modes) {
          if (!called.includes(mode) || mode === 'send') continue
          if (mode !== 'map' || sandboxes === 1) spec.inline[mode] = [...new Set([...spec.inline[mode], to])].sort()
          else if (bundle > 1) spec.bundle[to] = bundle
        }
      }
    }
    for (const [task, { bundle, sandboxes = 1 }] of heads)
      if (sandboxes > 1)
        lost.push(
          `the first ${bundle} of ${task} in the sandbox of their caller, the others elsewhere: a map has one route`,
        )
  }
}

function sizeFor({ stages, memoryMb }: PlannedGroup, ladder: readonly number[], lost: string[]): number {
  const found = ladder.find((size) => size >= memoryMb)
  if (found === undefined)
    lost.push(`${memoryMb} MB for ${stages.join(', ')}: the platform ends at ${ladder.at(-1)} MB`)
  return found ?? ladder.at(-1) ?? memoryMb
}
