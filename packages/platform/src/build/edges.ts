import { type BucketInfo, type BucketName, type Mode, modes, type StaticEdge, type TaskName } from 'fusionize/setup'
import type { TaskFiles } from './exports.js'
import type { Graph } from './graph.js'
import { compare } from './problems.js'
import type { WiredBucket } from './read-buckets.js'
import type { BucketUse, FileUses } from './task-uses.js'

/** What a task does with tasks and buckets, in its own file and in the helper files that it reaches without passing another task. */
export interface TaskUses {
  tasks: Map<TaskName, Set<Mode>>
  buckets: Map<BucketName, Set<BucketUse['does']>>
}

/** What every task does, by name. */
export function usesByTask(
  graph: Graph,
  tasks: TaskFiles,
  uses: ReadonlyMap<string, FileUses>,
): Map<TaskName, TaskUses> {
  const found = new Map<TaskName, TaskUses>()
  for (const [path, { info }] of tasks) {
    const own: TaskUses = { tasks: new Map(), buckets: new Map() }
    for (const file of ownFiles(graph, tasks, path)) {
      for (const use of uses.get(file)?.tasks ?? []) for (const mode of use.modes) add(own.tasks, use.task, mode)
      for (const { bucket, does } of uses.get(file)?.buckets ?? []) add(own.buckets, bucket, does)
    }
    found.set(info.name, own)
  }
  return found
}

/** Whether a task calls a task or does anything with a bucket. */
export function isBusy(uses: TaskUses): boolean {
  return uses.tasks.size > 0 || usesBuckets(uses)
}

/** Whether a task does anything with a bucket. */
export function usesBuckets({ buckets }: TaskUses): boolean {
  const does = [...buckets.values()].flatMap((all) => [...all])
  return does.some((what) => what !== 'result' && what !== 'bucketName')
}

/** The buckets with the tasks that may put there, or do what else makes a trigger fire. */
export function withProducers(buckets: readonly WiredBucket[], uses: ReadonlyMap<TaskName, TaskUses>): BucketInfo[] {
  const feeds = ({ buckets }: TaskUses, name: BucketName) =>
    (['put', 'expect', 'source', 'value'] as const).some((does) => buckets.get(name)?.has(does))
  return buckets.map(({ fusible, ...bucket }) => {
    const producers = [...uses].filter(([, own]) => feeds(own, bucket.name)).map(([task]) => task)
    return { ...bucket, producers: producers.sort(compare), fusible }
  })
}

/** Every call that a task can make, and every task that it can start through a bucket. */
export function staticEdges(uses: ReadonlyMap<TaskName, TaskUses>, buckets: readonly BucketInfo[]): StaticEdge[] {
  return [...uses]
    .flatMap(([from, own]) => {
      const through = startedBy(from, buckets)
      return [...new Set([...own.tasks.keys(), ...through.keys()])].map((to) =>
        edgeOf(from, to, own.tasks.get(to) ?? new Set(), through.get(to)),
      )
    })
    .sort((a, b) => compare(a.from, b.from) || compare(a.to, b.to))
}

function edgeOf(
  from: TaskName,
  to: TaskName,
  called: ReadonlySet<Mode>,
  buckets: ReadonlySet<BucketName> | undefined,
): StaticEdge {
  return {
    from,
    to,
    modes: modes.filter((mode) => called.has(mode) || (buckets && mode === 'send')),
    ...(buckets && { buckets: [...buckets].sort(compare) }),
    ...(buckets && called.has('send') && { sends: true }),
  }
}

/** The tasks that a task's puts may start, with the buckets. */
function startedBy(task: TaskName, buckets: readonly BucketInfo[]): Map<TaskName, Set<BucketName>> {
  const started = new Map<TaskName, Set<BucketName>>()
  for (const { name, producers, triggers } of buckets)
    if (producers.includes(task)) for (const trigger of triggers) add(started, trigger.task, name)
  return started
}

function add<K, V>(sets: Map<K, Set<V>>, key: K, value: V): void {
  const known = sets.get(key)
  if (known) known.add(value)
  else sets.set(key, new Set([value]))
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
