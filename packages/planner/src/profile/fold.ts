import type { Fired, InvocationRecord, Span } from 'fusionize/record'
import { type Distribution, emptyDistribution, exact, note } from '../statistics/distribution.js'
import { foldBuckets } from './buckets.js'
import { foldHandOverBytes, foldStartUp, foldThreads, foldWorkers } from './resources.js'
import { figuresOf, type SpanFigures } from './spans.js'
import { isRequest } from './trace.js'
import { type EdgeProfile, edgeKey, type FunctionProfile, type Profile, type TaskProfile } from './types.js'

/** The profile of nothing. */
export function emptyProfile(): Profile {
  return {
    v: 1,
    requests: 0,
    firstRequest: 0,
    lastRequest: 0,
    records: 0,
    retries: 0,
    duplicates: 0,
    late: 0,
    unmatched: 0,
    traces: { complete: 0, incomplete: 0 },
    tasks: {},
    edges: {},
    functions: {},
  }
}

/**
 * Adds one record to the profile, in place: all of it that does not need another record.
 * @param codeBytes size of the function's code, where it is known
 */
export function foldRecord(profile: Profile, record: InvocationRecord, codeBytes?: number): void {
  profile.records++
  if (record.attempt > 1) profile.retries++
  if (isRequest(record)) foldRequest(profile, record.start)
  foldFunction(profile, record)
  foldStartUp(profile, record, codeBytes)
  foldWorkers(record, (from, span) => edgeOf(profile, from, span))
  foldBuckets(profile, record)
  const firings = new Map(record.firings?.map(({ span, fired }) => [span, fired]))
  const all = figuresOf(record)
  for (const [i, figures] of all.entries()) {
    if (figures.ran) foldRun(profile, record, figures)
    const caller = record.spans[figures.span.parent]
    if (caller) foldEdge(profile, record, caller, figures, firings.get(i))
  }
  foldThreads(profile, record, all)
}

/** Adds what a bucket's trigger started as an invocation of its own, as a send of the task that put last. */
export function foldFired(profile: Profile, from: string, to: string, fired: Fired): void {
  const edge = edgeOf(profile, from, { task: to, mode: 'send', route: 'remote' })
  edge.calls++
  countThrough(edge, fired)
  note(edge.waitMs, 0)
  note(edge.bytesIn, fired.bytes)
  note(edge.bytesOut, 0)
}

function countThrough(edge: EdgeProfile, { bucket }: Pick<Fired, 'bucket'>): void {
  edge.buckets ??= {}
  edge.buckets[bucket] = (edge.buckets[bucket] ?? 0) + 1
}

/** Adds what the two ends of a remote call say together: the hand-over. */
export function foldHandOver(profile: Profile, caller: InvocationRecord, span: Span, callee: InvocationRecord): void {
  const from = caller.spans[span.parent]
  if (!from || span.mode === 'send' || callee.cold !== null || span.error !== undefined) return
  const edge = edgeOf(profile, from.task, span)
  const ms = span.end - span.start - callee.reply
  note(at(edge.overheadMs, caller.memory), ms)
  foldHandOverBytes(edge, caller, span, ms)
}

function foldRequest(profile: Profile, start: number): void {
  profile.firstRequest = profile.requests === 0 ? start : Math.min(profile.firstRequest, start)
  profile.lastRequest = Math.max(profile.lastRequest, start)
  profile.requests++
}

function foldFunction(profile: Profile, record: InvocationRecord): void {
  const key = `${record.function}@${record.memory}`
  profile.functions[key] ??= newFunction(record)
  const f = profile.functions[key]
  f.invocations++
  // A bundle has as many roots as items.
  if (record.spans.some(({ parent, error }) => parent === -1 && error !== undefined)) f.errors++
  note(f.wallMs, record.wall)
  note(f.replyMs, record.reply)
  note(f.afterMs, record.wall - record.reply)
  f.concurrent = Math.max(f.concurrent, record.concurrent)
  f.peakMb = Math.max(f.peakMb, record.peakMb)
  if (record.cold === null) return
  f.coldStarts++
  if (record.coldKind === 'forced') f.forcedColdStarts++
  if (record.coldKind === 'prewarmed') f.prewarmedColdStarts++
  note(f.coldMs, record.cold)
}

function newFunction({ function: name, memory }: InvocationRecord): FunctionProfile {
  return {
    function: name,
    memory,
    invocations: 0,
    errors: 0,
    wallMs: emptyDistribution(),
    replyMs: emptyDistribution(),
    afterMs: emptyDistribution(),
    coldStarts: 0,
    forcedColdStarts: 0,
    prewarmedColdStarts: 0,
    coldMs: emptyDistribution(),
    concurrent: 0,
    peakMb: 0,
  }
}

function foldRun(profile: Profile, record: InvocationRecord, { span, ownMs, workMs, ownCpuMs }: SpanFigures): void {
  profile.tasks[span.task] ??= { runs: 0, errors: 0, sizes: {} }
  const task = profile.tasks[span.task] as TaskProfile
  task.runs++
  if (span.error !== undefined) task.errors++
  task.sizes[record.memory] ??= { runs: 0, ownMs: emptyDistribution(), workMs: 0, cpuMs: 0, cpuOwnMs: 0, cpuRuns: 0 }
  const size = task.sizes[record.memory] as TaskProfile['sizes'][string]
  size.runs++
  note(size.ownMs, ownMs)
  size.workMs += exact(workMs)
  if (ownCpuMs === undefined) return
  size.cpuMs += exact(ownCpuMs)
  size.cpuOwnMs += exact(ownMs)
  size.cpuRuns++
}

function foldEdge(
  profile: Profile,
  record: InvocationRecord,
  caller: Span,
  figures: SpanFigures,
  fired: Omit<Fired, 'id'> | undefined,
): void {
  const { span, overlapped, beside, addedMs } = figures
  const edge = edgeOf(profile, caller.task, span)
  const waits = span.mode !== 'send' || span.route === 'remote'
  const waitMs = waits ? span.end - span.start : 0
  edge.calls++
  if (fired) countThrough(edge, fired)
  if (overlapped) edge.parallel++
  for (const target of beside) edge.beside[target] = (edge.beside[target] ?? 0) + 1
  if (span.error !== undefined) edge.errors++
  note(edge.waitMs, waitMs)
  if (waits) edge.addedMs += exact(addedMs)
  note(edge.bytesIn, span.bytesIn)
  note(edge.bytesOut, span.bytesOut)
  if (span.mode !== 'send' || !waits || span.error !== undefined) return
  note(at(edge.overheadMs, record.memory), waitMs)
  foldHandOverBytes(edge, record, span, waitMs)
}

function edgeOf(
  profile: Profile,
  from: string,
  { task: to, mode, route }: Pick<Span, 'task' | 'mode' | 'route'>,
): EdgeProfile {
  const key = edgeKey(from, to, mode, route)
  profile.edges[key] ??= {
    from,
    to,
    mode,
    route,
    calls: 0,
    errors: 0,
    parallel: 0,
    beside: {},
    waitMs: emptyDistribution(),
    addedMs: 0,
    overheadMs: {},
    bytesIn: emptyDistribution(),
    bytesOut: emptyDistribution(),
  }
  return profile.edges[key]
}

function at(map: Record<string, Distribution>, memory: number): Distribution {
  map[memory] ??= emptyDistribution()
  return map[memory]
}
