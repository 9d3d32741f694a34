import type { InvocationRecord } from 'fusionize/record'
import { type Interval, subtract, union } from '../statistics/intervals.js'

/** Corrections of every reading; after so many the rates no longer change by a hundredth. */
const MOST_ROUNDS = 30
/** Of an invocation with thousands of spans, fewer. */
const MOST_STEPS = 1e6

/**
 * Own CPU of runs that shared the event loop. A reading of the process's clock at both ends of a span says what all of them took meanwhile: the rates of
 * CPU between ends that fit all readings (Kaczmarz's method, from the mean of all) are divided among those that were at work then.
 * @returns by span, ms; undefined where nothing was read, or other invocations were in the process
 */
export function sharedCpuMs({ spans, cpu, concurrent }: InvocationRecord): (number | undefined)[] {
  if (cpu === undefined || concurrent > 1) return spans.map(() => undefined)
  const ends = [...new Set(spans.flatMap(({ start, end }) => [start, end]))].sort((a, b) => a - b)
  const place = new Map(ends.map((at, i) => [at, i]))
  const between = ({ start, end }: { start: number; end: number }) =>
    [place.get(start) ?? 0, place.get(end) ?? 0] as const
  const lengths = ends.slice(1).map((end, i) => end - (ends[i] as number))
  const readings = spans.filter((span) => span.cpu !== undefined && span.end > span.start)
  const mean = sum(readings.map((span) => span.cpu as number)) / sum(readings.map(({ start, end }) => end - start))
  const rates = lengths.map(() => mean)
  const computed = (from: number, to: number) => {
    let ms = 0
    for (let k = from; k < to; k++) ms += (rates[k] as number) * (lengths[k] as number)
    return ms
  }
  const rounds = Math.min(MOST_ROUNDS, Math.ceil(MOST_STEPS / (readings.length * lengths.length)))
  for (let round = 0; round < rounds; round++)
    for (const span of readings) {
      const [from, to] = between(span)
      const missing = ((span.cpu as number) - computed(from, to)) / (span.end - span.start)
      for (let k = from; k < to; k++) rates[k] = Math.max(0, (rates[k] as number) + missing)
    }
  const called = spans.map((): Interval[] => [])
  for (const { parent, start, end } of spans) called[parent]?.push([start, end])
  const onLoop = spans.map(({ route, pooled }) => route === 'inline' && !pooled)
  const own = spans.map(({ start, end }, i) =>
    onLoop[i] ? subtract([start, end], union(called[i] as Interval[])) : [],
  )
  const working = lengths.map(() => 0)
  const eachPlace = (intervals: readonly Interval[], then: (k: number) => void) => {
    for (const [start, end] of intervals) {
      const [from, to] = between({ start, end })
      for (let k = from; k < to; k++) then(k)
    }
  }
  for (const intervals of own) eachPlace(intervals, (k) => (working[k] = (working[k] as number) + 1))
  return spans.map((span, i) => {
    if (!onLoop[i] || span.cpu === undefined) return undefined
    let ms = 0
    eachPlace(
      own[i] as Interval[],
      (k) => (ms += ((rates[k] as number) * (lengths[k] as number)) / (working[k] as number)),
    )
    return ms
  })
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0)
}
