import { type Goal, minimizeText } from '@fusionize/planner'

/** `the cheapest with p95 ≤ 300 ms`. */
export function goalText({ minimize, subjectTo = {} }: Goal): string {
  const words = minimize === 'cost' ? 'the cheapest' : `the lowest ${minimizeText(minimize)}`
  const bounds = boundsText(subjectTo)
  return bounds === '' ? words : `${words} with ${bounds}`
}

/** `p95 ≤ 300 ms, at most $12 per million requests, p50 of checkout ≤ 80 ms`; empty without bounds. */
export function boundsText({ costPerMillionUsd, entries = {}, ...whole }: NonNullable<Goal['subjectTo']>): string {
  const latencies = (bounds: { p50Ms?: number; p95Ms?: number; p99Ms?: number }, of: string) =>
    (['p50', 'p95', 'p99'] as const).flatMap((name) => {
      const bound = bounds[`${name}Ms`]
      return bound === undefined ? [] : [`${name}${of} ≤ ${bound} ms`]
    })
  return [
    ...latencies(whole, ''),
    ...(costPerMillionUsd === undefined ? [] : [`at most $${costPerMillionUsd} per million requests`]),
    ...Object.entries(entries).flatMap(([entry, bounds]) => latencies(bounds, ` of ${entry}`)),
  ].join(', ')
}
