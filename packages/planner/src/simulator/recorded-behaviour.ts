import { type InvocationRecord, spanOf } from 'fusionize/record'
import type { App } from 'fusionize/setup'
import { figuresOf } from '../profile/spans.js'
import { lengthOf } from '../statistics/intervals.js'
import { type RecordingMachine, splitOf, type TimedRun } from './own-split.js'
import { recordedRequests } from './recorded-requests.js'
import { type OwnSplit, runOf, scriptOf } from './recorded-script.js'
import { sharedCpuMs } from './shared-cpu.js'
import type { Behaviour, BehaviourStep, TaskBehaviour } from './types.js'

export interface RecordedBehaviourOptions extends RecordingMachine {
  app: App
}

interface Found extends TimedRun {
  request: number
  started: Map<string, string[]>
}

/**
 * What tasks do, from what they did: each recorded run is a script to draw from, and a simulated request follows the runs of one recorded request
 * wherever it can. Own time is CPU where CPU was read (for other runs: where it was in the task's run that took as long), waiting else; time in which the recording platform held the sandbox back, or its machine had no core for it, is neither. Runs in a sandbox that had just started
 * are scripts of their own. Retries are left out, and so are payload sizes; the time that a put took is own time.
 *
 * @param records without duplicates, in any order
 * @returns the behaviour, and the tasks of the app that never ran: they get an empty script
 */
export function recordedBehaviour(
  records: readonly InvocationRecord[],
  options: RecordedBehaviourOptions,
): { behaviour: Behaviour; neverRan: string[] } {
  const { app } = options
  const requests = recordedRequests(records)
  const startedBy = firingsOf(records)
  const warm = new Map<string, Found[]>()
  const cold = new Map<string, Found[]>()
  for (const record of records) {
    const request = requests.get(record.session)?.number
    if (record.attempt > 1 || request === undefined) continue
    const into = record.cold === null ? warm : cold
    for (const run of runsOf(record, request, startedBy)) {
      const known = into.get(run.span.task)
      if (known) known.push(run)
      else into.set(run.span.task, [run])
    }
  }
  const split = splitOf([...warm.values(), ...cold.values()], options)
  const tasks = Object.keys(app.tasks).map((task): [string, TaskBehaviour] => {
    const [first, later] = [cold.get(task) ?? [], warm.get(task) ?? []]
    const usual = later.length > 0 ? later : first
    if (usual.length === 0) return [task, { scripts: [[]] }]
    usual.sort((a, b) => a.request - b.request || a.record.start - b.record.start || a.index - b.index)
    const behaviour: TaskBehaviour = {
      scripts: scriptsOf(usual, split),
      requestOf: usual.map(({ request }) => request),
    }
    if (later.length > 0 && first.length > 0) behaviour.firstScripts = scriptsOf(first, split)
    return [task, behaviour]
  })
  const neverRan = Object.keys(app.tasks).filter((task) => !warm.has(task) && !cold.has(task))
  const numbers: Record<string, number[]> = {}
  for (const { number, task } of requests.values()) {
    numbers[task] ??= []
    numbers[task].push(number)
  }
  return { behaviour: { app, tasks: Object.fromEntries(tasks), requests: numbers }, neverRan }
}

function runsOf(
  record: InvocationRecord,
  request: number,
  startedBy: ReadonlyMap<string, [string, string][]>,
): Found[] {
  const children: number[][] = record.spans.map(() => [])
  for (const [i, span] of record.spans.entries()) if (span.parent >= 0) children[span.parent]?.push(i)
  const inline = new Map(record.firings?.map(({ span, fired }) => [span, fired.bucket]))
  const figures = figuresOf(record)
  const overlap = record.cpu !== undefined && figures.some(({ ran, ownCpuMs }) => ran && ownCpuMs === undefined)
  const shared = overlap ? sharedCpuMs(record) : []
  return figures.flatMap(({ ran, ownCpuMs }, i) => {
    if (!ran) return []
    const own = children[i] as number[]
    const started = new Map<string, string[]>()
    const add = (bucket: string, task: string) => started.set(bucket, [...(started.get(bucket) ?? []), task])
    for (const [bucket, task] of startedBy.get(`${record.span} ${i}`) ?? []) add(bucket, task)
    for (const k of own) {
      const bucket = inline.get(k)
      const task = record.spans[k]?.task
      if (bucket !== undefined && task !== undefined) add(bucket, task)
    }
    const run = runOf(record, i, own)
    return [{ ...run, request, ownMs: lengthOf(run.own), ownCpuMs: ownCpuMs ?? shared[i], started }]
  })
}

/** What buckets started as invocations of their own, by the span that put last. */
function firingsOf(records: readonly InvocationRecord[]): Map<string, [bucket: string, task: string][]> {
  const found = new Map<string, [string, string][]>()
  for (const { fired, parent, task, attempt } of records) {
    if (!fired || parent === null || attempt > 1) continue
    const { root, index } = spanOf(parent)
    const key = `${root} ${index}`
    found.set(key, [...(found.get(key) ?? []), [fired.bucket, task]])
  }
  return found
}

function scriptsOf(runs: readonly Found[], split: ReadonlyMap<Found, OwnSplit>): BehaviourStep[][] {
  return runs.map((run) => scriptOf(run, split.get(run) as OwnSplit, run.started))
}
