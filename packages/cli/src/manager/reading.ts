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
  /** Of the requests that went well; so without errors. */
  measurement: Measurement
}

/**
 * Reads a window. There is no client to ask: a request takes from its start-up, if any, to its reply.
 * @param beforeMs epoch ms from which requests do not count yet
 */
export function readingOf({ failures, records: all }: Window, facts: PlannerFacts, beforeMs: number): Reading {
  const monitor = createMonitor({})
  const records = settled(all, beforeMs).filter((record) => monitor.add(record))
  const roots = records.filter(isRequest).sort((a, b) => a.start - b.start)
  const broken = new Set(records.filter(hasError).map(({ session }) => session))
  const first = roots[0]?.start ?? 0
  const samples = roots
    .filter(({ session }) => !broken.has(session))
    .map(
      ({ cold, reply, session, start }): RequestSample => ({
        startMs: start - first,
        latencyMs: reply + (cold ?? 0),
        session,
      }),
    )
  const sound = records.filter(({ session }) => !broken.has(session))
  return {
    requests: roots.length + failures,
    errors: roots.length - samples.length + failures,
    measurement: measure(samples, sound, facts),
    profile: monitor.profile(),
    traces: spread(tracesOfRecords(sound), KEPT_TRACES),
  }
}

/** A run or a call that failed, wherever it ran: so that a setup in which calls are inline has no fewer of them. */
function hasError({ spans }: InvocationRecord): boolean {
  return spans.some(({ error }) => error !== undefined)
}
