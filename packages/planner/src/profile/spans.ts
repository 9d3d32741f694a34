import type { InvocationRecord, Span } from 'fusionize/record'
import { type Interval, lengthOf, shareOut, subtract, subtractAll, union } from '../statistics/intervals.js'

/** A span with what follows from its neighbours. */
export interface SpanFigures {
  span: Span
  /** The code ran in this invocation: the span is no mere wait for another function. */
  ran: boolean
  /** Time without the union of the calls it made, ms; 0 for a wait. */
  ownMs: number
  /**
   * Own time, with each instant shared among all runs of the invocation that are at work on its event loop then: these add up to the time worked
   * there. Of a run in a pool, all of its own time. ms
   */
  workMs: number
  /** Own CPU of a sampled run that had the process to itself. ms */
  ownCpuMs: number | undefined
  /** Another call of the same caller was open meanwhile. */
  overlapped: boolean
  /** Targets (`mode task`) of the other calls in the stretch of time in which the caller always had one open. */
  beside: readonly string[]
  /** The span's time, with each instant shared among the calls that its caller had open then: what the call added to the wait. ms */
  addedMs: number
}

/** Figures of all spans of an invocation, in their order. */
export function figuresOf(record: InvocationRecord): SpanFigures[] {
  const { spans } = record
  const children = childrenOf(spans)
  const own = spans.map((span, i) => (span.route === 'inline' ? ownTime(span, children[i] ?? []) : []))
  // Those in a pool have threads of their own.
  const work = shareOut(own.map((intervals, i) => (spans[i]?.pooled ? [] : intervals)))
  const siblings = overlaps(children)
  const alone =
    record.cpu === undefined || record.concurrent > 1 ? undefined : lengthOf(own.flat()) - lengthOf(union(own.flat()))
  return spans.map((span, i) => ({
    span,
    ran: span.route === 'inline',
    ownMs: lengthOf(own[i] ?? []),
    workMs: span.pooled ? lengthOf(own[i] ?? []) : (work[i] ?? 0),
    // A reading of the process's clock cannot tell runs apart that overlap.
    ownCpuMs:
      span.route === 'inline' && alone !== undefined && alone < 1e-6 ? ownCpu(span, children[i] ?? []) : undefined,
    ...(siblings.get(span) ?? { overlapped: false, beside: [], addedMs: span.end - span.start }),
  }))
}

/**
 * Ms of an invocation in which a remote call or map was open and neither own nor inline work was running (METRICS, double billing). A
 * run works whenever none of the calls it made is open.
 */
export function doubleBilledMs({ spans }: InvocationRecord): number {
  const waits = spans
    .filter((span) => span.route === 'remote' && span.mode !== 'send')
    .map((span): Interval => [span.start, span.end])
  if (waits.length === 0) return 0
  const children = childrenOf(spans)
  const work = spans.flatMap((span, i) => (span.route === 'inline' ? ownTime(span, children[i] ?? []) : []))
  return lengthOf(subtractAll(union(waits), union(work)))
}

function childrenOf(spans: readonly Span[]): Span[][] {
  const children: Span[][] = spans.map(() => [])
  for (const span of spans) if (span.parent >= 0) children[span.parent]?.push(span)
  return children
}

function ownTime(span: Span, children: readonly Span[]): Interval[] {
  return subtract([span.start, span.end], union(children.map((child): Interval => [child.start, child.end])))
}

type Overlap = Pick<SpanFigures, 'overlapped' | 'beside' | 'addedMs'>

/** For all calls but inline sends, which nobody waits for: how they lie beside those of the same caller. */
function overlaps(children: readonly (readonly Span[])[]): Map<Span, Overlap> {
  const found = new Map<Span, Overlap>()
  for (const all of children) {
    const calls = callsOf(all)
    const added = shareOut(calls.map((span) => [[span.start, span.end]]))
    for (const [from, to] of stretchesOf(calls)) noteStretch(found, calls, added, from, to)
  }
  return found
}

/** Stretches of time in which a caller always had a call open: the calls of each, by start; those with one call are left out. */
export function besideEachOther({ spans }: InvocationRecord): Span[][] {
  return childrenOf(spans).flatMap((all) => {
    if (all.length < 2) return []
    const calls = callsOf(all)
    return stretchesOf(calls).flatMap(([from, to]) => (to - from > 1 ? [calls.slice(from, to)] : []))
  })
}

/** All but inline sends, which nobody waits for, by start. */
function callsOf(children: readonly Span[]): Span[] {
  return children.filter((span) => span.mode !== 'send' || span.route === 'remote').sort((a, b) => a.start - b.start)
}

/** First and behind the last of each stretch. */
function stretchesOf(calls: readonly Span[]): [from: number, to: number][] {
  const stretches: [number, number][] = []
  for (let from = 0; from < calls.length; ) {
    let to = from
    for (let reach = Number.NEGATIVE_INFINITY; to < calls.length; to++) {
      const span = calls[to] as Span
      if (to > from && span.start >= reach) break
      reach = Math.max(reach, span.end)
    }
    stretches.push([from, to])
    from = to
  }
  return stretches
}

/** A stretch of calls from `from` to before `to`, in which one was open all the time. */
function noteStretch(
  found: Map<Span, Overlap>,
  calls: readonly Span[],
  added: readonly number[],
  from: number,
  to: number,
) {
  const targets = new Map<string, number>()
  for (let i = from; i < to; i++) {
    const target = targetOf(calls[i] as Span)
    targets.set(target, (targets.get(target) ?? 0) + 1)
  }
  let reach = Number.NEGATIVE_INFINITY
  for (let i = from; i < to; i++) {
    const span = calls[i] as Span
    const next = i + 1 < to ? calls[i + 1] : undefined
    const beside = [...targets].flatMap(([target, n]) => (n > 1 || target !== targetOf(span) ? [target] : []))
    const overlapped = span.start < reach || (next !== undefined && next.start < span.end)
    found.set(span, { overlapped, beside, addedMs: added[i] ?? 0 })
    reach = Math.max(reach, span.end)
  }
}

/** `mode task`, as `EdgeProfile.beside` has it. */
export const targetOf = ({ mode, task }: Span) => `${mode} ${task}`

function ownCpu(span: Span, children: readonly Span[]): number | undefined {
  if (span.cpu === undefined) return undefined
  let rest = span.cpu
  for (const child of children) {
    if (child.route === 'remote' || child.start >= span.end) continue
    if (child.cpu === undefined) return undefined
    rest -= child.cpu
  }
  return Math.max(0, rest)
}
