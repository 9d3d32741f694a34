import { loads } from './edges.js'
import type { TaskFiles } from './exports.js'
import type { BucketDefinition, BucketFiles } from './find-buckets.js'
import type { Graph, GraphFile } from './graph.js'
import { bucketMeant, namedBy } from './names.js'
import { type BuildProblem, compare } from './problems.js'
import { locate } from './source.js'
import type { FileUses } from './task-uses.js'

/** The mistakes with buckets that show only when all files are known. */
export function checkBuckets(
  graph: Graph,
  tasks: TaskFiles,
  buckets: BucketFiles,
  uses: ReadonlyMap<string, FileUses>,
): BuildProblem[] {
  return [
    ...duplicateNames(graph, buckets),
    ...[...uses].flatMap(([path, found]) => [
      ...wrongUses(graph, buckets, path, found),
      ...startedAnswers(graph, tasks, path, found),
    ]),
  ]
}

/** Gives the tasks with a `result` its bucket; a result that is none is added to `problems`. */
export function resolveResults(graph: Graph, tasks: TaskFiles, buckets: BucketFiles, problems: BuildProblem[]): void {
  for (const [path, { info, result }] of tasks) {
    if (!result) continue
    const bucket = bucketMeant(buckets, namedBy(graph, tasks, { path, node: result }))
    if (bucket) info.result = bucket.name
    else
      problems.push({
        kind: 'option-value',
        ...locate(sourceOf(graph, path), result.start),
        message: `option 'result' of task '${info.name}' is no bucket that the build can find`,
        remedy: 'import a bucket and give it here',
      })
  }
}

function duplicateNames(graph: Graph, buckets: BucketFiles): BuildProblem[] {
  const all = [...buckets].flatMap(([path, defined]) => defined.map((bucket) => ({ path, bucket })))
  const sorted = all.sort((a, b) => compare(a.bucket.file, b.bucket.file) || a.bucket.start - b.bucket.start)
  const firsts = new Map<string, string>()
  return sorted.flatMap(({ path, bucket: { name, start, file } }): BuildProblem[] => {
    const first = firsts.get(name)
    if (name === '' || first === undefined) {
      firsts.set(name, file)
      return []
    }
    return [
      {
        kind: 'duplicate-bucket',
        ...locate(sourceOf(graph, path), start),
        message: `bucket '${name}' is defined a second time (first in ${first})`,
        remedy: 'rename one of them: a bucket is known by its name',
      },
    ]
  })
}

/** Uses while modules load, and triggers that are added away from the definition. */
function wrongUses(graph: Graph, buckets: BucketFiles, path: string, uses: FileUses): BuildProblem[] {
  return uses.buckets.flatMap(({ bucket, does, start, atLoad }): BuildProblem[] => {
    const at = locate(sourceOf(graph, path), start)
    if (does === 'on')
      return [
        {
          kind: 'bucket-trigger',
          ...at,
          message: `bucket '${bucket}' gets a trigger away from its definition`,
          remedy: 'append .on(…) to the definition: every function and the platform must see the same triggers',
        },
      ]
    if (!atLoad) return []
    if (['put', 'expect', 'source', 'get'].includes(does))
      return [
        {
          kind: 'called-before-definition',
          ...at,
          message: `'${does}' of bucket '${bucket}' is used while the file loads, before any request`,
          remedy: 'use it inside a task',
        },
      ]
    const defining = [...buckets].find(([, defined]) => defined.some(({ name }) => name === bucket))
    if (defining === undefined || defining[0] === path || !loads(graph, defining[0], path)) return []
    const [{ file }] = defining[1] as [BucketDefinition]
    return [
      {
        kind: 'used-before-definition',
        ...at,
        message: `bucket '${bucket}' is used while the file loads, but ${file} imports this file in turn, so the bucket may not be defined yet`,
        remedy: 'use it inside a function, or break the cycle of imports',
      },
    ]
  })
}

/** Tasks that answer from a bucket have nobody else to answer to. */
function startedAnswers(graph: Graph, tasks: TaskFiles, path: string, uses: FileUses): BuildProblem[] {
  const answers = new Map([...tasks.values()].map(({ info }) => [info.name, info.result]))
  return uses.tasks.flatMap(({ task, start, modes, atLoad }): BuildProblem[] => {
    const result = answers.get(task)
    if (result === undefined || modes.length === 0 || atLoad) return []
    return [
      {
        kind: 'result-called',
        ...locate(sourceOf(graph, path), start),
        message: `task '${task}' answers from bucket '${result}', so only requests from outside can start it`,
        remedy: `move what both need into a task of its own, and call that`,
      },
    ]
  })
}

function sourceOf(graph: Graph, path: string) {
  return (graph.files.get(path) as GraphFile).module.source
}
