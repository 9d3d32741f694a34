import type { InvocationRecord } from 'fusionize/record'
import { emptyProfile, foldFired, foldHandOver, foldRecord } from './fold.js'
import { profileFromJSON } from './json.js'
import { findProducers } from './producers.js'
import { addToTrace, type OpenTrace, openTrace, type Trace } from './trace.js'
import type { Profile } from './types.js'

export type { Trace } from './trace.js'

export interface MonitorOptions {
  /** Traces that may wait for records at a time; beyond, the oldest is closed as incomplete. @default 10000 */
  open?: number
  /** Records that open traces may hold in total; beyond, the oldest is closed as incomplete. @default 200000 */
  openRecords?: number
  /** Invocations, closed traces, and runs that put, remembered to tell duplicates, late records, and who put. @default 100000 */
  remembered?: number
  /** Closed traces kept for `traces()`; the oldest go first. @default 0 */
  kept?: number
  /** Bytes of each function's code in the setup that reports: what start-ups are told against. @default {} */
  codeBytes?: Readonly<Record<string, number>>
}

/** Defaults of `MonitorOptions`. */
export const defaults: Required<MonitorOptions> = {
  open: 10_000,
  openRecords: 200_000,
  remembered: 100_000,
  kept: 0,
  codeBytes: {},
}

/** Records in, profile out. Late, missing, repeated and unordered records are normal. */
export interface Monitor {
  /** @returns false when the record was a duplicate, which changes nothing but their count */
  add(record: InvocationRecord): boolean
  /** What is known so far, as if all open traces were closed now; a copy. */
  profile(): Profile
  /** The traces that are kept, oldest first, then those that are open. */
  traces(): Trace[]
  /** Closes all open traces: what they still waited for is counted as unmatched. Returns the profile. */
  flush(): Profile
}

/**
 * A monitor in bounded memory. A trace is closed once every record that its records point to has come. Figures of a single record are in the
 * profile at once, those of a pair (hand-over, or a put and what it started) when the second comes. A trace in which something was put is
 * opened again when more of it comes.
 */
export function createMonitor(options: MonitorOptions = {}): Monitor {
  const limits = { ...defaults, ...options }
  const profile = emptyProfile()
  const seen = new Set<string>()
  const open = new Map<string, OpenTrace>()
  /** Closed traces; of those that may go on, whether they were complete. */
  const closed = new Map<string, boolean | undefined>()
  const producers = findProducers(limits.remembered, () => profile.unmatched++)
  const kept: Trace[] = []
  let held = 0

  const close = (trace: OpenTrace) => {
    open.delete(trace.trace)
    held -= trace.records.length
    closed.set(trace.trace, trace.mayGoOn ? trace.complete : undefined)
    forget(closed, limits.remembered)
    countClosed(profile, trace)
    if (limits.kept === 0) return
    kept.push({ trace: trace.trace, records: trace.records, complete: trace.complete })
    if (kept.length > limits.kept) kept.shift()
  }
  const oldest = () => open.values().next().value as OpenTrace

  const reopen = (id: string): OpenTrace | undefined => {
    const wasComplete = closed.get(id)
    if (wasComplete === undefined) return undefined
    closed.delete(id)
    profile.traces[wasComplete ? 'complete' : 'incomplete']--
    const at = kept.findIndex((trace) => trace.trace === id)
    const records = kept.splice(at, at < 0 ? 0 : 1)[0]?.records ?? []
    held += records.length
    return { ...openTrace(id), records, hasRoot: wasComplete, mayGoOn: true }
  }

  const link = (record: InvocationRecord) => {
    const trace = open.get(record.trace) ?? reopen(record.trace) ?? openTrace(record.trace)
    open.set(record.trace, trace)
    held++
    for (const { caller, span, callee } of addToTrace(trace, record))
      if (callee.attempt === 1) foldHandOver(profile, caller, span, callee)
    if (trace.complete) close(trace)
    while (open.size > limits.open || held > limits.openRecords) close(oldest())
  }

  return {
    add(record) {
      const key = `${record.invocation}#${record.attempt}`
      if (seen.has(key)) {
        profile.duplicates++
        return false
      }
      seen.add(key)
      forget(seen, limits.remembered)
      foldRecord(profile, record, limits.codeBytes[record.function])
      for (const { from, to, fired } of producers.add(record)) foldFired(profile, from, to, fired)
      const goesOn = record.attempt === 1 && closed.get(record.trace) !== undefined
      if (!closed.has(record.trace) || goesOn) link(record)
      // A retry comes after its trace seemed complete; nothing of it is lost.
      else if (record.attempt === 1) profile.late++
      return true
    },
    profile() {
      const copy = profileFromJSON(JSON.stringify(profile))
      for (const trace of open.values()) countClosed(copy, trace)
      copy.unmatched += producers.waiting()
      return copy
    },
    traces: () => [
      ...kept,
      ...[...open.values()].map(({ trace, records, complete }) => ({ trace, records, complete })),
    ],
    flush() {
      while (open.size > 0) close(oldest())
      profile.unmatched += producers.giveUp()
      return this.profile()
    },
  }
}

function countClosed(profile: Profile, trace: OpenTrace): void {
  profile.traces[trace.complete ? 'complete' : 'incomplete']++
  profile.unmatched += trace.callers.size
  for (const callees of trace.callees.values()) profile.unmatched += callees.length
}

/** Lets the oldest member go when there are too many. */
function forget(members: Set<string> | Map<string, unknown>, limit: number): void {
  if (members.size > limit) members.delete(members.keys().next().value as string)
}
