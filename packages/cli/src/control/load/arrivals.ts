import type { LoadProfile } from 'fusionize'
import { FusionizeError } from 'fusionize'

/** Requests that one load may make at most; a longer one is an error, not a surprise. */
export const MAX_REQUESTS = 1_000_000

/**
 * Intended starts of an open-loop load, ms from its beginning, ascending. They depend on the profile alone: no reply, however late,
 * moves an arrival.
 * @throws {FusionizeError} INVALID_CONFIG when a figure is not positive or the load has more than MAX_REQUESTS requests
 */
export function arrivals(profile: LoadProfile): number[] {
  const steps = stepsOf(profile)
  const total = steps.reduce((sum, step) => sum + step.rps * step.seconds, 0)
  if (total > MAX_REQUESTS)
    throw invalid(profile, `makes ${Math.round(total)} requests; the most is ${MAX_REQUESTS}: lower rps or seconds`)
  const starts: number[] = []
  let begin = 0
  for (const { rps, seconds } of steps) {
    const count = Math.round(rps * seconds)
    for (let i = 0; i < count; i++) starts.push(begin + (i * 1000) / rps)
    begin += seconds * 1000
  }
  return starts
}

/** Length of a load in ms, from its first arrival to the end of its last step. */
export function durationMs(profile: LoadProfile): number {
  return stepsOf(profile).reduce((sum, step) => sum + step.seconds * 1000, 0)
}

/** Arrivals per second over the whole load. */
export function meanRps(profile: LoadProfile): number {
  return (arrivals(profile).length * 1000) / durationMs(profile)
}

/**
 * `count` evenly spaced arrivals at `rps`: what a warm-up and a block of a comparison use.
 * @throws {FusionizeError} INVALID_CONFIG when a figure is not positive
 */
export function evenly(count: number, rps: number): number[] {
  return arrivals({ kind: 'steady', rps, seconds: count / rps })
}

function stepsOf(profile: LoadProfile): { rps: number; seconds: number }[] {
  for (const [key, value] of Object.entries(profile))
    if (key !== 'kind' && !(typeof value === 'number' && Number.isFinite(value) && value > 0))
      throw invalid(profile, `has ${key}: ${String(value)}; it must be a number above 0`)
  if (profile.kind !== 'burst') return [{ rps: profile.rps, seconds: profile.seconds }]
  if (profile.from > profile.to) throw invalid(profile, `goes from ${profile.from} down to ${profile.to} rps`)
  const steps = []
  for (let rps = profile.from; rps <= profile.to; rps += profile.step)
    steps.push({ rps, seconds: profile.everySeconds })
  return steps
}

function invalid(profile: LoadProfile, problem: string): FusionizeError {
  return new FusionizeError('INVALID_CONFIG', `load profile '${profile.kind}' ${problem}`)
}
