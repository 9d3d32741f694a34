import { type Distribution, mergeDistributions } from '../statistics/distribution.js'
import type { Profile } from './types.js'

/** The profile of what both profiles saw; associative and commutative. */
export function mergeProfiles(a: Profile, b: Profile): Profile {
  return mergeValues(a, b) as Profile
}

/** Counts add up, distributions merge, maps unite; `v`, `memory` and names are equal on both sides; a peak is the larger one. */
function mergeValues(a: unknown, b: unknown, key = ''): unknown {
  if (a === undefined) return b
  if (b === undefined) return a
  if (typeof a === 'number' && typeof b === 'number') {
    if (key === 'v' || key === 'memory') return a
    return key === 'peakMb' ? Math.max(a, b) : a + b
  }
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a
  if ('buckets' in a) return mergeDistributions(a as Distribution, b as Distribution)
  const out: Record<string, unknown> = {}
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)]))
    out[name] = mergeValues((a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name], name)
  return out
}
