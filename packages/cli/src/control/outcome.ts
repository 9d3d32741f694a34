import type { Estimate, Goal, Measurement, Reason } from '@fusionize/planner'
import type { Facts } from '@fusionize/platform'
import type { App, FusionSetup } from 'fusionize/setup'
import type { Figures } from '../graph/model.js'

/** One setup that was deployed, and what came of it. */
export interface Row {
  /** Setup id. */
  id: string
  setup: FusionSetup
  /** In the notation for people. */
  notation: string
  /** Strategy that proposed it, or the baseline's name. */
  strategy: string
  /** One line. */
  reason: string
  reasons: Reason[]
  /** Null when the deployment failed. */
  measurement: Measurement | null
  /** Why it can never be adopted: the deployment failed, or requests did. Absent when all went well. */
  failure?: string
  /** Share of the machine's CPU that was busy during the load, whoever used it. */
  machineBusy?: number
  /** The same setup without emulated delays, when that was measured. */
  emulationOff?: Measurement
}

/** CPU, data and money that one part of the management took (METRICS, management cost). */
export interface ManagementCost {
  cpuSeconds: number
  bytes: number
  /** The CPU seconds at the platform's price of one core; null when it has none. */
  usd: number
}

export interface Overhead extends ManagementCost {
  /** Reads records and makes profiles. */
  monitor: ManagementCost
  /** Proposes setups and judges them. */
  optimizer: ManagementCost
  /** Builds and deploys. */
  deployer: ManagementCost
  perMillionRequests: ManagementCost
  /** Distinct setups that served a request before the adoption. */
  deployments: number
  /** Requests that the rounds spent, warm-ups included. */
  requestsSpent: number
  /** From the first deployment to the adoption, s. */
  seconds: number
}

/** How much of the gain is made by delays that the local platform only emulates. */
export interface EmulationShare {
  first: { on: Measurement; off: Measurement }
  adopted: { on: Measurement; off: Measurement }
  /** 1 − gain off / gain on, of the median latency in ms and of the cost; null where there is no gain or no cost. */
  medianShare: number | null
  costShare: number | null
}

export interface Domination {
  /** Row that is better. */
  by: string
  what: string
}

export interface Verdict {
  /** Of the adopted setup against the first, 0.5 = halved; null where a figure is missing. */
  medianReduction: number | null
  costReduction: number | null
  /** Rows that are no worse in median latency and cost and better in one of them beyond the intervals. */
  dominatedBy: Domination[]
  /** Rows that the adopted setup only equals: the same setup, or the same figures within the intervals. */
  equals: { row: string; how: 'same setup' | 'same figures' }[]
  /** Sentences for people. */
  words: string[]
}

export interface Machine {
  cpu: string
  cores: number
  memoryGb: number
  node: string
  os: string
}

/** All that a run of `optimize` found; tables, report and JSON are views of it. */
export interface Outcome {
  app: App
  /** ISO time of the start. */
  startedAt: string
  facts: Facts
  machine: Machine
  goal: Goal
  strategy: string
  load: { profile: string; rps: number; requestsPerSetup: number; warmUpSeconds: number; seed: number }
  /** In order of deployment. */
  rounds: Row[]
  baselines: Row[]
  bestId: string
  converged: boolean
  overhead: Overhead
  emulation: EmulationShare | null
  verdict: Verdict
  /** Of the first setup and of the adopted one, for the call graphs. */
  figures: { first: Figures; adopted: Figures }
  /** Seconds of the whole run. */
  seconds: number
}

export function rowOf(outcome: Pick<Outcome, 'rounds' | 'baselines'>, id: string): Row | undefined {
  return [...outcome.rounds, ...outcome.baselines].find((row) => row.id === id)
}

/** Samples below which a percentile is only indicative (METRICS). */
export const enough = { p50Ms: 30, p95Ms: 300, p99Ms: 1000 } as const

export function isIndicative(which: keyof typeof enough, estimate: Estimate): boolean {
  return estimate.n < enough[which]
}
