import type { Distribution } from '../statistics/distribution.js'

/** What was seen of one stage: the runs of one task that one task starts beside each other. */
export interface StageSeen {
  from: string
  to: string
  /** Requests in which at least two of its runs lay beside each other. */
  requests: number
  workers: Distribution
  /** Slowest / median worker (METRICS, skew). */
  skew: Distribution
  /** Sums over ordered pairs of workers of one request, for the correlation of their times. */
  pairs: { n: number; x: number; xx: number; xy: number }
}

/**
 * What requests look like; plain data, mergeable, of a size that does not grow with the requests seen. Quantiles are within 1% (`Distribution`).
 */
export interface Characteristics {
  v: 1
  requests: number
  /** Ms from the arrival to the end of the first run. */
  latencyMs: Distribution
  /** Most runs of a stage, per request. */
  width: Distribution
  /** Runs on the longest way, one after the other, per request. */
  depth: Distribution
  /** Runs per request. */
  nodes: Distribution
  /** Slowest / median worker, per request and stage of two workers or more. */
  skew: Distribution
  /** Input and output together, per run that was called remotely and tells both or one. */
  payloadBytes: Distribution
  /** Sandboxes started, per request whose invocations all tell whether they were cold. */
  startUps: Distribution
  /** Ms of a start-up. */
  startUpMs: Distribution
  /** Share of the billed time that is double billing (METRICS), per request: 0…1. */
  doubleBilling: Distribution
  /** Sums of all requests. `gbMs` weighs with memory; it counts only the `knownMs` of invocations whose memory is known. */
  billed: { ms: number; doubleMs: number; knownMs: number; gbMs: number; doubleGbMs: number }
  /** By `from>to`. */
  stages: Record<string, StageSeen>
  /** Requests in whose traces the other end of a call is missing. */
  incomplete: number
}
