import type { Arrivals } from '@fusionize/planner'
import type { LoadProfile } from 'fusionize'
import { numberFlag } from '../../terminal/check-args.js'
import { UsageError } from '../../terminal/usage-error.js'

export interface LoadFlags {
  rate?: string | undefined
  burst?: string | undefined
  requests?: string | undefined
  evenly: boolean
}

/** Requests when the command line names no number. */
const REQUESTS = 10_000

/**
 * The load that the command line asks for; the profiles of the configuration say what it leaves open.
 * @throws {UsageError} what is asked for is no load
 */
export function loadOf(flags: LoadFlags, profiles: Record<'steady' | 'burst', LoadProfile>): Arrivals {
  const requests = numberFlag('requests', flags.requests, { min: 1, whole: true })
  if (flags.burst !== undefined) {
    if (flags.rate !== undefined || requests !== undefined)
      throw new UsageError(
        '--burst has rates and a length of its own: give it without --rate and --requests',
        'simulate',
      )
    return burstOf(flags.burst, profiles.burst)
  }
  const rps = numberFlag('rate', flags.rate, { min: 0.001 }) ?? rpsOf(profiles.steady)
  return { kind: flags.evenly ? 'steady' : 'poisson', rps, requests: requests ?? REQUESTS }
}

/** The load in words. */
export function loadText(load: Arrivals): string {
  if (load.kind === 'burst')
    return `${load.from} to ${load.to} requests/s in steps of ${load.step} every ${load.everySeconds} s`
  if (load.kind === 'recorded') return `${load.atMs.length} recorded arrivals`
  return `${load.requests} requests, ${load.rps} a second ${load.kind === 'steady' ? 'evenly spaced' : 'at random'}`
}

function burstOf(text: string, profile: LoadProfile): Arrivals {
  const [, low, high] = /^(\d+(?:\.\d+)?)\.\.(\d+(?:\.\d+)?)$/.exec(text.trim()) ?? []
  const [from, to] = [Number(low), Number(high)]
  if (low === undefined || high === undefined || from <= 0 || to < from)
    throw new UsageError(`--burst must be two rates, the lower first, as in 5..40, not '${text}'`, 'simulate')
  const { step, everySeconds } = profile.kind === 'burst' ? profile : { step: 5, everySeconds: 2 }
  return { kind: 'burst', from, to, step, everySeconds }
}

function rpsOf(profile: LoadProfile): number {
  return profile.kind === 'burst' ? profile.from : profile.rps
}
