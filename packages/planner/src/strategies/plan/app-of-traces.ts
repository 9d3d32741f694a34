import {
  type App,
  defaultSpec,
  type FusionSetup,
  type Mode,
  modes,
  type StaticEdge,
  type TaskName,
} from 'fusionize/setup'
import type { RequestTrace } from '../../traces/types.js'
import type { Seen } from './seen.js'

/** An application as its traces show it, where its source is not at hand: who was called by whom. */
export function appOfTraces(name: string, traces: readonly RequestTrace[]): App {
  const tasks: App['tasks'] = {}
  const edges = new Map<string, StaticEdge>()
  for (const { runs } of traces)
    for (const { task, parent, mode } of runs) {
      tasks[task] ??= { name: task, file: '', line: 0 }
      const from = runs[parent]?.task
      if (from === undefined) {
        tasks[task].http ??= { method: 'POST', path: `/${task}` }
        continue
      }
      const key = JSON.stringify([from, task])
      const edge = edges.get(key) ?? { from, to: task, modes: [] }
      edges.set(key, edge)
      if (!edge.modes.includes(mode)) edge.modes.push(mode)
    }
  const byName = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
  return {
    name,
    tasks: Object.fromEntries(Object.entries(tasks).sort(([a], [b]) => byName(a, b))),
    edges: [...edges.values()]
      .map((edge) => ({ ...edge, modes: modes.filter((mode) => edge.modes.includes(mode)) }))
      .sort((a, b) => byName(a.from, b.from) || byName(a.to, b.to)),
  }
}

/**
 * What was seen by setup, the one with the most requests first. Where a setup is not known by its id, it is what its requests show: where tasks ran, in how much
 * memory; what did not run is a function of its own.
 * @param known setups by id
 */
export function seenInTraces(
  app: App,
  traces: readonly RequestTrace[],
  known: ReadonlyMap<string, FusionSetup> = new Map(),
): Seen[] {
  const bySetup = new Map<string, RequestTrace[]>()
  for (const trace of traces) {
    const id = trace.setup ?? ''
    const list = bySetup.get(id)
    if (list) list.push(trace)
    else bySetup.set(id, [trace])
  }
  return [...bySetup]
    .map(([id, own]): Seen => ({ setup: known.get(id) ?? setupOfTraces(app, own), traces: own }))
    .sort((a, b) => b.traces.length - a.traces.length)
}

function setupOfTraces(app: App, traces: readonly RequestTrace[]): FusionSetup {
  const memory = new Map<TaskName, number>()
  const inline = new Map<TaskName, Record<Mode, Set<TaskName>>>()
  for (const { runs, invocations } of traces) {
    for (const { function: fn, memoryMb } of invocations) if (memoryMb !== undefined) memory.set(fn, memoryMb)
    for (const { task, mode, route, invocation } of runs) {
      const fn = invocations[invocation]?.function
      if (fn === undefined || route !== 'inline') continue
      const lists = inline.get(fn) ?? { call: new Set(), send: new Set(), map: new Set() }
      inline.set(fn, lists)
      lists[mode].add(task)
    }
  }
  const usual = Math.min(...memory.values())
  return {
    functions: Object.fromEntries(
      Object.keys(app.tasks).map((task) => {
        const spec = defaultSpec(memory.get(task) ?? (Number.isFinite(usual) ? usual : 128))
        const lists = inline.get(task)
        for (const mode of modes) spec.inline[mode] = [...(lists?.[mode] ?? [])].sort()
        return [task, spec]
      }),
    ),
  }
}
