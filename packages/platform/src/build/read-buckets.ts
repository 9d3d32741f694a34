import { suggest } from 'fusionize'
import type { BucketInfo, TaskName } from 'fusionize/setup'
import { triggerProblem } from './check-trigger.js'
import type { Call } from './definitions.js'
import type { TaskFiles } from './exports.js'
import type { BucketFiles } from './find-buckets.js'
import type { Graph, GraphFile } from './graph.js'
import { namedBy, type Place, writtenOut } from './names.js'
import { type BuildProblem, compare } from './problems.js'
import { constantAt, isFusibleTrigger, readTrigger } from './read-trigger.js'
import { reportIn } from './report.js'
import type { AnyNode } from './source.js'

/** A bucket with what its triggers start; who puts there is another question. */
export type WiredBucket = Omit<BucketInfo, 'producers'>

/** What the definitions of an app's buckets say. */
export interface Wiring {
  /** In order of name. */
  buckets: WiredBucket[]
  /** By file, the expressions that only tell what a trigger is: a task named in them is not used there. */
  definitions: Map<string, AnyNode[]>
}

/** Reads the triggers of all buckets; what is wrong with them is added to `problems`. */
export function wireBuckets(graph: Graph, tasks: TaskFiles, buckets: BucketFiles, problems: BuildProblem[]): Wiring {
  const wiring: Wiring = { buckets: [], definitions: new Map() }
  for (const [path, defined] of buckets)
    for (const definition of defined) {
      const { name, file, line, triggers } = definition
      const bucket: WiredBucket = { name, file, line, triggers: [], fusible: true }
      for (const on of triggers) {
        const passed: Place[] = [{ path, node: on }]
        wireTrigger(bucket, on, passed)
        for (const place of passed)
          wiring.definitions.set(place.path, [...(wiring.definitions.get(place.path) ?? []), place.node])
      }
      wiring.buckets.push(bucket)
    }
  wiring.buckets.sort((a, b) => compare(a.name, b.name))
  return wiring

  function wireTrigger(bucket: WiredBucket, on: Call, passed: Place[]): void {
    const { path } = passed[0] as Place
    const source = (graph.files.get(path) as GraphFile).module.source
    const [first, second] = on.arguments
    if (!first || !second) {
      wrong(bucket, { path, node: on }, "'.on' needs a trigger and a task", 'write .on(immediate(), detect)')
      return
    }
    const trigger = source.text.slice(first.start, first.end).replace(/\s+/g, ' ')
    const onIncomplete = readWhen(bucket, { path, node: first }, passed)
    const task = taskNamed({ path, node: second })
    if (task === undefined) {
      const text = source.text.slice(second.start, second.end).replace(/\s+/g, ' ')
      wrong(
        bucket,
        { path, node: second },
        `${text} is no task that the build can find`,
        'import a task and give it as the second argument',
      )
    } else starts(bucket, { path, node: second }, trigger, task)
    if (onIncomplete) starts(bucket, onIncomplete.place, trigger, onIncomplete.task)
  }

  function starts(bucket: WiredBucket, at: Place, trigger: string, task: TaskName): void {
    const result = [...tasks.values()].find(({ info }) => info.name === task)?.info.result
    if (result !== undefined)
      wrong(
        bucket,
        at,
        `task '${task}' answers from bucket '${result}', so only requests from outside can start it`,
        'move what both need into a task of its own, and start that',
      )
    bucket.triggers.push({ trigger, task })
  }

  /** Notes whether the trigger leaves the bucket fusible; returns the task of `onIncomplete`. */
  function readWhen(bucket: WiredBucket, trigger: Place, passed: Place[]) {
    if (taskNamed(trigger) !== undefined || constantAt(graph, trigger) !== 'notConstant') {
      wrong(bucket, trigger, "the first argument of '.on' is no trigger", 'write .on(immediate(), detect)')
      return undefined
    }
    const source = readTrigger(graph, tasks, trigger, passed)
    if (!source || !isFusibleTrigger(graph, source)) bucket.fusible = false
    if (!source) return undefined
    const problem = triggerProblem(graph, tasks, source)
    if (problem) wrong(bucket, { path: source.path, node: source.call }, problem.message, problem.remedy)
    const incomplete = source.options?.get('onIncomplete')
    const task = incomplete && incompleteTask(bucket, incomplete)
    return incomplete && task !== undefined ? { place: incomplete, task } : undefined
  }

  function incompleteTask(bucket: WiredBucket, place: Place): TaskName | undefined {
    const task = taskNamed(place)
    const constant = task === undefined ? constantAt(graph, place) : { value: task }
    const name = constant === 'notConstant' ? undefined : constant.value
    if (constant !== 'notConstant' && name === undefined) return undefined
    const known = [...tasks.values()].map((file) => file.info.name)
    if (typeof name === 'string' && known.includes(name)) return name
    const what =
      typeof name === 'string'
        ? `'${name}', which is no task${suggest(name, known)}`
        : 'no task that the build can find'
    wrong(bucket, place, `onIncomplete is ${what}`, 'give an imported task, or the name of one')
    return undefined
  }

  function taskNamed(place: Place): TaskName | undefined {
    const meaning = namedBy(graph, tasks, writtenOut(graph, tasks, place))
    return meaning?.kind === 'task' ? meaning.task : undefined
  }

  function wrong({ name }: WiredBucket, { path, node }: Place, message: string, remedy: string): void {
    const report = reportIn((graph.files.get(path) as GraphFile).module.source, problems)
    report('bucket-trigger', node, `bucket '${name}': ${message}`, remedy)
  }
}
