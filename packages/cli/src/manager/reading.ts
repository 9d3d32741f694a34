import {
  createMonitor,
  isRequest,
  type Measurement,
  measure,
  type PlannerFacts,
  type RequestSample,
  type Round,
  spread,
  tracesOfRecords,
} from '@fusionize/planner'
import type { InvocationRecord } from 'fusionize/record'
import type { Window } from './state.js'
import { settled } from './window.js'

/** Requests of a round that are kept for models to run again. */
const KEPT_TRACES = 200

/** What real requests say of a setup. */
export interface Reading extends Pick<Round, 'profile' | 'traces'> {
  requests: number
  /** Requests in whose session anything failed, and invocations that ended without a word. */
  errors: number
  /** Requests that went well, and in whose session no environment started. */
  whole: number
  /** Of these. */
  measurement: Measurement
}

/**
 * Reads a window. There is no client to ask: a request takes what its entry took to reply. How often environments start depends on the share of sessions that a setup has, so
 * sessions in which one did say nothing of what it is like.
 * @param beforeMs epoch ms from which requests do not count yet
 */
export function readingOf({ records: all }: Window, facts: PlannerFacts, beforeMs: number): Reading {
  const monitor = createMonitor({})
  const records = settled(all, beforeMs).filter((record) => monitor.add(record))
  const sessions = new Set(all.filter(isRequest).map(({ session }) => session))
  const lost = all.filter((record) => !sessions.has(record.session) && isLost(record)).length
  const roots = records.filter(isRequest).sort((a, b) => a.start - b.start)
  const broken = new Set(records.filter(hasError).map(({ session }) => session))
  const first = roots[0]?.start ?? 0
  const started = new Set(records.filter(({ cold }) => cold !== null).map(({ session }) => session))
  const isSound = ({ session }: InvocationRecord) => !broken.has(session)
  const isWhole = ({ session }: InvocationRecord) => !broken.has(session) && !started.has(session)
  const samples = roots
    .filter(isWhole)
    .map(({ reply, session, start }): RequestSample => ({ startMs: start - first, latencyMs: reply, session }))
  return {
    requests: roots.length + lost,
    errors: roots.length - roots.filter(isSound).length + lost,
    whole: samples.length,
    measurement: measure(samples, records.filter(isWhole), facts),
    profile: monitor.profile(),
    traces: spread(tracesOfRecords(records.filter(isSound)), KEPT_TRACES),
  }
}

/** An invocation that its sandbox did not survive, of which only Lambda tells: its session is not known. */
function isLost(record: InvocationRecord): boolean {
  const error = record.spans[0]?.error ?? ''
  return !isRequest(record) && record.spans.length === 1 && /^(TIMEOUT|SANDBOX_CRASHED|OUT_OF_MEMORY): /.test(error)
}

/** A run or a call that failed, wherever it ran: so that a setup in which calls are inline has no fewer of them. */
function hasError({ spans }: InvocationRecord): boolean {
  return spans.some(({ error }) => error !== undefined)
}
