import {
  createMonitor,
  type Measurement,
  measure,
  type PlannerFacts,
  type Profile,
  type RequestTrace,
  settledRecords,
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
}

/** Reads by the planner's monitor; a record that came twice counts once. */
export function createReader(facts: PlannerFacts): Reader {
  return ({ samples, records, codeBytes = {} }) => {
    const monitor = createMonitor({ codeBytes })
    const distinct = records.filter((record) => monitor.add(record))
    return {
      measurement: measure(samples, distinct, facts),
      profile: monitor.profile(),
      traces: spread(tracesOfRecords(settledRecords(samples, distinct)), KEPT_TRACES),
    }
  }
}
