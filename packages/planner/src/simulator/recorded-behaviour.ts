import { type InvocationRecord, spanOf } from 'fusionize/record'
import type { App } from 'fusionize/setup'
import { figuresOf } from '../profile/spans.js'
import { type Interval, lengthOf } from '../statistics/intervals.js'
import { computingMs } from './cpu-time.js'
import { type Demand, waitsForCores } from './recorded-contention.js'
import { recordedRequests } from './recorded-requests.js'
import { type OwnSplit, type RecordedRun, runOf, scriptOf } from './recorded-script.js'
import type { Behaviour, BehaviourStep, SimulatedPlatform, TaskBehaviour } from './types.js'

export interface RecordedBehaviourOptions {
  app: App
  /** How the platform that recorded held sandboxes to their share of CPU. */
  cpu: SimulatedPlatform['cpu']
  mbPerCore: number
  /** Of the machine on which everything ran; absent: each sandbox had a machine of its own. */
  nodeCores?: number
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

/** How the own time of every run divides. @param sets of runs that are alike */
function splitOf(
  sets: readonly (readonly Found[])[],
  { cpu, mbPerCore, nodeCores = Number.POSITIVE_INFINITY }: RecordedBehaviourOptions,
): Map<Found, OwnSplit> {
  const computed = new Map(sets.flatMap((runs) => computedBy(runs).map((one, i) => [runs[i] as Found, one] as const)))
  const runs = [...computed.keys()]
  const demands = runs.map((run): Demand => {
    const own = run.own.map(([start, end]): Interval => [run.record.start + start, run.record.start + end])
    return { own, rate: run.ownMs > 0 ? Math.min(1, (computed.get(run) as Computed).cpuMs / run.ownMs) : 0 }
  })
  const forCores = Number.isFinite(nodeCores) ? waitsForCores(demands, nodeCores) : demands.map(() => 0)
  const heldUp = new Map(runs.map((run, i) => [run, forCores[i] as number]))
  return new Map(
    sets.flatMap((set) => {
      const of = (run: Found) => computed.get(run) as Computed
      const beyond = set.map((run) => Math.max(0, run.ownMs - of(run).cpuMs / of(run).threads))
      const stops = set.map((run, i) => {
        const { cpuMs, threads } = of(run)
        const stopsMs = computingMs(cpuMs, threads, run.record.memory / mbPerCore, cpu) - cpuMs / threads
        return stopsMs + Math.min(beyond[i] as number, heldUp.get(run) as number)
      })
      // A stop comes by chance, so nobody can tell a run's from its waiting: each has the share of them that all have.
      const all = sum(beyond)
      const waited = all > 0 ? Math.max(0, 1 - sum(stops) / all) : 0
      return set.map((run, i) => [run, { ...of(run), waitMs: (beyond[i] as number) * waited }] as const)
    }),
  )
}

function scriptsOf(runs: readonly Found[], split: ReadonlyMap<Found, OwnSplit>): BehaviourStep[][] {
  return runs.map((run) => scriptOf(run, split.get(run) as OwnSplit, run.started))
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
