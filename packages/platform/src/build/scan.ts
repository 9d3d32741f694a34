import { join, resolve } from 'node:path'
import type { App, TaskName } from 'fusionize/setup'
import { checkApp } from './check-app.js'
import { checkBuckets, resolveResults } from './check-buckets.js'
import { isBusy, staticEdges, type TaskUses, usesBuckets, usesByTask, withProducers } from './edges.js'
import type { TaskFiles } from './exports.js'
import { type BucketDefinition, type BucketFiles, findBuckets } from './find-buckets.js'
import { findTask, type TaskFile } from './find-task.js'
import { type Graph, type ModuleCache, readGraph } from './graph.js'
import { BuildError, type BuildProblem, compare } from './problems.js'
import { wireBuckets } from './read-buckets.js'
import { codeFiles } from './task-dirs.js'
import { fileUses } from './task-uses.js'

/** The application as its source describes it, and the source itself. */
export interface Scan {
  app: App
  graph: Graph
  tasks: TaskFiles
  buckets: BucketFiles
  /** Tasks that do something with a task or a bucket. */
  busy: ReadonlySet<TaskName>
  /** Those of `busy` that do something with a bucket. */
  withBuckets: ReadonlySet<TaskName>
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
 * Finds the tasks, the buckets, and the calls and puts between them.
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
  const buckets = new Map<string, BucketDefinition[]>()
  for (const [path, { module }] of graph.files) {
    const found = findBuckets(module, tasks.get(path)?.info.name, problems)
    if (found.length > 0) buckets.set(path, found)
  }
  resolveResults(graph, tasks, buckets, problems)
  const wiring = wireBuckets(graph, tasks, buckets, problems)
  const uses = new Map(
    [...graph.files.keys()].map((path) => [
      path,
      fileUses(graph, tasks, buckets, wiring.definitions.get(path) ?? [], path),
    ]),
  )
  problems.push(...checkApp(graph, tasks, buckets, uses), ...checkBuckets(graph, tasks, buckets, uses))
  if (problems.length > 0) throw new BuildError(problems)
  const infos = [...tasks.values()].map((file) => file.info).sort((a, b) => compare(a.name, b.name))
  const byTask = usesByTask(graph, tasks, uses)
  const bucketInfos = withProducers(wiring.buckets, byTask)
  const app: App = {
    name,
    tasks: Object.fromEntries(infos.map((info) => [info.name, info])),
    edges: staticEdges(byTask, bucketInfos),
  }
  if (bucketInfos.length > 0) app.buckets = Object.fromEntries(bucketInfos.map((info) => [info.name, info]))
  const those = (are: (own: TaskUses) => boolean) =>
    new Set([...byTask].filter(([, own]) => are(own)).map(([task]) => task))
  return { app, graph, tasks, buckets, busy: those(isBusy), withBuckets: those(usesBuckets) }
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
