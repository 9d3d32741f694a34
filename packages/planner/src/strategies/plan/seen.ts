import type { FusionSetup, TaskName } from 'fusionize/setup'
import { predictorOf } from '../../model/predict.js'
import type { ModelSetup, PredictedFigures } from '../../model/types.js'
import type { Profile } from '../../profile/types.js'
import { mean, quantile } from '../../statistics/bootstrap.js'
import type { RequestTrace } from '../../traces/types.js'
import type { Measurement, PlannerFacts, Round } from '../../types.js'
import type { LatencyFigures, Predictor, SetupFigures } from './predictor.js'

/** What was seen of one setup. */
export interface Seen {
  setup: FusionSetup
  /** In order of arrival. */
  traces: readonly RequestTrace[]
  profile?: Profile
  /** What its clients saw of these requests; without it latencies are those at the handler. */
  measurement?: Measurement
}

/** Requests that are run again for each setup looked at; what is reported of the one chosen rests on all. */
export const LOOKED_AT = 80

/** A model of what was seen, anchored in one measured setup. */
export interface Outlook extends Predictor {
  /** With 95% intervals, from all requests. */
  estimate(setup: FusionSetup): PredictedFigures
}

/**
 * Predicts setups by running the requests of one of those seen again (`model/predict.ts`); the others add times at their sizes. What its clients measured
 * beyond the model's figure for the anchor itself is added to, or scales, every other's: the way to the client as it is, waiting for the machine in proportion to
 * a setup's invocations.
 * @param seen with traces; at least the anchor
 */
export function outlookOf(seen: readonly Seen[], anchor: Seen, facts: PlannerFacts): Outlook {
  const also = seen.filter((one) => one !== anchor && one.traces.length > 0).map(({ traces }) => spread(traces))
  const options = { also, prices: facts.prices, mbPerCore: facts.mbPerCore }
  const some = spread(anchor.traces)
  const quick = predictorOf(some, { ...options, resamples: 0 })
  const entries = some.map(({ runs }) => runs[0]?.task ?? '')
  const asAnchored = quick(anchor.setup)
  const correction = correctionOf(figuresOf(asAnchored, entries), anchor.measurement)
  /** Fewer invocations leave the machine more room. */
  const correctionFor = ({ invocationsPerRequest }: PredictedFigures): Correction => {
    const load = Math.min(1, invocationsPerRequest / asAnchored.invocationsPerRequest)
    return { ...correction, outsideMs: correction.wayMs + (correction.outsideMs - correction.wayMs) * load }
  }
  let whole: ((setup: ModelSetup) => PredictedFigures) | undefined
  const known = new Map<string, SetupFigures>()
  return {
    name: 'replay',
    predict(setup) {
      const key = JSON.stringify(setup)
      const found = known.get(key)
      if (found) return found
      const predicted = quick(setup)
      const figures = corrected(figuresOf(predicted, entries), correctionFor(predicted))
      known.set(key, figures)
      return figures
    },
    estimate(setup) {
      whole ??= predictorOf(anchor.traces, options)
      const predicted = whole(setup)
      return correctedEstimates(predicted, correctionFor(predicted))
    },
  }
}

/** Of many requests those that stand for all: from the fastest to the slowest, at equal ranks, in order of arrival. */
export function spread(traces: readonly RequestTrace[], most = LOOKED_AT): readonly RequestTrace[] {
  if (traces.length <= most) return traces
  const byLength = traces.map((trace, i) => ({ i, ms: lengthOf(trace) })).sort((a, b) => a.ms - b.ms)
  const chosen = Array.from({ length: most }, (_, k) => byLength[Math.floor(((k + 0.5) / most) * byLength.length)]?.i)
  return chosen.sort((a, b) => (a as number) - (b as number)).flatMap((i) => traces[i as number] ?? [])
}

/** Rounds that have traces, as what was seen. */
export function seenIn(history: readonly Round[]): Seen[] {
  return history.flatMap(({ setup, traces, profile, settled, measurement }) =>
    traces && traces.length > 0 ? [{ setup, traces, profile, measurement: settled ?? measurement }] : [],
  )
}

function lengthOf({ runs }: RequestTrace): number {
  const [root] = runs
  return root ? root.endMs - root.startMs : 0
}

/** @param entryOf the entry of each request */
function figuresOf({ latenciesMs, costPerMillionUsd }: PredictedFigures, entryOf: readonly TaskName[]): SetupFigures {
  const names = [...new Set(entryOf)]
  const own = (entry: TaskName) => latenciesOf(latenciesMs.filter((_, i) => entryOf[i] === entry))
  return {
    ...latenciesOf(latenciesMs),
    meanMs: mean(latenciesMs),
    costPerMillionUsd: costPerMillionUsd.value,
    ...(names.length > 1 && { entries: Object.fromEntries(names.map((entry) => [entry, own(entry)])) }),
  }
}

function latenciesOf(values: readonly number[]): LatencyFigures {
  const sorted = Float64Array.from(values).sort()
  return { p50Ms: quantile(sorted, 0.5), p95Ms: quantile(sorted, 0.95), p99Ms: quantile(sorted, 0.99) }
}

/** What lies between the model's figures and those that clients measured. */
interface Correction {
  /** Of the median, ms. */
  outsideMs: number
  /** The part of it that is the way to the handler and back, whatever the load. */
  wayMs: number
  p95: number
  p99: number
  cost: number
}

function correctionOf(figures: SetupFigures, measured: Measurement | undefined): Correction {
  if (!measured) return { outsideMs: 0, wayMs: 0, p95: 1, p99: 1, cost: 1 }
  const outsideMs = Math.max(0, measured.p50Ms.value - figures.p50Ms)
  const tail = (value: number, own: number) => (own > 0 ? Math.max(1, (value - outsideMs) / own) : 1)
  const cost = measured.costPerMillionUsd?.value
  return {
    outsideMs,
    wayMs: Math.min(outsideMs, measured.outside?.leastMs ?? outsideMs),
    p95: tail(measured.p95Ms.value, figures.p95Ms),
    p99: tail(measured.p99Ms.value, figures.p99Ms),
    cost: cost !== undefined && figures.costPerMillionUsd > 0 ? cost / figures.costPerMillionUsd : 1,
  }
}

function corrected(figures: SetupFigures, { outsideMs, p95, p99, cost }: Correction): SetupFigures {
  const latencies = (own: LatencyFigures): LatencyFigures => ({
    p50Ms: outsideMs + own.p50Ms,
    p95Ms: outsideMs + own.p95Ms * p95,
    p99Ms: outsideMs + own.p99Ms * p99,
  })
  const entries = Object.entries(figures.entries ?? {}).map(([entry, own]) => [entry, latencies(own)])
  return {
    ...latencies(figures),
    meanMs: outsideMs + figures.meanMs,
    costPerMillionUsd: figures.costPerMillionUsd * cost,
    ...(entries.length > 0 && { entries: Object.fromEntries(entries) }),
  }
}

function correctedEstimates(figures: PredictedFigures, { outsideMs, p95, p99, cost }: Correction): PredictedFigures {
  const by = (key: 'p50Ms' | 'p95Ms' | 'p99Ms' | 'costPerMillionUsd', factor: number, more: number) => {
    const { value, low, high, n } = figures[key]
    return { value: more + value * factor, low: more + low * factor, high: more + high * factor, n }
  }
  return {
    ...figures,
    p50Ms: by('p50Ms', 1, outsideMs),
    p95Ms: by('p95Ms', p95, outsideMs),
    p99Ms: by('p99Ms', p99, outsideMs),
    costPerMillionUsd: by('costPerMillionUsd', cost, 0),
  }
}
