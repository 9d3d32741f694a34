import { type Mode, modes, type StaticEdge, type TaskName } from 'fusionize/setup'
import type { TaskFiles } from './exports.js'
import type { Graph } from './graph.js'
import { compare } from './problems.js'
import type { FileUses } from './task-uses.js'

/** Every call that a task can make: from its own file and from the helper files that it reaches without passing another task. */
export function staticEdges(graph: Graph, tasks: TaskFiles, uses: ReadonlyMap<string, FileUses>): StaticEdge[] {
  const edges: StaticEdge[] = []
  for (const [path, { info }] of tasks) {
    const found = new Map<TaskName, Set<Mode>>()
    for (const file of ownFiles(graph, tasks, path))
      for (const use of uses.get(file)?.tasks ?? []) {
        const known = found.get(use.task) ?? new Set()
        for (const mode of use.modes) known.add(mode)
        found.set(use.task, known)
      }
    for (const [to, used] of found)
      if (used.size > 0) edges.push({ from: info.name, to, modes: modes.filter((mode) => used.has(mode)) })
  }
  return edges.sort((a, b) => compare(a.from, b.from) || compare(a.to, b.to))
}

/** A task's file and the helper files it reaches. */
function ownFiles(graph: Graph, tasks: TaskFiles, start: string): Set<string> {
  const reached = new Set([start])
  for (const path of reached)
    for (const link of graph.files.get(path)?.links.values() ?? []) if (!tasks.has(link)) reached.add(link)
  return reached
}

/** Whether loading `from` loads `to`: dynamic imports come later. */
export function loads(graph: Graph, from: string, to: string): boolean {
  const reached = new Set([from])
  for (const path of reached) {
    const file = graph.files.get(path)
    for (const [specifier, link] of file?.links ?? [])
      if (file?.module.requests.get(specifier)?.kind === 'import-statement') reached.add(link)
  }
  return reached.has(to)
}
