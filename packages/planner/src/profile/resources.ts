import type { InvocationRecord, Span } from 'fusionize/record'
import { emptyDistribution, note } from '../statistics/distribution.js'
import { emptyPairs, keyOf, notePair, type Pairs } from '../statistics/pairs.js'
import { besideEachOther, type SpanFigures, targetOf } from './spans.js'
import type { EdgeProfile, Profile } from './types.js'

/** CPU beyond the time that passed which is one thread's all the same: garbage collection, compilers, the clocks' grain. */
const BESIDE = 0.25
/** Threads that are told apart. */
const MOST_THREADS = 64

/** Adds what sampled runs computed and what they waited, by the threads that they kept busy. */
export function foldThreads(profile: Profile, record: InvocationRecord, all: readonly SpanFigures[]): void {
  const pooled = all.filter(({ ran, span }) => ran && span.pooled)
  for (const { ran, span, ownMs, ownCpuMs } of all) {
    if (!ran || span.pooled || ownCpuMs === undefined) continue
    const threads = ownMs > 0 ? Math.max(1, Math.ceil(ownCpuMs / ownMs - BESIDE)) : 1
    noteSplit(profile, record, span.task, threads, ownCpuMs, ownMs - ownCpuMs / threads)
  }
  if (pooled.length === 0 || record.cpu === undefined || record.concurrent > 1) return
  // The clock is the process's: what the loop's own runs cannot have computed was the pool's, in proportion to time.
  const loopMs = all.reduce((sum, { ran, span, workMs }) => sum + (ran && !span.pooled ? workMs : 0), 0)
  const poolMs = pooled.reduce((sum, { ownMs }) => sum + ownMs, 0)
  const busy = poolMs > 0 ? Math.min(1, Math.max(0, record.cpu - loopMs) / poolMs) : 0
  const widest = widestOf(pooled.map(({ span }) => span))
  // A pooled run is one thread's; the number tells how many there were beside each other.
  for (const { span, ownMs } of pooled) noteSplit(profile, record, span.task, widest, ownMs * busy, ownMs * (1 - busy))
}

function noteSplit(
  profile: Profile,
  { memory }: InvocationRecord,
  task: string,
  threads: number,
  cpuMs: number,
  waitMs: number,
): void {
  const size = profile.tasks[task]?.sizes[memory]
  if (!size) return
  size.threads ??= {}
  const key = Math.min(MOST_THREADS, threads)
  size.threads[key] ??= { cpuMs: emptyDistribution(), waitMs: emptyDistribution() }
  note(size.threads[key].cpuMs, cpuMs)
  note(size.threads[key].waitMs, waitMs)
}

/** Most spans open at a time. */
function widestOf(spans: readonly Span[]): number {
  const edges = spans
    .flatMap(({ start, end }) => [
      { at: start, by: 1 },
      { at: end, by: -1 },
    ])
    .sort((a, b) => a.at - b.at || a.by - b.by)
  let [open, most] = [0, 1]
  for (const { by } of edges) {
    open += by
    most = Math.max(most, open)
  }
  return most
}

/**
 * Adds, of each stretch of calls beside each other and of each two targets in it, the times of two calls: neighbours by start, picked by the record's
 * name.
 */
export function foldWorkers(
  record: InvocationRecord,
  edgeOf: (from: string, span: Pick<Span, 'task' | 'mode' | 'route'>) => EdgeProfile,
): void {
  for (const [k, stretch] of besideEachOther(record).entries()) {
    const from = record.spans[stretch[0]?.parent ?? -1]?.task
    if (from === undefined) continue
    const chosen = new Map<string, { a: Span; b: Span; key: number }>()
    for (const [i, one] of stretch.entries()) {
      const other = stretch[i + 1]
      if (!other || other.start >= one.end || one.error !== undefined || other.error !== undefined) continue
      const key = keyOf(record.span, k * 65_536 + i)
      // Equals change places by chance: who comes first often came first for a reason.
      const swaps = targetOf(one) === targetOf(other) ? key % 2 === 1 : targetOf(other) < targetOf(one)
      const [a, b] = swaps ? [other, one] : [one, other]
      const name = `${targetOf(a)} ${a.route} ${targetOf(b)}`
      const known = chosen.get(name)
      if (!known || key < known.key) chosen.set(name, { a, b, key })
    }
    for (const { a, b, key } of chosen.values()) {
      const edge = edgeOf(from, a)
      edge.together ??= {}
      notePair(pairsAt(edge.together, targetOf(b)), key, a.end - a.start, b.end - b.start)
    }
  }
}

/** Adds what a hand-over carried and took. */
export function foldHandOverBytes(edge: EdgeProfile, caller: InvocationRecord, span: Span, ms: number): void {
  edge.handOver ??= {}
  const bytes = span.bytesIn + (span.mode === 'send' ? 0 : span.bytesOut)
  notePair(pairsAt(edge.handOver, caller.memory), keyOf(caller.span, Math.round(span.start * 1024)), bytes, ms)
}

/** Adds a start-up, where the size of the function's code is known. */
export function foldStartUp(profile: Profile, record: InvocationRecord, codeBytes: number | undefined): void {
  if (record.cold === null || codeBytes === undefined) return
  profile.startUps ??= {}
  notePair(pairsAt(profile.startUps, record.memory), keyOf(record.span, -1), codeBytes, record.cold)
}

function pairsAt(map: Record<string, Pairs>, key: string | number): Pairs {
  map[key] ??= emptyPairs()
  return map[key]
}
