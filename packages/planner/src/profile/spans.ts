import type { InvocationRecord, Span } from 'fusionize/record'

/** A span with what follows from its neighbours. */
export interface SpanFigures {
  span: Span
  index: number
  /** The code ran in this invocation: the span is no mere wait for another function. */
  ran: boolean
  /** Time without the union of the calls it made, ms; 0 for a wait. */
  ownMs: number
  /** Own CPU, when sampled. ms */
  ownCpuMs: number | undefined
  /** Another call of the same caller was open meanwhile. */
  overlapped: boolean
}

type Interval = [start: number, end: number]

/** Own times of all spans of an invocation. */
export function figuresOf(record: InvocationRecord): SpanFigures[] {
  const children: Span[][] = record.spans.map(() => [])
  for (const span of record.spans) if (span.parent >= 0) children[span.parent]?.push(span)
  return record.spans.map((span, index) => {
    const ran = span.route === 'inline'
    const own = children[index] ?? []
    const covered = union(
      own.map((child): Interval => [Math.max(span.start, child.start), Math.min(span.end, child.end)]),
    )
    const siblings = span.parent >= 0 ? (children[span.parent] ?? []) : []
    return {
      span,
      index,
      ran,
      ownMs: ran ? Math.max(0, span.end - span.start - lengthOf(covered)) : 0,
      ownCpuMs: ran ? ownCpu(span, own) : undefined,
      overlapped: siblings.some((other) => other !== span && other.start < span.end && span.start < other.end),
    }
  })
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

/**
 * Ms of an invocation in which a remote call or map was open and neither own nor inline work was running (METRICS, double billing). A
 * run works whenever none of the calls it made is open.
 */
export function doubleBilledMs(record: InvocationRecord): number {
  const waits: Interval[] = []
  const work: Interval[] = []
  const children: Interval[][] = record.spans.map(() => [])
  for (const span of record.spans) if (span.parent >= 0) children[span.parent]?.push([span.start, span.end])
  for (const [i, span] of record.spans.entries()) {
    if (span.route === 'remote') {
      if (span.mode !== 'send') waits.push([span.start, span.end])
      continue
    }
    work.push(...subtract([span.start, span.end], union(children[i] ?? [])))
  }
  const working = union(work)
  return union(waits).reduce((sum, wait) => sum + lengthOf(subtract(wait, working)), 0)
}

/** Disjoint intervals, ascending. */
function union(intervals: readonly Interval[]): Interval[] {
  const out: Interval[] = []
  for (const [start, end] of [...intervals].sort((a, b) => a[0] - b[0])) {
    if (end <= start) continue
    const last = out.at(-1)
    if (last && start <= last[1]) last[1] = Math.max(last[1], end)
    else out.push([start, end])
  }
  return out
}

/** What of `from` is not in `holes` (disjoint, ascending). */
function subtract(from: Interval, holes: readonly Interval[]): Interval[] {
  const out: Interval[] = []
  let at = from[0]
  for (const [start, end] of holes) {
    if (end <= at) continue
    if (start >= from[1]) break
    if (start > at) out.push([at, start])
    at = Math.max(at, end)
  }
  if (at < from[1]) out.push([at, from[1]])
  return out
}

function lengthOf(intervals: readonly Interval[]): number {
  return intervals.reduce((sum, [start, end]) => sum + end - start, 0)
}
