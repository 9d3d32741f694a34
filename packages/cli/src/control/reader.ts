import {
  createMonitor,
  type Measurement,
  measure,
  type PlannerFacts,
  type Profile,
  type RequestTrace,
  settledOf,
  spread,
  tracesOfRecords,
} from '@fusionize/planner'
import type { Evidence } from './lab.js'

/** Requests of a round that are kept for models to run again. */
const KEPT_TRACES = 300

/** Turns what a load left behind into figures, a profile, and requests that can be run again. */
export type Reader = (evidence: Evidence) => {
  measurement: Measurement
  profile: Profile
  traces: readonly RequestTrace[]
  /** Without the load's start, where it had one. */
  settled?: Measurement
}

/** Reads by the planner's monitor; a record that came twice counts once. */
export function createReader(facts: PlannerFacts): Reader {
  return ({ samples, records, codeBytes = {} }) => {
    const monitor = createMonitor({ codeBytes })
    const distinct = records.filter((record) => monitor.add(record))
    const settled = settledOf(samples, distinct)
    return {
      measurement: measure(samples, distinct, facts),
      profile: monitor.profile(),
      traces: spread(tracesOfRecords(settled.records), KEPT_TRACES),
      ...(settled.samples !== samples && { settled: measure(settled.samples, settled.records, facts) }),
    }
  }
}
