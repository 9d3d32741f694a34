import { type InvocationRecord, spanOf } from 'fusionize/record'
import type { App } from 'fusionize/setup'
import { figuresOf } from '../profile/spans.js'
import { lengthOf } from '../statistics/intervals.js'
import { recordedRequests } from './recorded-requests.js'
import { type OwnSplit, type RecordedRun, runOf, scriptOf } from './recorded-script.js'
import type { Behaviour, BehaviourStep, SimulatedPlatform, TaskBehaviour } from './types.js'

export interface RecordedBehaviourOptions {
  app: App
  /** How the platform that recorded held sandboxes to their share of CPU. */
  cpu: SimulatedPlatform['cpu']
  mbPerCore: number
}

/** CPU above own time by this factor is that of several threads. */
const SEVERAL_THREADS = 1.15
/** In less CPU time, what the runtime does beside the task is too much of it to tell, ms. */
const LEAST_MS_OF_THREADS = 0.5

interface Found extends RecordedRun {
  request: number
  ownMs: number
  ownCpuMs: number | undefined
  started: Map<string, string[]>
}

/**
 * What tasks do, from what they did: each recorded run is a script to draw from, and a simulated request follows the runs of one recorded request
 * wherever it can. Own time is CPU where CPU was read (for other runs: as much as the task's mean), waiting else; time in which the recording platform held the sandbox back is neither. Runs in a sandbox that had just started
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
  const tasks = Object.keys(app.tasks).map((task): [string, TaskBehaviour] => {
    const [first, later] = [cold.get(task) ?? [], warm.get(task) ?? []]
    const usual = later.length > 0 ? later : first
    if (usual.length === 0) return [task, { scripts: [[]] }]
    usual.sort((a, b) => a.request - b.request || a.record.start - b.record.start || a.index - b.index)
    const behaviour: TaskBehaviour = {
      scripts: scriptsOf(usual, options),
      requestOf: usual.map(({ request }) => request),
    }
    if (later.length > 0 && first.length > 0) behaviour.firstScripts = scriptsOf(first, options)
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
  return figuresOf(record).flatMap(({ ran, ownCpuMs }, i) => {
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
    return [{ ...run, request, ownMs: lengthOf(run.own), ownCpuMs, started }]
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

function scriptsOf(runs: readonly Found[], options: RecordedBehaviourOptions): BehaviourStep[][] {
  const sampled = runs.filter((run) => run.ownCpuMs !== undefined)
  const cpuMs = sum(sampled.map((run) => run.ownCpuMs ?? 0))
  const ownMs = sum(sampled.map((run) => run.ownMs))
  const threads = ownMs > 0 && cpuMs > SEVERAL_THREADS * ownMs ? Math.ceil(cpuMs / ownMs) : 1
  // Runs of a task differ more in what they wait for than in what they compute.
  const mean = sampled.length > 0 ? cpuMs / sampled.length : 0
  return runs.map((run) => {
    const own = run.ownCpuMs ?? Math.min(mean, run.ownMs * threads)
    return scriptOf(run, splitOf(run, own, threads, options), run.started)
  })
}

/** What is left of the own time when the CPU time and the stops that it brought are taken off was waiting. */
function splitOf(
  { record, ownMs }: Found,
  readMs: number,
  usual: number,
  { cpu, mbPerCore }: RecordedBehaviourOptions,
): OwnSplit {
  const vcpus = record.memory / mbPerCore
  const isLong = readMs >= LEAST_MS_OF_THREADS
  const threads = isLong ? Math.max(usual, Math.ceil(readMs / Math.max(ownMs, 1e-9) - (SEVERAL_THREADS - 1))) : 1
  const cpuMs = isLong ? readMs : Math.min(readMs, ownMs)
  return { cpuMs, threads, waitMs: Math.max(0, ownMs - computingMs(cpuMs, threads, vcpus, cpu)) }
}

/** Ms that work takes in a sandbox with so many cores: with a quota, a stop for each whole quota used before the last. */
function computingMs(cpuMs: number, threads: number, vcpus: number, cpu: SimulatedPlatform['cpu']): number {
  if (cpu.kind === 'none') return cpuMs / threads
  if (cpu.kind === 'even') return cpuMs / Math.min(threads, vcpus)
  const quotaMs = vcpus * cpu.periodMs
  if (vcpus >= threads) return cpuMs / threads
  const stops = Math.max(0, Math.ceil(cpuMs / quotaMs) - 1)
  return cpuMs / threads + stops * Math.max(0, cpu.periodMs - quotaMs / threads)
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0)
}
