import type { InvocationRecord, Span } from 'fusionize/record'
import { type Interval, lengthOf, shareOut, subtract, subtractAll, union } from '../statistics/intervals.js'

/** A span with what follows from its neighbours. */
export interface SpanFigures {
  span: Span
  /** The code ran in this invocation: the span is no mere wait for another function. */
  ran: boolean
  /** Time without the union of the calls it made, ms; 0 for a wait. */
  ownMs: number
  /** Own time, with each instant shared among all runs of the invocation that are at work then: these add up to the time worked. ms */
  workMs: number
  /** Own CPU of a sampled run that had the process to itself. ms */
  ownCpuMs: number | undefined
  /** Another call of the same caller was open meanwhile. */
  overlapped: boolean
  /** The span's time, with each instant shared among the calls that its caller had open then: what the call added to the wait. ms */
  addedMs: number
}

/** Figures of all spans of an invocation, in their order. */
export function figuresOf(record: InvocationRecord): SpanFigures[] {
  const { spans } = record
  const children = childrenOf(spans)
  const own = spans.map((span, i) => (span.route === 'inline' ? ownTime(span, children[i] ?? []) : []))
  const work = shareOut(own)
  const siblings = overlaps(children)
  const alone =
    record.cpu === undefined || record.concurrent > 1 ? undefined : lengthOf(own.flat()) - lengthOf(union(own.flat()))
  return spans.map((span, i) => ({
    span,
    ran: span.route === 'inline',
    ownMs: lengthOf(own[i] ?? []),
    workMs: work[i] ?? 0,
    // A reading of the process's clock cannot tell runs apart that overlap.
    ownCpuMs:
      span.route === 'inline' && alone !== undefined && alone < 1e-6 ? ownCpu(span, children[i] ?? []) : undefined,
    overlapped: siblings.get(span)?.overlapped ?? false,
    addedMs: siblings.get(span)?.addedMs ?? span.end - span.start,
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

/** For all calls but inline sends, which nobody waits for: how they lie beside those of the same caller. */
function overlaps(children: readonly (readonly Span[])[]): Map<Span, { overlapped: boolean; addedMs: number }> {
  const found = new Map<Span, { overlapped: boolean; addedMs: number }>()
  for (const all of children) {
    const calls = all
      .filter((span) => span.mode !== 'send' || span.route === 'remote')
      .sort((a, b) => a.start - b.start)
    const added = shareOut(calls.map((span) => [[span.start, span.end]]))
    let reach = Number.NEGATIVE_INFINITY
    for (const [i, span] of calls.entries()) {
      const next = calls[i + 1]
      const overlapped = span.start < reach || (next !== undefined && next.start < span.end)
      found.set(span, { overlapped, addedMs: added[i] ?? 0 })
      reach = Math.max(reach, span.end)
    }
  }
  return found
}

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
