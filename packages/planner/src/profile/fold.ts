import type { InvocationRecord, Span } from 'fusionize/record'
import { emptyDistribution, note } from '../statistics/distribution.js'
import { figuresOf, type SpanFigures } from './spans.js'
import { type EdgeProfile, edgeKey, type FunctionProfile, type Profile, type SizeProfile } from './types.js'

export function emptyProfile(): Profile {
  return { v: 1, requests: 0, records: 0, duplicates: 0, unmatched: 0, tasks: {}, edges: {}, functions: {} }
}

/** Adds one record to the profile, in place: all of it that does not need another record. */
export function foldRecord(profile: Profile, record: InvocationRecord): void {
  profile.records++
  if (record.parent === null) profile.requests++
  foldFunction(profile, record)
  for (const figures of figuresOf(record)) {
    if (figures.ran) foldRun(profile, record, figures)
    const caller = record.spans[figures.span.parent]
    if (caller) foldEdge(profile, record, caller, figures)
  }
}

/** Adds what the two ends of a remote call say together: the hand-over. */
export function foldHandOver(profile: Profile, caller: InvocationRecord, span: Span, callee: InvocationRecord): void {
  const from = caller.spans[span.parent]
  if (!from || span.mode === 'send' || callee.cold !== null) return
  const edge = edgeOf(profile, from.task, span)
  note(bySize(edge.overheadMs, caller.memory), span.end - span.start - callee.reply)
}

function foldFunction(profile: Profile, record: InvocationRecord): void {
  const key = `${record.function}@${record.memory}`
  profile.functions[key] ??= newFunction(record)
  const f = profile.functions[key]
  f.invocations++
  if (record.spans[0]?.error !== undefined) f.errors++
  note(f.wallMs, record.wall)
  note(f.replyMs, record.reply)
  f.peakMb = Math.max(f.peakMb, record.peakMb)
  if (record.cold === null) return
  f.coldStarts++
  if (record.coldKind === 'forced') f.forcedColdStarts++
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
    coldStarts: 0,
    forcedColdStarts: 0,
    coldMs: emptyDistribution(),
    peakMb: 0,
  }
}

function foldRun(profile: Profile, record: InvocationRecord, { span, ownMs, ownCpuMs }: SpanFigures): void {
  profile.tasks[span.task] ??= { runs: 0, errors: 0, sizes: {} }
  const task = profile.tasks[span.task] as Profile['tasks'][string]
  task.runs++
  if (span.error !== undefined) task.errors++
  task.sizes[record.memory] ??= { runs: 0, ownMs: emptyDistribution(), cpuMs: 0, cpuOwnMs: 0, cpuRuns: 0 }
  const size = task.sizes[record.memory] as SizeProfile
  size.runs++
  note(size.ownMs, ownMs)
  if (ownCpuMs === undefined || record.concurrent > 1) return
  size.cpuMs += ownCpuMs
  size.cpuOwnMs += ownMs
  size.cpuRuns++
}

function foldEdge(profile: Profile, record: InvocationRecord, caller: Span, { span, overlapped }: SpanFigures): void {
  const edge = edgeOf(profile, caller.task, span)
  const waitMs = span.mode === 'send' && span.route === 'inline' ? 0 : span.end - span.start
  edge.calls++
  if (overlapped) edge.parallel++
  if (span.error !== undefined) edge.errors++
  note(edge.waitMs, waitMs)
  note(edge.bytesIn, span.bytesIn)
  note(edge.bytesOut, span.bytesOut)
  if (span.mode === 'send' && span.route === 'remote') note(bySize(edge.overheadMs, record.memory), waitMs)
}

function edgeOf(profile: Profile, from: string, { task: to, mode, route }: Span): EdgeProfile {
  const key = edgeKey(from, to, mode, route)
  profile.edges[key] ??= {
    from,
    to,
    mode,
    route,
    calls: 0,
    errors: 0,
    parallel: 0,
    waitMs: emptyDistribution(),
    overheadMs: {},
    bytesIn: emptyDistribution(),
    bytesOut: emptyDistribution(),
  }
  return profile.edges[key]
}

function bySize(map: EdgeProfile['overheadMs'], memory: number) {
  map[memory] ??= emptyDistribution()
  return map[memory]
}
