import { join, resolve } from 'node:path'
import type { App } from 'fusionize/setup'
import { checkApp } from './check-app.js'
import { staticEdges } from './edges.js'
import type { TaskFiles } from './exports.js'
import { findTask, type TaskFile } from './find-task.js'
import { type Graph, type ModuleCache, readGraph } from './graph.js'
import { BuildError, type BuildProblem, compare } from './problems.js'
import { codeFiles } from './task-dirs.js'
import { fileUses } from './task-uses.js'

/** The application as its source describes it, and the source itself. */
export interface Scan {
  app: App
  graph: Graph
  tasks: TaskFiles
}

/** The application's code as it is read, before it is understood. */
export interface Reading {
  graph: Graph
  problems: BuildProblem[]
}

/** Reads the files in the folders of tasks and all that they import from the app; runs none of it. */
export async function readApp(appDir: string, taskDirs: readonly string[], cache: ModuleCache): Promise<Reading> {
  const problems: BuildProblem[] = []
  const roots = (await Promise.all(taskDirs.map((dir) => codeFiles(resolve(appDir, dir))))).flat()
  return { graph: await readGraph(appDir, [...new Set(roots)], cache, problems), problems }
}

/**
 * Finds the tasks and the calls between them.
 * @throws {BuildError} with every mistake found, those of the reading included
 */
export function describeApp(
  { name, taskDirs }: { name: string; taskDirs: readonly string[] },
  { graph, problems: found }: Reading,
): Scan {
  const problems = [...found]
  const tasks = new Map<string, TaskFile>()
  for (const [path, { module }] of graph.files) {
    const task = findTask(module, graph.roots.has(path), problems)
    if (task) tasks.set(path, task)
  }
  if (tasks.size === 0 && problems.length === 0) problems.push(noTasks(taskDirs))
  const uses = new Map([...graph.files.keys()].map((path) => [path, fileUses(graph, tasks, path)]))
  problems.push(...checkApp(graph, tasks, uses))
  if (problems.length > 0) throw new BuildError(problems)
  const infos = [...tasks.values()].map((file) => file.info).sort((a, b) => compare(a.name, b.name))
  const edges = staticEdges(graph, tasks, uses)
  return { app: { name, tasks: Object.fromEntries(infos.map((info) => [info.name, info])), edges }, graph, tasks }
}

function noTasks(taskDirs: readonly string[]): BuildProblem {
  const where = taskDirs.map((dir) => join(dir, '/')).join(', ')
  return {
    kind: 'no-tasks',
    file: taskDirs[0] ?? '.',
    line: 1,
    column: 1,
    message: `no file in ${where} defines a task`,
    remedy: `create one with: import { task } from 'fusionize'; export default task('hello', async (name: string) => \`Hello \${name}\`)`,
  }
}
