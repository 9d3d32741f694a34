import type { LoadProfile } from 'fusionize'
import { arrivals, evenly, meanRps } from './load/arrivals.js'

/** How a run spends its time. */
export interface Schedule {
  profile: LoadProfile
  rps: number
  warmUpSeconds: number
  /** Of the measured load of each round. */
  arrivals: number[]
  /** Requests of a baseline's probe. */
  probeRequests: number
  /** Samples that a finalist has in the end. */
  finalSamples: number
  blockRequests: number
  /** Seconds that a block takes beside its load. */
  blockSeconds: number
  /** Seconds that the whole run is expected to take. */
  estimateSeconds: number
  words: string
}

export interface ScheduleOptions {
  profile: LoadProfile
  /** Samples of each finalist. */
  requests: number
  /** Ends re-measuring in time; undefined = no limit. */
  seconds?: number
  baselines: number
  compareEmulation: boolean
}

/** p95 needs 300 samples (METRICS), so no round has fewer unless the user asks for it. */
const ROUND_REQUESTS = 300
const PROBE_REQUESTS = 150
const BLOCKS = 2
/** Build, deployment, start of the load's client, waiting for the last async work. */
const SECONDS_PER_TURN = 2
const EXPECTED_ROUNDS = 3
const PROBES_PER_BASELINE = 3

/** Decides how many requests go where; the same for every setup. */
export function schedule(options: ScheduleOptions): Schedule {
  const { profile, requests } = options
  const steady = profile.kind === 'steady'
  const rps = profile.kind === 'burst' ? profile.from : profile.rps
  const all = arrivals(profile)
  const roundArrivals = steady ? evenly(Math.min(all.length, requests, ROUND_REQUESTS), rps) : all
  const warmUpSeconds = profile.kind === 'cold' ? 0 : 2
  const probeRequests = Math.min(roundArrivals.length, PROBE_REQUESTS)
  const finalSamples = steady ? requests : roundArrivals.length
  const blockSeconds = warmUpSeconds + SECONDS_PER_TURN
  const turn = (count: number) => count / (steady ? rps : meanRps(profile)) + blockSeconds
  const finalists = options.baselines > 0 ? 2 + options.baselines : 0
  const missing = Math.max(0, finalSamples - probeRequests)
  const blockRequests = Math.max(1, Math.ceil(missing / BLOCKS))
  const round = turn(roundArrivals.length)
  const estimate =
    EXPECTED_ROUNDS * round +
    options.baselines * PROBES_PER_BASELINE * turn(probeRequests) +
    (missing > 0 ? finalists * BLOCKS * turn(blockRequests) : 0) +
    (options.compareEmulation ? 2 * round : 0)
  const estimateSeconds = Math.round(Math.min(estimate, options.seconds ?? Number.POSITIVE_INFINITY))
  return {
    profile,
    rps,
    warmUpSeconds,
    arrivals: roundArrivals,
    probeRequests,
    finalSamples,
    blockRequests,
    blockSeconds,
    estimateSeconds,
    words: inWords(
      options,
      roundArrivals.length,
      rps,
      finalists > 0 ? finalSamples : 0,
      warmUpSeconds,
      estimateSeconds,
    ),
  }
}

function inWords(
  options: ScheduleOptions,
  perRound: number,
  rps: number,
  finalSamples: number,
  warmUpSeconds: number,
  seconds: number,
): string {
  const load =
    options.profile.kind === 'burst'
      ? `burst of ${options.profile.from} to ${options.profile.to} requests/s`
      : `${options.profile.kind} load of ${rps} requests/s`
  return [
    `About ${duration(seconds)}: ${load}, ${perRound} requests for each setup${warmUpSeconds > 0 ? ` after ${warmUpSeconds} s of warm-up` : ''}`,
    options.baselines > 0 &&
      `then ${options.baselines} baselines, and all finalists again in turn up to ${finalSamples} requests each`,
    options.compareEmulation && 'then the first and the adopted setup without emulated delays',
  ]
    .filter(Boolean)
    .join('; ')
    .concat('.')
}

export function duration(seconds: number): string {
  const minutes = Math.floor(seconds / 60)
  const rest = Math.round(seconds % 60)
  return minutes === 0 ? `${rest} s` : `${minutes} min ${rest} s`
}
