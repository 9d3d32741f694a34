import type { Measurement } from '@fusionize/planner'
import type { HistoryRound } from './history.js'
import type { Evidence } from './lab.js'

/** Turns what a load left behind into figures and a profile. */
export type Reader = (evidence: Evidence) => { measurement: Measurement; profile: HistoryRound['profile'] }
