import { type InvocationRecord, spanOf } from 'fusionize/record'
import type { App } from 'fusionize/setup'
import { figuresOf } from '../profile/spans.js'
import { lengthOf } from '../statistics/intervals.js'
import { computingMs } from './cpu-time.js'
import { recordedRequests } from './recorded-requests.js'
import { type RecordedRun, runOf, scriptOf } from './recorded-script.js'
import type { Behaviour, BehaviourStep, SimulatedPlatform, TaskBehaviour } from './types.js'

export interface RecordedBehaviourOptions {
  app: App
  /** How the platform that recorded held sandboxes to their share of CPU. */
  cpu: SimulatedPlatform['cpu']
  mbPerCore: number
}

/** CPU above own time by this factor is that of several threads. */
const SEVERAL_THREADS = 1.15
/** In less CPU time, what the runtime does beside the task, and as much for each remote call, is too much of it to tell, ms. */
const LEAST_MS_OF_THREADS = 0.5

interface Found extends RecordedRun {
  request: number
  ownMs: number
  ownCpuMs: number | undefined
  started: Map<string, string[]>
}

/**
 * What tasks do, from what they did: each recorded run is a script to draw from, and a simulated request follows the runs of one recorded request
 * wherever it can. Own time is CPU where CPU was read (for other runs: where it was in the task's run that took as long), waiting else; time in which the recording platform held the sandbox back is neither. Runs in a sandbox that had just started
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

interface Computed {
  cpuMs: number
  threads: number
}

function scriptsOf(runs: readonly Found[], { cpu, mbPerCore }: RecordedBehaviourOptions): BehaviourStep[][] {
  const computed = computedBy(runs)
  const beyond = runs.map(({ ownMs }, i) => {
    const { cpuMs, threads } = computed[i] as Computed
    return Math.max(0, ownMs - cpuMs / threads)
  })
  const stops = runs.map(({ record }, i) => {
    const { cpuMs, threads } = computed[i] as Computed
    return computingMs(cpuMs, threads, record.memory / mbPerCore, cpu) - cpuMs / threads
  })
  // A stop comes by chance, so nobody can tell a run's from its waiting: each has the share of them that all have.
  const all = sum(beyond)
  const waited = all > 0 ? Math.max(0, 1 - sum(stops) / all) : 0
  return runs.map((run, i) =>
    scriptOf(run, { ...(computed[i] as Computed), waitMs: (beyond[i] as number) * waited }, run.started),
  )
}

/** What runs computed: of those whose CPU time was not read, as much as the one that took as long in which it was. */
function computedBy(runs: readonly Found[]): Computed[] {
  const read = runs.filter((run) => run.ownCpuMs !== undefined).sort((a, b) => a.ownMs - b.ownMs)
  const long = read.filter(isLong)
  const [cpuMs, ownMs] = [sum(long.map(({ ownCpuMs }) => ownCpuMs ?? 0)), sum(long.map((run) => run.ownMs))]
  const usual = ownMs > 0 && cpuMs > SEVERAL_THREADS * ownMs ? Math.ceil(cpuMs / ownMs) : 1
  return runs.map((run) => {
    const alike = run.ownCpuMs === undefined ? read[nearest(read, run.ownMs)] : run
    const readMs = alike?.ownCpuMs ?? 0
    if (!alike || !isLong(alike)) return { cpuMs: Math.min(readMs, run.ownMs), threads: 1 }
    const threads = Math.max(usual, Math.ceil(readMs / Math.max(alike.ownMs, 1e-9) - (SEVERAL_THREADS - 1)))
    return { cpuMs: Math.min(readMs, run.ownMs * threads), threads }
  })
}

/** More than what the runtime does beside the task, for itself and for each call that it hands over. */
function isLong({ ownCpuMs = 0, calls }: Found): boolean {
  return ownCpuMs >= LEAST_MS_OF_THREADS * (1 + calls.filter(({ route }) => route === 'remote').length)
}

/** @param sorted by own time */
function nearest(sorted: readonly Found[], ownMs: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as Found).ownMs < ownMs) low = middle + 1
    else high = middle
  }
  const gap = (i: number) => Math.abs((sorted[i]?.ownMs ?? Number.POSITIVE_INFINITY) - ownMs)
  return gap(low - 1) <= gap(low) ? low - 1 : low
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0)
}
