import { type InvocationRecord, type Span, spanId } from 'fusionize/record'
import { emptyProfile, foldHandOver, foldRecord } from './fold.js'
import type { Profile } from './types.js'

export interface MonitorOptions {
  /** Remote calls kept while the other end's record is awaited. @default 50000 */
  pending?: number
  /** Invocations remembered to tell duplicates. @default 100000 */
  remembered?: number
  /** Traces kept for `traces()`; the oldest go first. @default 1000 */
  traces?: number
}

/** All records of one request so far. */
export interface Trace {
  trace: string
  records: InvocationRecord[]
  /** The record without a caller has arrived, and for every remote call and send the callee's. */
  complete: boolean
}

/** Records in, profile out. Late, missing, repeated and unordered records are normal. */
export interface Monitor {
  /** @returns false when the record was a duplicate */
  add(record: InvocationRecord): boolean
  profile(): Profile
  traces(): Trace[]
}

/** A monitor with bounded memory: what never finds its other end is counted as unmatched. */
export function createMonitor(options: MonitorOptions = {}): Monitor {
  const { pending = 50_000, remembered = 100_000, traces: kept = 1000 } = options
  const profile = emptyProfile()
  const seen = new Set<string>()
  const callers = new Map<string, { record: InvocationRecord; span: Span }>()
  const callees = new Map<string, InvocationRecord>()
  const traces = new Map<string, InvocationRecord[]>()

  const drop = (map: Map<string, unknown>) => {
    if (map.size <= pending) return
    map.delete(map.keys().next().value as string)
    profile.unmatched++
  }

  return {
    add(record) {
      const key = `${record.invocation}#${record.attempt}`
      if (seen.has(key)) {
        profile.duplicates++
        return false
      }
      seen.add(key)
      if (seen.size > remembered) seen.delete(seen.keys().next().value as string)
      foldRecord(profile, record)
      keep(traces, record, kept)
      for (const [i, span] of record.spans.entries()) {
        if (span.route !== 'remote') continue
        const id = spanId(record.span, i)
        const callee = callees.get(id)
        if (callee) {
          callees.delete(id)
          foldHandOver(profile, record, span, callee)
        } else {
          callers.set(id, { record, span })
          drop(callers)
        }
      }
      if (record.parent === null || record.attempt > 1) return true
      const caller = callers.get(record.parent)
      if (caller) {
        callers.delete(record.parent)
        foldHandOver(profile, caller.record, caller.span, record)
      } else {
        callees.set(record.parent, record)
        drop(callees)
      }
      return true
    },
    profile: () => ({ ...structuredCloneOf(profile), unmatched: profile.unmatched + callers.size + callees.size }),
    traces: () => [...traces].map(([trace, records]) => ({ trace, records, complete: isComplete(records) })),
  }
}

function keep(traces: Map<string, InvocationRecord[]>, record: InvocationRecord, limit: number): void {
  const records = traces.get(record.trace)
  if (records) records.push(record)
  else traces.set(record.trace, [record])
  if (traces.size > limit) traces.delete(traces.keys().next().value as string)
}

function isComplete(records: readonly InvocationRecord[]): boolean {
  const parents = new Set(records.map((record) => record.parent))
  return (
    parents.has(null) &&
    records.every((record) =>
      record.spans.every((span, i) => span.route === 'inline' || parents.has(spanId(record.span, i))),
    )
  )
}

/** A profile is plain data, so JSON copies it. */
function structuredCloneOf(profile: Profile): Profile {
  return JSON.parse(JSON.stringify(profile)) as Profile
}
