import { type InvocationRecord, spanOf } from 'fusionize/record'
import type { App } from 'fusionize/setup'
import { figuresOf } from '../profile/spans.js'
import { lengthOf } from '../statistics/intervals.js'
import { type OwnSplit, type RecordedRun, runOf, scriptOf } from './recorded-script.js'
import type { Behaviour, BehaviourStep, SimulatedPlatform, TaskBehaviour } from './types.js'

export interface RecordedBehaviourOptions {
  app: App
  /** How the platform that recorded held sandboxes to their share of CPU. */
  cpu: SimulatedPlatform['cpu']
  mbPerCore: number
  /** Scripts of a task at most; of more runs, evenly many are left out. @default 2000 */
  scriptsPerTask?: number
}

/** Tasks whose CPU was read in so many runs need no others. */
const ENOUGH_RUNS = 50
/** CPU above own time by this factor is that of several threads. */
const SEVERAL_THREADS = 1.15

interface Found extends RecordedRun {
  ownMs: number
  ownCpuMs: number | undefined
  started: Map<string, string[]>
}

/**
 * What tasks do, from what they did: each recorded run is a script to draw from. Own time is CPU where CPU was read (for other runs: the task's
 * mean share), waiting else; time in which the recording platform held the sandbox back is neither. Runs in a sandbox that had just started
 * are scripts of their own. Retries are left out, and so are payload sizes; the time that a put took is own time.
 *
 * @param records without duplicates, in any order
 * @returns the behaviour, and the tasks of the app that never ran: they get an empty script
 */
export function recordedBehaviour(
  records: readonly InvocationRecord[],
  options: RecordedBehaviourOptions,
): { behaviour: Behaviour; neverRan: string[] } {
  const { app, scriptsPerTask = 2000 } = options
  const startedBy = firingsOf(records)
  const warm = new Map<string, Found[]>()
  const cold = new Map<string, Found[]>()
  for (const record of records) {
    if (record.attempt > 1) continue
    const into = record.cold === null ? warm : cold
    for (const run of runsOf(record, startedBy)) {
      const known = into.get(run.span.task)
      if (known) known.push(run)
      else into.set(run.span.task, [run])
    }
  }
  const tasks = Object.keys(app.tasks).map((task): [string, TaskBehaviour] => {
    const [first, later] = [cold.get(task) ?? [], warm.get(task) ?? []]
    const usual = later.length > 0 ? later : first
    if (usual.length === 0) return [task, { scripts: [[]] }]
    const scripts = scriptsOf(usual, options, scriptsPerTask)
    return [
      task,
      later.length > 0 && first.length > 0
        ? { scripts, firstScripts: scriptsOf(first, options, scriptsPerTask) }
        : { scripts },
    ]
  })
  const neverRan = Object.keys(app.tasks).filter((task) => !warm.has(task) && !cold.has(task))
  return { behaviour: { app, tasks: Object.fromEntries(tasks) }, neverRan }
}

function runsOf(record: InvocationRecord, startedBy: ReadonlyMap<string, [string, string][]>): Found[] {
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
    return [{ ...run, ownMs: lengthOf(run.own), ownCpuMs, started }]
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

function scriptsOf(runs: readonly Found[], options: RecordedBehaviourOptions, limit: number): BehaviourStep[][] {
  const sampled = runs.filter((run) => run.ownCpuMs !== undefined)
  const used = sampled.length >= ENOUGH_RUNS ? sampled : runs
  const cpuMs = sum(sampled.map((run) => run.ownCpuMs ?? 0))
  const ownMs = sum(sampled.map((run) => run.ownMs))
  const share = ownMs > 0 ? cpuMs / ownMs : 0
  const threads = share > SEVERAL_THREADS ? Math.ceil(share) : 1
  const step = Math.max(1, used.length / limit)
  return Array.from({ length: Math.min(limit, used.length) }, (_, i) => {
    const run = used[Math.floor(i * step)] as Found
    return scriptOf(run, splitOf(run, run.ownCpuMs ?? run.ownMs * share, threads, options), run.started)
  })
}

/** What is left of the own time when the CPU time and the stops that it brought are taken off was waiting. */
function splitOf(
  { record, ownMs }: Found,
  cpuMs: number,
  threads: number,
  { cpu, mbPerCore }: RecordedBehaviourOptions,
): OwnSplit {
  const vcpus = record.memory / mbPerCore
  const several = Math.max(threads, Math.ceil(cpuMs / Math.max(ownMs, 1e-9) - (SEVERAL_THREADS - 1)))
  const used = Math.min(several, 64)
  return { cpuMs, threads: used, waitMs: Math.max(0, ownMs - computingMs(cpuMs, used, vcpus, cpu)) }
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
