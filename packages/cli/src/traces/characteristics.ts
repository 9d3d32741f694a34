import {
  type CdfPoint,
  type Characteristics,
  cdfOf,
  correlationOf,
  doubleBillingShareOf,
  shareUpTo,
} from '@fusionize/planner'

/** One measure of requests as a cumulative distribution. */
export interface Measure {
  name: string
  unit: string
  /** What it means, in words. */
  what: string
  /** Values whose share people ask for. */
  marks: number[]
  n: number
  p50: number
  p95: number
  p99: number
  max: number
  cdf: CdfPoint[]
}

type Distributed = {
  [K in keyof Characteristics]: Characteristics[K] extends { buckets: unknown } ? K : never
}[keyof Characteristics]

const measures: readonly {
  of: Distributed
  name: string
  unit: string
  what: string
  marks: number[]
  whole?: boolean
}[] = [
  {
    of: 'width',
    name: 'width',
    unit: 'runs',
    what: 'most runs of one stage, beside each other',
    marks: [1, 2, 10],
    whole: true,
  },
  {
    of: 'depth',
    name: 'depth',
    unit: 'runs',
    what: 'runs on the longest way, one after the other',
    marks: [2, 5],
    whole: true,
  },
  { of: 'nodes', name: 'nodes', unit: 'runs', what: 'runs of tasks per request', marks: [5, 10], whole: true },
  { of: 'skew', name: 'skew', unit: '×', what: 'slowest / median worker of a stage', marks: [1.1, 2] },
  {
    of: 'payloadBytes',
    name: 'payload',
    unit: 'bytes',
    what: 'input and output of a remote call',
    marks: [1000, 256_000],
    whole: true,
  },
  {
    of: 'startUps',
    name: 'start-ups',
    unit: 'sandboxes',
    what: 'sandboxes started per request',
    marks: [0],
    whole: true,
  },
  { of: 'startUpMs', name: 'start-up time', unit: 'ms', what: 'of one sandbox', marks: [] },
  {
    of: 'doubleBilling',
    name: 'double billing',
    unit: 'share',
    what: 'of the billed time of a request',
    marks: [0, 0.1, 0.5],
  },
  { of: 'latencyMs', name: 'latency', unit: 'ms', what: 'from the arrival to the reply', marks: [] },
]

/** Every measure that the traces tell of. */
export function measuresOf(seen: Characteristics): Measure[] {
  return [...distributionsOf(seen), ...correlationsOf(seen)]
}

const CORRELATION = 'worker correlation'

/** Of the stages that tell it, each once: the correlation of the times of two workers of a request. */
function correlationsOf(seen: Characteristics): Measure[] {
  const values = Object.values(seen.stages)
    .map(correlationOf)
    .filter((value) => !Number.isNaN(value))
    .sort((a, b) => a - b)
  const n = values.length
  if (n === 0) return []
  const at = (p: number) => values[Math.min(n - 1, Math.ceil(p * n) - 1)] as number
  const cdf: CdfPoint[] = []
  for (const [i, value] of values.entries()) {
    const share = (i + 1) / n
    if (cdf.at(-1)?.value === value) cdf[cdf.length - 1] = { value, share }
    else cdf.push({ value, share })
  }
  const what = 'of the times of two workers of a stage and request, over stages'
  return [
    {
      ...{ name: CORRELATION, unit: 'ρ', what, marks: [0.2, 0.5], n },
      ...{ p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1), cdf },
    },
  ]
}

function distributionsOf(seen: Characteristics): Measure[] {
  return measures.flatMap(({ of, whole = false, ...words }) => {
    const distribution = seen[of]
    if (distribution.count === 0) return []
    const cdf = cdfOf(distribution, whole)
    const at = (p: number) => (cdf.find(({ share }) => share >= p) ?? (cdf.at(-1) as CdfPoint)).value
    const { count: n, max } = distribution
    return [{ ...words, n, p50: at(0.5), p95: at(0.95), p99: at(0.99), max, cdf }]
  })
}

/** Measures that the traces do not tell of. */
export function untoldOf(seen: Characteristics): string[] {
  const untold = measures.filter(({ of }) => seen[of].count === 0).map(({ name }) => name)
  return correlationsOf(seen).length > 0 ? untold : [...untold, CORRELATION]
}

/** `≤1: 78.7%, ≤2: 92.1%` */
export function marksOf({ cdf, marks }: Measure, percent: (share: number) => string): string {
  return marks.map((mark) => `${mark === 0 ? '' : '≤'}${mark}: ${percent(shareUpTo(cdf, mark))}`).join(', ')
}

/** The document of `characterize --json`. */
export function characteristicsDocument(seen: Characteristics) {
  const { share, unit } = doubleBillingShareOf(seen)
  return {
    requests: seen.requests,
    incomplete: seen.incomplete,
    doubleBilling: { share, unit },
    measures: measuresOf(seen).map(({ marks: _, what: __, ...measure }) => measure),
    untold: untoldOf(seen),
    stages: stagesOf(seen),
  }
}

/** Stages with workers beside each other, the most frequent first. */
export function stagesOf(seen: Characteristics) {
  return Object.values(seen.stages)
    .sort((a, b) => b.requests - a.requests)
    .map((stage) => {
      const correlation = correlationOf(stage)
      const median = (d: typeof stage.skew, whole = false) =>
        cdfOf(d, whole).find(({ share }) => share >= 0.5)?.value ?? Number.NaN
      return {
        from: stage.from,
        to: stage.to,
        requests: stage.requests,
        workers: median(stage.workers, true),
        skew: median(stage.skew),
        correlation: Number.isNaN(correlation) ? null : correlation,
      }
    })
}
