import { type InvocationRecord, recordOf, spanId } from 'fusionize/record'
import { figuresOf } from '../profile/spans.js'
import { isRequest } from '../profile/trace.js'
import { shortText } from './foreign-span.js'
import type { Document, Sink, TraceFormat } from './format.js'
import type { RequestTrace, TaskRun } from './types.js'

/** The record lines that this project's own functions write (`InvocationRecord`). */
export const ownRecords: TraceFormat<InvocationRecord> = {
  name: 'fusionize records',
  matches: (document) => typeof document.v === 'number' && typeof document.s === 'string' && 'names' in document,
  read,
  parts: 'records',
  keyOf: ({ invocation, attempt }) => `${invocation} ${attempt}`,
  assemble,
}

/** The requests that records tell of, in order of arrival; what tells of no request is left out. A record that came twice counts once. */
export function tracesOfRecords(records: readonly InvocationRecord[]): RequestTrace[] {
  const distinct = new Map(records.map((record) => [ownRecords.keyOf(record), record]))
  const byTrace = new Map<string, InvocationRecord[]>()
  for (const record of distinct.values()) push(byTrace, record.trace, record)
  return [...byTrace]
    .map(([id, own]) => assemble(id, own))
    .filter((trace) => typeof trace !== 'string')
    .sort((a, b) => a.arrivalMs - b.arrivalMs)
}

function read(document: Document, sink: Sink<InvocationRecord>): void {
  let record: InvocationRecord
  try {
    record = recordOf(document)
  } catch (error) {
    // What the decoder of base64 throws is no SyntaxError.
    throw error instanceof SyntaxError ? error : new SyntaxError('the spans of the record are broken')
  }
  const { trace, span, invocation, start, wall, memory } = record
  for (const [name, value] of Object.entries({ trace, span, invocation, function: record.function, task: record.task }))
    if (typeof value !== 'string') throw new SyntaxError(`a fusionize record without '${name}'`)
  for (const [name, value] of Object.entries({ start, wall, memory }))
    if (!Number.isFinite(value)) throw new SyntaxError(`a fusionize record without '${name}'`)
  const broken = record.spans.some(({ parent, task }, i) => task === undefined || parent >= i || parent < -1)
  if (record.spans.length === 0 || broken) throw new SyntaxError('the spans of the record are broken')
  sink.item(trace, record, record.spans.length)
}

/** A record whose place in the request is known. */
interface Placed {
  record: InvocationRecord
  /** Index of the run that started it; -1: the request. */
  parent: number
  /** How its caller asked for it: the callee's own record tells a map's item from no call. */
  mode?: TaskRun['mode']
  call?: { startMs: number; endMs: number }
}

function assemble(id: string, records: readonly InvocationRecord[]): RequestTrace | string {
  const byParent = new Map<string, InvocationRecord[]>()
  for (const record of records) if (record.parent !== null && !isRequest(record)) push(byParent, record.parent, record)
  const spans = new Set(records.flatMap((record) => record.spans.map((_, i) => spanId(record.span, i))))
  const requests = records.filter(isRequest)
  // A firing may have its put in another trace: then it is what this one begins with.
  const others = records.filter((record) => !isRequest(record) && !spans.has(record.parent ?? ''))
  const first = earliest(requests) ?? earliest(others.filter(({ fired }) => fired))
  if (!first) return 'the record of its first invocation is missing'
  const trace: RequestTrace = { id, arrivalMs: first.start, runs: [], invocations: [] }
  if (typeof first.setup === 'string') trace.setup = first.setup
  let missing = others.filter((record) => !record.fired && record !== first).length
  const roots = [first, ...requests.filter((record) => record !== first), ...others.filter((x) => x !== first)]
  const queue: Placed[] = roots.map((record) => ({ record, parent: -1 }))
  const seen = new Set<InvocationRecord>(roots)
  for (let at = 0; at < queue.length; at++) missing += place(trace, queue[at] as Placed, byParent, queue, seen)
  if (missing > 0) trace.missing = missing
  return trace
}

/** Adds a record's runs and queues the records that they started. @returns remote calls without the callee's record */
function place(
  trace: RequestTrace,
  { record, parent, mode = record.mode, call }: Placed,
  byParent: ReadonlyMap<string, InvocationRecord[]>,
  queue: Placed[],
  seen: Set<InvocationRecord>,
): number {
  const from = record.start - trace.arrivalMs
  const invocation = trace.invocations.length
  trace.invocations.push({
    function: record.function,
    memoryMb: record.memory,
    startMs: from,
    endMs: from + record.wall,
    coldMs: record.cold,
    ...(record.peakMb > 0 && { peakMb: record.peakMb }),
  })
  const cpu = record.cpu === undefined ? undefined : figuresOf(record)
  const runOf: number[] = []
  let missing = 0
  for (const [i, span] of record.spans.entries()) {
    const caller = span.parent < 0 ? parent : (runOf[span.parent] as number)
    const open = { startMs: from + span.start, endMs: from + span.end }
    const callees = (byParent.get(spanId(record.span, i)) ?? []).filter((callee) => !seen.has(callee))
    for (const callee of callees) seen.add(callee)
    if (span.route === 'remote') {
      runOf.push(caller)
      callees.sort((a, b) => a.attempt - b.attempt)
      // The result is that of the last attempt: the caller waited for it.
      for (const [k, callee] of callees.entries())
        queue.push({ record: callee, parent: caller, mode: span.mode, ...(k === callees.length - 1 && { call: open }) })
      if (callees.length === 0) {
        missing++
        const waits = trace.runs[caller]
        if (waits && span.mode !== 'send') waits.outsideMs = (waits.outsideMs ?? 0) + span.end - span.start
      }
      continue
    }
    const run: TaskRun = {
      task: span.task,
      parent: caller,
      mode: span.parent < 0 ? mode : span.mode,
      route: span.parent < 0 ? 'remote' : 'inline',
      ...open,
      invocation,
      bytesIn: span.bytesIn,
      bytesOut: span.bytesOut,
    }
    if (span.parent < 0 && call) run.call = call
    const ownCpu = cpu?.[i]?.ownCpuMs
    if (ownCpu !== undefined) run.cpuMs = ownCpu
    if (span.error !== undefined) run.error = shortText(span.error)
    runOf.push(trace.runs.push(run) - 1)
    for (const callee of callees) queue.push({ record: callee, parent: runOf[i] as number })
  }
  return missing
}

function earliest(records: readonly InvocationRecord[]): InvocationRecord | undefined {
  return records.reduce<InvocationRecord | undefined>((a, b) => (a && a.start <= b.start ? a : b), undefined)
}

function push<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key)
  if (list) list.push(value)
  else lists.set(key, [value])
}
