import type { App, TaskName } from 'fusionize/setup'
import { timeOf } from '../model/law.js'
import { rankCorrelation } from '../statistics/ranks.js'
import type { RequestTrace } from '../traces/types.js'
import { openOf, structureOf, type TracedRun, type TracedTask } from './traced-structure.js'
import { handOversOf, isCold, peakOf, workOfDriver, workOfRuns } from './traced-work.js'
import type { Shape, Stage, StageEdge, Work, Workflow } from './types.js'

/** A measured application as the WiseFuse and Orion papers see one, and what of it they do not see. */
export interface TracedWorkflow {
  /** The stages that the entry awaits, without the entry itself. */
  workflow: Workflow
  /** The task that requests ask for: it drives the stages and waits for them, which no paper's plan has a decision for. Its function is billed all the while. */
  driver: TaskName
  /** Its own work. */
  driverWork: Work
  /** Requests that the samples are of. */
  requests: number
  /** In words, what of the application is no stage; empty when all is. */
  left: string[]
}

/** Fewer requests without a start-up than this say less than those with one. */
const ENOUGH_WARM = 20

/**
 * A series-parallel workflow from recorded requests, best of a setup with every task in a function of its own: per stage samples of CPU and waiting, memory,
 * degree of parallelism; hand-overs between stages; correlation of neighbours and of workers. Requests may be of several sizes: what computes is told from
 * what waits by the CPU that was read, or by how times differ between sizes. What is called by map, or by several calls at once, is one stage; a caller's own
 * work comes before what it calls.
 * @param traces in the order of their arrivals; those that met a start-up or an error do not count
 * @throws RangeError when no request can be used
 */
export function workflowOf(app: App, traces: readonly RequestTrace[], options: { mbPerCore: number }): TracedWorkflow {
  const sound = traces.filter(({ runs }) => runs.length > 0 && runs.every(({ error }) => error === undefined))
  const warm = sound.filter(({ invocations }) => !invocations.some(isCold))
  const used = warm.length >= ENOUGH_WARM ? warm : sound
  const root = structureOf(used)
  if (!root) throw new RangeError(`no recorded request of '${app.name}' can be used; record some without errors`)
  const samplesOf = (runs: readonly TracedRun[]) => workOfRuns(runs, options.mbPerCore)
  const { work: driverWork, beneathMs } = workOfDriver(root.runs, options.mbPerCore)
  const peaks = new Map(allTasks(root).map((one) => [one.task, peakOf(one.runs)]))
  const known = [...peaks.values()].filter((mb) => mb !== undefined)
  const baseMb = known.length > 0 ? Math.min(...known) : undefined

  const stages: Record<string, Stage> = {}
  const edges: StageEdge[] = []
  const left: string[] = []
  /** One stage and what follows from it, in series. @param before the stages that it follows */
  const add = (node: TracedTask, before: readonly string[]): Shape[] => {
    if (stages[node.task]) return [again(node)]
    const samples = samplesOf(node.runs)
    const peakMb = peaks.get(node.task)
    const stage: Stage = {
      name: node.task,
      dop: node.dop,
      time: { kind: 'work', samples },
      ...(baseMb === undefined || peakMb === undefined ? {} : { baseMb, ownMb: peakMb - baseMb }),
      workerCorrelation: correlationOfWorkers(node, samples),
      bytesIn: mean(node.runs.map(({ run }) => run.bytesIn ?? 0)),
      bytesOut: mean(node.runs.map(({ run }) => run.bytesOut ?? 0)),
    }
    stages[node.task] = stage
    const driven = root.clusters.flat().includes(node)
    const driversMs = driven ? beneathMs / root.clusters.length : 0
    const handOverMs = handOversOf(node.runs).map((ms) => Math.max(0, ms - driversMs))
    for (const from of before) edges.push({ from, to: node.task, handOverMs, ...correlationOf(stages[from], stage) })
    return [node.task, ...addAll(node.clusters, [node.task])]
  }
  const addAll = (clusters: readonly TracedTask[][], first: readonly string[]): Shape[] => {
    let before = first
    return clusters.flatMap((cluster): Shape[] => {
      const parts = cluster.map((node) => add(node, before))
      before = parts.map((shapes) => lastOf(shapes))
      return cluster.length === 1 ? (parts[0] ?? []) : [{ parallel: parts.map(inSeries) }]
    })
  }
  /** A task that is called elsewhere, too, has one function and so one size: this call stays as it was. */
  const again = (node: TracedTask): string => {
    let count = 2
    while (stages[`${node.task}#${count}`]) count++
    const name = `${node.task}#${count}`
    stages[name] = { name, dop: 1, time: { kind: 'fixed', ms: slowestPerRequest(node.runs) } }
    left.push(`${node.task} is called in ${count} places; only in the first it is a stage`)
    return name
  }

  const shapes = addAll(root.clusters, [root.task])
  const seen = new Set(allTasks(root).map(({ task }) => task))
  const others = Object.keys(app.tasks).filter((task) => !seen.has(task))
  if (others.length > 0) left.push(`no request awaited ${others.join(', ')}`)
  return {
    workflow: { name: app.name, shape: inSeries(shapes), stages, edges },
    driver: root.task,
    driverWork,
    requests: used.length,
    left,
  }
}

/**
 * The workflow with its driver's own work, at the size of its function, as a stage that nobody decides about, before all others.
 * @param outsideMs what a client waits beyond its request's handler
 */
export function withDriver(
  { workflow, driver, driverWork }: TracedWorkflow,
  memoryMb: number,
  mbPerCore: number,
  outsideMs = 0,
): Workflow {
  const ms = driverWork.samples.map(
    ({ cpuMs, waitMs }) => outsideMs + timeOf({ coreMs: cpuMs, waitMs }, memoryMb, 1, mbPerCore),
  )
  const stage: Stage = { name: driver, dop: 1, time: { kind: 'fixed', ms } }
  const { shape } = workflow
  const rest = typeof shape !== 'string' && 'series' in shape ? shape.series : [shape]
  return { ...workflow, shape: inSeries([driver, ...rest]), stages: { [driver]: stage, ...workflow.stages } }
}

function allTasks(node: TracedTask): TracedTask[] {
  return [node, ...node.clusters.flat().flatMap(allTasks)]
}

function inSeries(shapes: readonly Shape[]): Shape {
  const [one] = shapes
  return shapes.length === 1 && one !== undefined ? one : { series: [...shapes] }
}

/** The last stage by name, of a parallel part that of its first branch. */
function lastOf(shapes: readonly Shape[]): string {
  const last = shapes.at(-1) as Shape
  if (typeof last === 'string') return last
  return lastOf('series' in last ? last.series : last.parallel.slice(0, 1))
}

/** Rank correlation of workers of one request that follow each other, each as the first and as the second, so that their order says nothing. */
function correlationOfWorkers({ runs, dop }: TracedTask, samples: Work['samples']): number {
  if (dop < 2) return 0
  const [a, b]: [number[], number[]] = [[], []]
  for (let i = 1; i < runs.length; i++) {
    if (runs[i]?.trace !== runs[i - 1]?.trace) continue
    const [before, own] = [totalOf(samples[i - 1]), totalOf(samples[i])]
    a.push(before, own)
    b.push(own, before)
  }
  return a.length < 2 ? 0 : rankCorrelation(a, b)
}

/** Of two stages whose samples are pairs: as many, in the same order. */
function correlationOf(from: Stage | undefined, to: Stage): { correlation?: number } {
  if (from?.time.kind !== 'work' || to.time.kind !== 'work') return {}
  const [a, b] = [from.time.samples.map(totalOf), to.time.samples.map(totalOf)]
  return a.length === b.length && a.length > 1 ? { correlation: rankCorrelation(a, b) } : {}
}

function slowestPerRequest(runs: readonly TracedRun[]): number[] {
  const slowest = new Map<RequestTrace, number>()
  for (const { trace, run } of runs) {
    const { startMs, endMs } = openOf(run)
    slowest.set(trace, Math.max(slowest.get(trace) ?? 0, endMs - startMs))
  }
  return [...slowest.values()]
}

function totalOf(sample: Work['samples'][number] | undefined): number {
  return sample ? sample.cpuMs + sample.waitMs : 0
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / Math.max(1, values.length)
}
