import { type InvocationRecord, type Span, spanId, spanOf } from 'fusionize/record'

/** All records of one request so far. */
export interface Trace {
  trace: string
  /** In order of arrival. */
  records: InvocationRecord[]
  /** The record without a caller has arrived, and both ends of every remote call and send. */
  complete: boolean
}

/** A trace that still waits for records. */
export interface OpenTrace extends Trace {
  hasRoot: boolean
  /** Remote calls without the callee's record, by span id. */
  callers: Map<string, { record: InvocationRecord; span: Span }>
  /** Callees without the caller's record, by the caller's span id. */
  callees: Map<string, InvocationRecord[]>
  /** By the id of the root span. */
  byRoot: Map<string, InvocationRecord>
  /** Spans whose two ends have met: a retry of the callee finds its caller here. */
  met: Set<string>
  /** Something was put, or started by what was put: more may start after the trace seemed complete. */
  mayGoOn: boolean
}

/** Both ends of a remote call; of a bundle of several, the first stands for all: they were handed over together. */
export interface Link {
  caller: InvocationRecord
  span: Span
  callee: InvocationRecord
}

/** More spans than an invocation has. */
const MAX_INDEX = 2 ** 20

/**
 * Whether a record is of an external request's first invocation: no trigger started it, and it has no caller, or one outside the
 * application. Span ids of ours end in the span's number; an id whose end is no such number is the client's.
 */
export function isRequest({ fired, parent }: InvocationRecord): boolean {
  if (fired) return false
  return parent === null || spanOf(parent).index >= MAX_INDEX
}

export function openTrace(trace: string): OpenTrace {
  return {
    trace,
    records: [],
    complete: false,
    hasRoot: false,
    callers: new Map(),
    callees: new Map(),
    byRoot: new Map(),
    met: new Set(),
    mayGoOn: false,
  }
}

/** Adds a record and returns the calls whose second end it is. */
export function addToTrace(trace: OpenTrace, record: InvocationRecord): Link[] {
  const links: Link[] = []
  trace.records.push(record)
  trace.byRoot.set(record.span, record)
  // What a bucket started points to what was put last, in another trace it may be: no record here has to wait for it.
  if (isRequest(record) || record.fired) trace.hasRoot = true
  if (record.puts || record.fired) trace.mayGoOn = true
  /** Spans whose callee is a bundle that came before. */
  const bundled = new Set<string>()
  for (const [i, span] of record.spans.entries()) {
    const id = spanId(record.span, i)
    const callees = trace.callees.get(id) ?? []
    trace.callees.delete(id)
    if (span.route === 'inline') continue
    for (const callee of callees) links.push({ caller: record, span, callee })
    for (const callee of callees) for (const one of callersOf(callee, id)) bundled.add(one)
    if (callees.length > 0 || bundled.has(id)) trace.met.add(id)
    else trace.callers.set(id, { record, span })
  }
  if (record.parent !== null && !isRequest(record) && !record.fired) linkToCaller(trace, record, record.parent, links)
  trace.complete = trace.hasRoot && trace.callers.size === 0 && trace.callees.size === 0
  return links
}

/** Ids of the spans that call a record's invocation: of a bundle, as many as it has items. */
function callersOf({ items = 1 }: InvocationRecord, parent: string): string[] {
  const { root, index } = spanOf(parent)
  return Array.from({ length: items }, (_, i) => spanId(root, index + i))
}

function linkToCaller(trace: OpenTrace, record: InvocationRecord, parent: string, links: Link[]): void {
  const caller = trace.callers.get(parent)
  if (caller) {
    for (const id of callersOf(record, parent)) {
      trace.callers.delete(id)
      trace.met.add(id)
    }
    links.push({ caller: caller.record, span: caller.span, callee: record })
    return
  }
  // A retry, or an inline send that was run again elsewhere because its sandbox died: its caller is known.
  const { root, index } = spanOf(parent)
  if (trace.met.has(parent) || trace.byRoot.get(root)?.spans[index]) return
  const waiting = trace.callees.get(parent)
  if (waiting) waiting.push(record)
  else trace.callees.set(parent, [record])
}
