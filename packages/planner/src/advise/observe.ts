import { addRequest, emptyCharacteristics } from '../characterize/characterize.js'
import { childrenOf, openOf, workOf } from '../characterize/shape.js'
import type { Characteristics } from '../characterize/types.js'
import { type Distribution, emptyDistribution, note } from '../statistics/distribution.js'
import { lengthOf } from '../statistics/intervals.js'
import type { RequestTrace, TaskRun } from '../traces/types.js'
import { createSample, type Sample } from './sample.js'
import type { AdviceOptions } from './types.js'

/** Defaults of `AdviceOptions`. */
export const adviceDefaults: Required<Pick<AdviceOptions, 'sampleRequests' | 'sampleRuns' | 'seed'>> = {
  sampleRequests: 1000,
  sampleRuns: 60_000,
  seed: 1,
}

/** Names that are told apart; an application has fewer, but an instrumentation may put ids into them. */
const MOST = { tasks: 1000, edges: 4000, entries: 100, sizes: 2000 } as const
/** Invocations kept of a function at a size. */
const SIZE_SAMPLE = 400
export const OTHERS = '(others)'

export interface SeenNode {
  runs: number
  errors: number
  ownMs: Distribution
  function: string
}

export interface SeenEdge {
  number: number
  from: string
  to: string
  mode: TaskRun['mode']
  calls: number
  remote: number
  waitMs: Distribution
  runMs: Distribution
  handOverMs: Distribution
  cold: number
  coldKnown: number
  errors: number
}

/** One invocation, as far as its size matters. ms */
export interface SizePoint {
  arrivalMs: number
  ownMs: number
  waitMs: number
  cpuMs: number | undefined
}

export interface SeenSize {
  function: string
  memoryMb: number | undefined
  /** What ran in it. */
  tasks: Set<string>
  points: Sample<SizePoint>
}

/** What was seen of an application so far, of a size that does not grow with the requests. */
export interface Observed {
  characteristics: Characteristics
  runs: number
  firstMs: number
  lastMs: number
  nodes: Map<string, SeenNode>
  edges: Map<string, SeenEdge>
  /** By task that requests begin with. */
  entries: Map<string, Sample<RequestTrace>>
  /** By function and memory. */
  sizes: Map<string, SeenSize>
}

export function emptyObserved(): Observed {
  return {
    characteristics: emptyCharacteristics(),
    runs: 0,
    firstMs: Number.POSITIVE_INFINITY,
    lastMs: Number.NEGATIVE_INFINITY,
    nodes: new Map(),
    edges: new Map(),
    entries: new Map(),
    sizes: new Map(),
  }
}

/** Adds a request in place. */
export function observe(seen: Observed, trace: RequestTrace, options: AdviceOptions): void {
  if (trace.runs.length === 0) return
  addRequest(seen.characteristics, trace)
  seen.runs += trace.runs.length
  seen.firstMs = Math.min(seen.firstMs, trace.arrivalMs)
  seen.lastMs = Math.max(seen.lastMs, trace.arrivalMs)
  const own = addRuns(seen, trace)
  addSizes(seen, trace, own, options)
  keep(seen, trace, { ...adviceDefaults, ...options })
}

/** @returns own ms of each run */
function addRuns(seen: Observed, trace: RequestTrace): Float64Array {
  const { runs, invocations } = trace
  const children = childrenOf(trace)
  const own = new Float64Array(runs.length)
  for (const [i, run] of runs.entries()) {
    own[i] = lengthOf(workOf(trace, i, children[i] ?? []))
    const invocation = invocations[run.invocation]
    const node = nodeOf(seen, run.task, invocation?.function ?? run.task)
    node.runs++
    if (run.error !== undefined) node.errors++
    note(node.ownMs, own[i] as number)
    const caller = runs[run.parent]
    if (!caller) continue
    const edge = edgeOf(seen, caller.task, run.task, run.mode)
    edge.calls++
    if (run.error !== undefined) edge.errors++
    note(edge.runMs, run.endMs - run.startMs)
    if (run.route !== 'remote') continue
    edge.remote++
    const cold = invocation?.isCold ?? (invocation?.coldMs === undefined ? undefined : invocation.coldMs !== null)
    if (cold !== undefined) edge.coldKnown++
    if (cold) edge.cold++
    if (!run.call) continue
    const [start, end] = openOf(run)
    note(edge.waitMs, end - start)
    note(edge.handOverMs, run.mode === 'send' ? end - start : end - start - (run.endMs - run.startMs))
  }
  return own
}

function nodeOf(seen: Observed, task: string, fn: string): SeenNode {
  const name = seen.nodes.has(task) || seen.nodes.size < MOST.tasks ? task : OTHERS
  let node = seen.nodes.get(name)
  if (!node) {
    node = { runs: 0, errors: 0, ownMs: emptyDistribution(), function: fn }
    seen.nodes.set(name, node)
  }
  return node
}

function edgeOf(seen: Observed, from: string, to: string, mode: TaskRun['mode']): SeenEdge {
  let key = `${from}>${to} ${mode}`
  if (!seen.edges.has(key) && seen.edges.size >= MOST.edges) key = OTHERS
  let edge = seen.edges.get(key)
  if (!edge) {
    edge = {
      number: seen.edges.size,
      ...(key === OTHERS ? { from: OTHERS, to: OTHERS } : { from, to }),
      mode,
      calls: 0,
      remote: 0,
      waitMs: emptyDistribution(),
      runMs: emptyDistribution(),
      handOverMs: emptyDistribution(),
      cold: 0,
      coldKnown: 0,
      errors: 0,
    }
    seen.edges.set(key, edge)
  }
  return edge
}

function addSizes(
  seen: Observed,
  { arrivalMs, invocations, runs }: RequestTrace,
  own: Float64Array,
  { seed = adviceDefaults.seed }: { seed?: number },
): void {
  const points = invocations.map(() => ({ ownMs: 0, cpuMs: 0 as number | undefined, tasks: [] as string[] }))
  for (const [i, run] of runs.entries()) {
    const point = points[run.invocation]
    if (!point) continue
    point.ownMs += own[i] as number
    point.tasks.push(run.task)
    point.cpuMs = point.cpuMs === undefined || run.cpuMs === undefined ? undefined : point.cpuMs + run.cpuMs
  }
  for (const [k, { endMs, function: fn, memoryMb, startMs }] of invocations.entries()) {
    const key = `${fn} ${memoryMb}`
    let size = seen.sizes.get(key)
    if (!size) {
      if (seen.sizes.size >= MOST.sizes) continue
      size = { function: fn, memoryMb, tasks: new Set(), points: createSample(SIZE_SAMPLE, seed + seen.sizes.size) }
      seen.sizes.set(key, size)
    }
    const { cpuMs, ownMs, tasks } = points[k] as (typeof points)[number]
    for (const task of tasks) if (size.tasks.size < MOST.tasks) size.tasks.add(task)
    size.points.offer(() => ({ arrivalMs, ownMs, waitMs: Math.max(0, endMs - startMs - ownMs), cpuMs }))
  }
}

/** Number of an edge that was seen. */
export function edgeNumberOf(seen: Observed, from: string, to: string, mode: TaskRun['mode']): number {
  return edgeOf(seen, from, to, mode).number
}

/** What a replay needs of a trace: texts that nothing reads again would be kept with all that they were cut from. */
function slim({ arrivalMs, invocations, missing, runs }: RequestTrace): RequestTrace {
  return {
    id: '',
    arrivalMs,
    invocations,
    ...(missing !== undefined && { missing }),
    runs: runs.map(({ error: _, ...run }) => run),
  }
}

/** Keeps the request for replays, if it is its turn. */
function keep(
  seen: Observed,
  trace: RequestTrace,
  { sampleRequests, sampleRuns, seed }: AdviceOptions & typeof adviceDefaults,
): void {
  const first = trace.runs[0]?.task ?? OTHERS
  const name = seen.entries.has(first) || seen.entries.size < MOST.entries ? first : OTHERS
  let sample = seen.entries.get(name)
  if (!sample) {
    sample = createSample<RequestTrace>(sampleRequests, seed + seen.entries.size, ({ runs }) => runs.length)
    seen.entries.set(name, sample)
  }
  let kept = false
  sample.offer(() => {
    kept = true
    return slim(trace)
  })
  if (!kept) return
  const samples = [...seen.entries.values()]
  if (samples.reduce((sum, { weight }) => sum + weight, 0) <= sampleRuns) return
  const largest = samples.reduce((a, b) => (b.weight > a.weight ? b : a))
  largest.shrinkTo(Math.max(1, Math.floor(largest.items.length * 0.75)))
}
