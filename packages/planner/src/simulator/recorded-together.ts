import type { InvocationRecord, Span } from 'fusionize/record'

/** Sends that begin within this of each other leave together, ms. */
const TOGETHER_MS = 0.5
/** Fewer pairs tell nothing. */
const LEAST_PAIRS = 30
/** Variance of a rank between 0 and 1. */
const RANK_VARIANCE = 1 / 12

/**
 * What hand-overs share that leave an invocation together: the rank correlation of their durations, which is the probability that one is as
 * lucky as the other when all else is independent. From sends, whose whole span is hand-over; 0…1.
 */
export function recordedTogether(records: readonly InvocationRecord[]): number {
  const bySize = new Map<number, number[]>()
  for (const { memory, spans } of records)
    for (const span of spans) {
      if (!isSent(span)) continue
      const known = bySize.get(memory)
      if (known) known.push(span.end - span.start)
      else bySize.set(memory, [span.end - span.start])
    }
  for (const all of bySize.values()) all.sort((a, b) => a - b)
  let pairs = 0
  let sum = 0
  for (const { memory, spans } of records) {
    const sorted = bySize.get(memory)
    if (!sorted) continue
    const sent = spans.filter(isSent).sort((a, b) => a.parent - b.parent || a.start - b.start)
    for (let i = 1; i < sent.length; i++) {
      const [a, b] = [sent[i - 1] as Span, sent[i] as Span]
      if (a.parent !== b.parent || b.start - a.start > TOGETHER_MS || b.start >= a.end) continue
      pairs++
      sum += (rankOf(a.end - a.start, sorted) - 0.5) * (rankOf(b.end - b.start, sorted) - 0.5)
    }
  }
  return pairs < LEAST_PAIRS ? 0 : Math.min(1, Math.max(0, sum / pairs / RANK_VARIANCE))
}

function isSent({ mode, route, error }: Span): boolean {
  return mode === 'send' && route === 'remote' && error === undefined
}

/** The share of values below, those that are equal counted half. */
function rankOf(value: number, sorted: readonly number[]): number {
  return (firstAbove(sorted, value, false) + firstAbove(sorted, value, true)) / 2 / sorted.length
}

function firstAbove(sorted: readonly number[], value: number, orEqual: boolean): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const at = sorted[middle] as number
    if (at < value || (orEqual && at === value)) low = middle + 1
    else high = middle
  }
  return low
}
