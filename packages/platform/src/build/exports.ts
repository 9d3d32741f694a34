import type { TaskName } from 'fusionize/setup'
import type { TaskFile } from './find-task.js'
import type { Graph, GraphFile } from './graph.js'

/** What an imported name stands for, however many files re-export it. */
export type Meaning =
  | { kind: 'task'; task: TaskName; file: string }
  /** Something else of a file that defines a task. */
  | { kind: 'beside-task'; task: TaskName; file: string }
  /** A module's namespace. */
  | { kind: 'namespace'; file: string }
  /** Something of a file without a task; `local` is its name there, `default` that of an exported expression without one. */
  | { kind: 'value'; file: string; local: string }
  /** The app's file does not export this name. */
  | { kind: 'missing'; file: string }
  /** Outside the app's code: nothing is known. */
  | { kind: 'foreign' }

/** Files with their tasks, by absolute path. */
export type TaskFiles = ReadonlyMap<string, TaskFile>

/** Follows `name` imported by `from` under `specifier` to where it is defined. */
export function meaningOf(graph: Graph, tasks: TaskFiles, from: GraphFile, specifier: string, name: string): Meaning {
  const file = from.links.get(specifier)
  if (file === undefined) return { kind: 'foreign' }
  return name === '*' ? { kind: 'namespace', file } : exportedMeaning(graph, tasks, file, name, new Set())
}

/** What a file exports under `name`. */
export function exportedMeaning(
  graph: Graph,
  tasks: TaskFiles,
  file: string,
  name: string,
  seen: Set<string>,
): Meaning {
  const target = graph.files.get(file)
  const key = `${file}\0${name}`
  if (!target || seen.has(key)) return { kind: 'missing', file }
  if (target.module.source.broken) return { kind: 'foreign' }
  seen.add(key)
  const follow = (specifier: string, imported: string): Meaning => {
    const next = target.links.get(specifier)
    if (next === undefined) return { kind: 'foreign' }
    return imported === '*' ? { kind: 'namespace', file: next } : exportedMeaning(graph, tasks, next, imported, seen)
  }
  const own = tasks.get(file)
  const exported = target.module.exports.get(name)
  if (own?.exportNames.includes(name)) return { kind: 'task', task: own.info.name, file }
  const starred = () => throughStars(target.module.stars, name, follow)
  if (own) {
    const exists = exported !== undefined || starred() !== undefined
    return exists ? { kind: 'beside-task', task: own.info.name, file } : { kind: 'missing', file }
  }
  if (exported?.kind === 'from') return follow(exported.specifier, exported.imported)
  if (exported?.kind === 'local') {
    const imported = target.module.imports.get(exported.local)
    return imported ? follow(imported.specifier, imported.imported) : { kind: 'value', file, local: exported.local }
  }
  return exported ? { kind: 'value', file, local: 'default' } : (starred() ?? { kind: 'missing', file })
}

function throughStars(
  stars: readonly string[],
  name: string,
  follow: (specifier: string, name: string) => Meaning,
): Meaning | undefined {
  if (name === 'default') return undefined
  return stars.map((star) => follow(star, name)).find((meaning) => meaning.kind !== 'missing')
}

/** Everything that the namespace of a file holds. */
export function namespaceMeanings(graph: Graph, tasks: TaskFiles, file: string, seen = new Set<string>()): Meaning[] {
  const target = graph.files.get(file)
  if (!target || seen.has(file)) return []
  seen.add(file)
  const found: Meaning[] = []
  for (const name of target.module.exports.keys()) {
    const meaning = exportedMeaning(graph, tasks, file, name, new Set())
    if (meaning.kind === 'namespace') found.push(...namespaceMeanings(graph, tasks, meaning.file, seen))
    else found.push(meaning)
  }
  for (const star of target.module.stars) {
    const next = target.links.get(star)
    if (next !== undefined) found.push(...namespaceMeanings(graph, tasks, next, seen))
  }
  return found
}
