import type { Replayer } from './replayer.js'
import type { Advice } from './types.js'
import { names, percent } from './words.js'

/** Requests that a 95th percentile needs (METRICS). */
const FOR_P95 = 300

/** What cannot be told from these traces, and why. */
export function limitsOf(advice: Advice, sampled: number, { isTold }: Replayer): string[] {
  const { characteristics, entries, requests, sizes } = advice
  const limits: string[] = []
  if (advice.otherRequests > 0)
    limits.push(
      `The advice is about the last setup${advice.setup === undefined ? '' : `, ${advice.setup}`}: ${requests} requests. ${advice.otherRequests} requests of other setups only tell how time depends on size.`,
    )
  const noMemory = sizes.filter(({ memoryMb }) => memoryMb === undefined).map((size) => size.function)
  if (noMemory.length > 0)
    limits.push(
      `The memory of ${names(noMemory)} is not in the traces${advice.total.nowPerMillionUsd ? '; one was assumed' : ': no cost is told. Assume one with --memory'}.`,
    )
  const unsized = sizes.filter(({ from, memoryMb }) => memoryMb !== undefined && from === 'nothing')
  if (unsized.length > 0)
    limits.push(
      `No size is advised for ${names(unsized.map((size) => size.function))}: seen at one size only, without CPU time.`,
    )
  if (!isTold)
    limits.push(
      'The traces do not tell computing from waiting everywhere: where that matters, intervals reach from all waiting to all computing.',
    )
  if (characteristics.incomplete > 0)
    limits.push(
      `In ${percent(characteristics.incomplete / requests)} of the requests the other end of a call is missing: the function does not report, or its spans were lost. That time counts as waiting for something outside.`,
    )
  const few = entries.filter((entry) => entry.sampled < FOR_P95)
  if (few.length > 0)
    limits.push(`P95 of ${names(few.map(({ task }) => task))} is only indicative: fewer than ${FOR_P95} requests.`)
  if (sampled < requests) limits.push(`${sampled} of ${requests} requests, drawn at random, were replayed.`)
  if (characteristics.startUps.count === 0 && requests > 0) limits.push('The traces do not tell start-ups.')
  limits.push(
    'Not in traces: what a larger function takes longer to start, how much memory the fused code needs, and whether its parts may share permissions and faults.',
  )
  return limits
}
