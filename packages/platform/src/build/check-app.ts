import { loads } from './edges.js'
import type { TaskFiles } from './exports.js'
import type { BucketFiles } from './find-buckets.js'
import type { Graph, GraphFile } from './graph.js'
import type { BuildProblem } from './problems.js'
import { compare } from './problems.js'
import { locate } from './source.js'
import type { FileUses } from './task-uses.js'

/** The mistakes that show only when all files are known. */
export function checkApp(
  graph: Graph,
  tasks: TaskFiles,
  buckets: BucketFiles,
  uses: ReadonlyMap<string, FileUses>,
): BuildProblem[] {
  return [
    ...duplicateNames(tasks, graph),
    ...duplicateRoutes(tasks, graph),
    ...[...uses].flatMap(([path, found]) => [
      ...badImports(graph, path, found),
      ...tooEarly(graph, tasks, buckets, path, found),
    ]),
  ]
}

function duplicateNames(tasks: TaskFiles, graph: Graph): BuildProblem[] {
  return repeated(tasks, (file) => file.info.name).map(({ value, path, first }) => ({
    kind: 'duplicate-task',
    ...atTask(graph, tasks, path),
    message: `task '${value}' is defined a second time (first in ${first})`,
    remedy: 'rename one of them: a task is known by its name',
  }))
}

function duplicateRoutes(tasks: TaskFiles, graph: Graph): BuildProblem[] {
  const route = (http: { method: string; path: string } | undefined) =>
    http && `${http.method} ${http.path.replace(/:[^/]+/g, ':')}`
  return repeated(tasks, (file) => route(file.info.http)).map(({ path, first }) => {
    const { name, http } = tasks.get(path)?.info ?? {}
    return {
      kind: 'duplicate-route',
      ...atTask(graph, tasks, path),
      message: `task '${name}' answers '${http?.method} ${http?.path}', and so does the task in ${first}`,
      remedy: 'change the method or the path of one of them',
    }
  })
}

function repeated(tasks: TaskFiles, key: (file: NonNullable<ReturnType<TaskFiles['get']>>) => string | undefined) {
  const firsts = new Map<string, string>()
  const found: { value: string; path: string; first: string }[] = []
  for (const [path, file] of [...tasks].sort((a, b) => compare(a[1].info.file, b[1].info.file))) {
    const value = key(file)
    if (value === undefined) continue
    const first = firsts.get(value)
    if (first !== undefined) found.push({ value, path, first })
    else firsts.set(value, file.info.file)
  }
  return found
}

function atTask(graph: Graph, tasks: TaskFiles, path: string) {
  return locate((graph.files.get(path) as GraphFile).module.source, tasks.get(path)?.start ?? 0)
}

function badImports(graph: Graph, path: string, uses: FileUses): BuildProblem[] {
  const { source } = (graph.files.get(path) as GraphFile).module
  return uses.imports.flatMap(({ binding, name, meaning }): BuildProblem[] => {
    if (meaning.kind !== 'beside-task' && meaning.kind !== 'missing') return []
    const from = graph.files.get(meaning.file)?.module.source.path ?? meaning.file
    return meaning.kind === 'missing'
      ? [missingExport(from, name, locate(source, binding.start))]
      : [
          {
            kind: 'non-task-import',
            ...locate(source, binding.start),
            message: `${source.path} imports '${name}' from ${from}, which may run in another function: only its task '${meaning.task}' can be imported`,
            remedy: `move '${name}' into a file of its own that both import`,
          },
        ]
  })
}

function missingExport(from: string, name: string, at: { file: string; line: number; column: number }): BuildProblem {
  return {
    kind: 'missing-export',
    ...at,
    message: `${from} has no export '${name}'`,
    remedy: 'correct the name, or export it there',
  }
}

/** Calls and mentions of tasks that happen while modules load, when a task may not be defined yet. */
function tooEarly(graph: Graph, tasks: TaskFiles, buckets: BucketFiles, path: string, uses: FileUses): BuildProblem[] {
  const { source } = (graph.files.get(path) as GraphFile).module
  return uses.tasks.flatMap(({ task, start, atLoad, called }): BuildProblem[] => {
    if (!atLoad) return []
    if (called)
      return [
        {
          kind: 'called-before-definition',
          ...locate(source, start),
          message: `task '${task}' is called while the file loads, before any request`,
          remedy: 'call it inside a task',
        },
      ]
    const defining = [...tasks].find(([, file]) => file.info.name === task)?.[0]
    if (defining === undefined || defining === path || !loads(graph, defining, path)) return []
    return [
      {
        kind: 'used-before-definition',
        ...locate(source, start),
        message: `task '${task}' is used while the file loads, but ${locateTask(tasks, defining)} imports this file in turn, so the task may not be defined yet`,
        remedy: buckets.has(path)
          ? "import the bucket where the task uses it, as in const { frames } = await import('…'), or break the cycle of imports"
          : 'use it inside a function, or break the cycle of imports',
      },
    ]
  })
}

function locateTask(tasks: TaskFiles, path: string): string {
  return tasks.get(path)?.info.file ?? path
}
