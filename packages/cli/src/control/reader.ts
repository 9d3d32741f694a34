import { createMonitor, type Measurement, measure, type PlannerFacts, type Profile } from '@fusionize/planner'
import type { Evidence } from './lab.js'

/** Turns what a load left behind into figures and a profile. */
export type Reader = (evidence: Evidence) => { measurement: Measurement; profile: Profile }

/** Reads by the planner's monitor; a record that came twice counts once. */
export function createReader(facts: PlannerFacts): Reader {
  return ({ samples, records, codeBytes = {} }) => {
    const monitor = createMonitor({ codeBytes })
    const distinct = records.filter((record) => monitor.add(record))
    return { measurement: measure(samples, distinct, facts), profile: monitor.profile() }
  }
}
