import type { Arrivals } from './types.js'

/** Gives the times of the requests, one after another, ms from the start; NaN after the last. */
export function arrivalTimes(arrivals: Arrivals, random: () => number): () => number {
  let i = 0
  if (arrivals.kind === 'recorded') {
    const { atMs } = arrivals
    return () => (i < atMs.length ? (atMs[i++] as number) : Number.NaN)
  }
  if (arrivals.kind === 'burst') return burstTimes(arrivals)
  const { rps, requests } = arrivals
  const gapMs = 1000 / positive('rps', rps)
  if (arrivals.kind === 'steady') return () => (i < requests ? i++ * gapMs : Number.NaN)
  let at = 0
  return () => {
    if (i++ >= requests) return Number.NaN
    at -= gapMs * Math.log(1 - random())
    return at
  }
}

function burstTimes({ from, to, step, everySeconds }: Extract<Arrivals, { kind: 'burst' }>): () => number {
  positive('from', from)
  positive('step', step)
  positive('everySeconds', everySeconds)
  let rps = from
  let begin = 0
  let i = 0
  return () => {
    while (rps <= to && i >= Math.round(rps * everySeconds)) {
      rps += step
      begin += everySeconds * 1000
      i = 0
    }
    return rps <= to ? begin + (i++ * 1000) / rps : Number.NaN
  }
}

function positive(name: string, value: number): number {
  if (value > 0 && Number.isFinite(value)) return value
  throw new RangeError(`${name} of the arrivals is ${value}; it must be a number above 0`)
}
