import type { InvocationRecord, Span } from 'fusionize/record'
import { type Interval, lengthOf, subtract, union } from '../statistics/intervals.js'
import type { BehaviourStep } from './types.js'

/** How the own time of a run divides: CPU ms of all its threads, and ms without any work. */
export interface OwnSplit {
  cpuMs: number
  waitMs: number
  threads: number
}

/** A run, and the spans and firings of its record that belong to it. */
export interface RecordedRun {
  record: InvocationRecord
  span: Span
  index: number
  /** Own time, in order. */
  own: Interval[]
  /** Calls that it made and waited for, remote sends among them, by their start. */
  calls: Span[]
  /** Inline sends that no bucket started: they began when the run had been answered, so nobody knows when they were made. */
  held: Span[]
}

/** Records tell times in whole µs: what is nearer than this is one after the other, ms. */
const ROUNDING_MS = 0.002
/** Own time below this is no step of its own, ms. */
const LEAST_MS = 0.001
/** Calls that begin within this of each other were made at the same time, ms: starting several takes the caller some µs each. */
const TOGETHER_MS = 0.2

export function runOf(record: InvocationRecord, index: number, children: readonly number[]): RecordedRun {
  const span = record.spans[index] as Span
  const fired = new Set(record.firings?.map((firing) => firing.span))
  const all = children.map((i) => [i, record.spans[i] as Span] as const)
  const isHeld = (x: Span) => x.mode === 'send' && x.route === 'inline'
  const calls = all.map(([, x]) => x).filter((x) => !isHeld(x))
  const own = subtract([span.start, span.end], union(calls.map((x): Interval => [x.start, x.end])))
  return {
    record,
    span,
    index,
    own,
    calls: calls.sort((a, b) => a.start - b.start),
    held: all.filter(([i, x]) => isHeld(x) && !fired.has(i)).map(([, x]) => x),
  }
}

/**
 * The script that a run followed: its own time where it was, shared out by its length, and the calls in the order and overlap in which they were
 * made. Puts come last, each with the tasks that it started.
 * @param started by bucket: the tasks that this run's puts started
 */
export function scriptOf(
  run: RecordedRun,
  split: OwnSplit,
  started: ReadonlyMap<string, readonly string[]>,
): BehaviourStep[] {
  const steps: BehaviourStep[] = []
  const ownMs = lengthOf(run.own)
  const work = (ms: number) => {
    const share = ownMs > 0 ? ms / ownMs : 0
    const [cpuMs, waitMs] = [split.cpuMs * share, split.waitMs * share]
    if (cpuMs >= LEAST_MS) steps.push({ cpuMs, threads: split.threads })
    if (waitMs >= LEAST_MS) steps.push({ waitMs })
  }
  const stretches = stretchesOf(run.calls)
  let at = run.span.start
  for (const stretch of stretches) {
    const [from, to] = boundsOf(stretch)
    if (from > at) work(from - at)
    steps.push(...stepsOf(stretch))
    at = Math.max(at, to)
  }
  if (run.span.end > at) work(run.span.end - at)
  if (run.held.length > 0) steps.push({ send: run.held.map(({ task }) => task) })
  for (const { span, bucket, count } of run.record.puts ?? []) {
    if (span !== run.index) continue
    for (let i = 1; i < count; i++) steps.push({ put: [bucket], starts: [] })
    steps.push({ put: [bucket], starts: started.get(bucket) ?? [] })
  }
  return steps
}

/** Calls in groups during which one was open all the time. */
function stretchesOf(calls: readonly Span[]): Span[][] {
  const found: Span[][] = []
  let reach = Number.NEGATIVE_INFINITY
  for (const call of calls) {
    if (call.start >= reach - ROUNDING_MS) found.push([])
    found.at(-1)?.push(call)
    reach = Math.max(reach, call.end)
  }
  return found
}

function boundsOf(stretch: readonly Span[]): [number, number] {
  return [(stretch[0] as Span).start, Math.max(...stretch.map((x) => x.end))]
}

function stepsOf(stretch: readonly Span[]): BehaviourStep[] {
  const lanes = lanesOf(stretch)
  const single = lanes.length === 1 ? lanes[0] : undefined
  if (single) return laneSteps(single, (single[0] as Span).start)
  const begin = (stretch[0] as Span).start
  const maps = new Map<string, number>()
  const rest: BehaviourStep[][] = []
  for (const lane of lanes) {
    const [first] = lane as [Span]
    if (lane.length === 1 && first.mode === 'map') maps.set(first.task, (maps.get(first.task) ?? 0) + 1)
    else rest.push(laneSteps(lane, isLate(lane, stretch) ? begin : first.start))
  }
  for (const [map, items] of maps) rest.push([{ map, items }])
  return rest.length === 1 ? (rest[0] as BehaviourStep[]) : [{ parallel: rest }]
}

/** A lane began later than the first for another reason than that an inline call had the thread. */
function isLate([first]: readonly Span[], stretch: readonly Span[]): boolean {
  if (!first) return false
  const { start } = first
  return (
    start - (stretch[0] as Span).start > TOGETHER_MS && !stretch.some((x) => x.route === 'inline' && x.start < start)
  )
}

/** One after another where the next began after the one before had ended, else beside each other. */
function lanesOf(stretch: readonly Span[]): Span[][] {
  const lanes: Span[][] = []
  for (const call of stretch) {
    const free = lanes.filter((lane) => (lane.at(-1) as Span).end <= call.start + ROUNDING_MS)
    const latest = free.reduce<Span[] | undefined>(
      (a, b) => (a && (a.at(-1) as Span).end >= (b.at(-1) as Span).end ? a : b),
      undefined,
    )
    if (latest) latest.push(call)
    else lanes.push([call])
  }
  return lanes
}

function laneSteps(lane: readonly Span[], from: number): BehaviourStep[] {
  const steps: BehaviourStep[] = []
  let at = from
  for (const { mode, task, start, end } of lane) {
    if (start - at >= TOGETHER_MS) steps.push({ waitMs: start - at })
    steps.push(mode === 'map' ? { map: task, items: 1 } : mode === 'send' ? { send: [task] } : { call: [task] })
    at = end
  }
  return steps
}
