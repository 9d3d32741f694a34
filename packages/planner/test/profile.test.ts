import fc from 'fast-check'
import type { InvocationRecord, Span } from 'fusionize/record'
import { remoteSetup } from 'fusionize/setup'
import { describe, expect, it } from 'vitest'
import { measure } from '../src/measure/measure.js'
import { callGraph } from '../src/profile/call-graph.js'
import { mergeProfiles } from '../src/profile/merge.js'
import { createMonitor } from '../src/profile/monitor.js'
import { doubleBilledMs, figuresOf } from '../src/profile/spans.js'
import type { Profile } from '../src/profile/types.js'
import { bootstrap, mean, percentile, quantile } from '../src/statistics/bootstrap.js'
import { emptyDistribution, mergeDistributions, note, quantileOf } from '../src/statistics/distribution.js'
import { seededRandom } from '../src/statistics/random.js'
import { appOfModel, facts, iot, simulate } from './simulate.js'

const app = appOfModel(iot, 'analyze-sensor')
const world = (requests: number) => simulate(app, iot, remoteSetup(app, 128), 'analyze-sensor', requests)
const profileOf = (records: readonly InvocationRecord[]) => {
  const monitor = createMonitor()
  for (const record of records) monitor.add(record)
  return monitor.profile()
}
/** Sums of floats depend on the order of addition in the last digit. */
const rounded = (profile: Profile) =>
  JSON.parse(JSON.stringify(profile), (_, v) => (typeof v === 'number' ? Number(v.toPrecision(9)) : v))

const span = (over: Partial<Span>): Span => ({
  parent: -1,
  task: 't',
  mode: 'call',
  route: 'inline',
  start: 0,
  end: 0,
  bytesIn: 0,
  bytesOut: 0,
  ...over,
})
const recordWith = (spans: Span[]) => ({ ...(world(1).records[0] as InvocationRecord), spans })

describe('the monitor', () => {
  it('gives the same profile for records in any order, some of them twice', () => {
    const { records } = world(3)
    const expected = rounded(profileOf(records))
    fc.assert(
      fc.property(
        fc.shuffledSubarray(records, { minLength: records.length }),
        fc.subarray(records),
        (shuffled, twice) => {
          const got = rounded(profileOf([...shuffled, ...twice]))
          expect({ ...got, duplicates: 0 }).toEqual(expected)
          expect(got.duplicates).toBe(twice.length)
        },
      ),
      { numRuns: 30 },
    )
  })

  it('counts calls whose other end never reports', () => {
    const { records } = world(2)
    expect(profileOf(records).unmatched).toBe(0)
    expect(profileOf(records.filter((r) => r.function !== 'check-sensor')).unmatched).toBe(2)
  })

  it('finds the hand-over of every remote call', () => {
    const profile = profileOf(world(5).records)
    const edge = profile.edges['analyze-sensor>check-sensor call remote']
    expect(edge?.calls).toBe(5)
    expect(quantileOf(edge?.overheadMs[128] as never, 0.5)).toBeCloseTo(15 + 4000 / 128, 0)
  })

  it('tells complete traces from incomplete ones', () => {
    const { records } = world(2)
    const monitor = createMonitor()
    for (const record of records.slice(0, -1)) monitor.add(record)
    expect(monitor.traces().map((t) => t.complete)).toEqual([true, false])
  })

  it('does not grow with the requests it sees', () => {
    const monitor = createMonitor({ pending: 100, remembered: 100, traces: 10 })
    const sizes: number[] = []
    for (const requests of [50, 500]) {
      for (const record of world(requests).records)
        monitor.add({ ...record, invocation: `${requests}-${record.invocation}` })
      sizes.push(JSON.stringify(monitor.profile()).length)
    }
    expect(sizes[1]).toBeLessThan((sizes[0] as number) * 1.2)
  })

  it('merges: of parts the same profile as of the whole, in any grouping', () => {
    const { records } = world(6)
    // Parts end between requests, so that no call is cut in two.
    const parts = [0, 1, 2].map((i) => profileOf(records.filter((r) => Number(r.session) % 3 === i)))
    const [a, b, c] = parts as [Profile, Profile, Profile]
    expect(rounded(mergeProfiles(mergeProfiles(a, b), c))).toEqual(rounded(profileOf(records)))
    expect(rounded(mergeProfiles(a, mergeProfiles(b, c)))).toEqual(rounded(mergeProfiles(mergeProfiles(c, a), b)))
  })

  it('draws the call graph with calls per run', () => {
    const graph = callGraph(profileOf(world(4).records))
    expect(graph.edges.find((e) => e.from === 'check-air' && e.to === 'action-signage')).toMatchObject({
      mode: 'send',
      callsPerRun: 1,
      inlineCalls: 0,
    })
    expect(graph.nodes.find((n) => n.task === 'action-signage')?.runsPerRequest).toBe(2)
  })
})

describe('own time', () => {
  it('is a span without the union of its calls', () => {
    const figures = figuresOf(
      recordWith([
        span({ end: 100 }),
        span({ parent: 0, start: 10, end: 40 }),
        span({ parent: 0, start: 30, end: 60, route: 'remote' }),
        span({ parent: 0, start: 120, end: 150, mode: 'send' }),
      ]),
    )
    expect(figures.map((f) => f.ownMs)).toEqual([50, 30, 0, 30])
    expect(figures.map((f) => f.overlapped)).toEqual([false, true, true, false])
  })
})

describe('double billing', () => {
  it('is time in which a remote call is open and nothing works', () => {
    // 0–20 own, 20–80 remote call, 50–60 an inline call runs meanwhile, 80–100 own
    const spans = [
      span({ end: 100 }),
      span({ parent: 0, start: 20, end: 80, route: 'remote' }),
      span({ parent: 0, start: 50, end: 60 }),
    ]
    expect(doubleBilledMs(recordWith(spans))).toBe(50)
  })

  it('is nothing for sends and inline calls', () => {
    const spans = [
      span({ end: 100 }),
      span({ parent: 0, start: 20, end: 80, route: 'remote', mode: 'send' }),
      span({ parent: 0, start: 80, end: 90 }),
    ]
    expect(doubleBilledMs(recordWith(spans))).toBe(0)
  })

  it('counts two open calls once', () => {
    const spans = [
      span({ end: 100 }),
      span({ parent: 0, start: 0, end: 60, route: 'remote' }),
      span({ parent: 0, start: 40, end: 100, route: 'remote', mode: 'map' }),
    ]
    expect(doubleBilledMs(recordWith(spans))).toBe(100)
  })
})

describe('measure', () => {
  const record = (over: Partial<InvocationRecord>): InvocationRecord => ({
    ...recordWith([span({ end: 1 })]),
    cold: null,
    ...over,
  })

  it('bills GB × milliseconds rounded up, the request fee and the start-up', () => {
    const samples = [{ startMs: 0, latencyMs: 10, session: 'a' }]
    const records = [
      record({ session: 'a', memory: 512, wall: 99.2 }),
      record({ session: 'a', memory: 1024, wall: 1, cold: 150.5 }),
    ]
    const m = measure(samples, records, facts)
    expect(m.cost?.compute).toBeCloseTo(1e6 * (0.5 * 0.1 + 1 * 0.001) * 0.0000166667, 6)
    expect(m.cost?.startup).toBeCloseTo(1e6 * 0.151 * 0.0000166667, 6)
    expect(m.cost?.requests).toBeCloseTo(0.4)
    expect(m.costPerMillionUsd?.value).toBeCloseTo((m.cost?.compute ?? 0) + (m.cost?.startup ?? 0) + 0.4, 6)
    expect(m).toMatchObject({ coldStarts: 1, invocationsPerRequest: 2, errors: 0 })
  })

  it('counts errors apart and prices nothing without enforced CPU shares', () => {
    const samples = [
      { startMs: 0, latencyMs: 10, session: 'a' },
      { startMs: 1, latencyMs: 9999, error: '504', session: 'b' },
    ]
    const m = measure(samples, [], { ...facts, cpuShareEnforced: false })
    expect(m).toMatchObject({ requests: 2, errors: 1, costPerMillionUsd: null, cost: null, p50Ms: { value: 10 } })
  })
})

describe('statistics', () => {
  it('interpolates percentiles linearly', () => {
    expect(quantile([10, 20, 30, 40], 0.5)).toBe(25)
    expect(percentile([3, 1, 2], 1).value).toBe(3)
  })

  it('has intervals that hold the true mean about as often as they say', () => {
    const random = seededRandom(5)
    let hits = 0
    for (let i = 0; i < 200; i++) {
      const { low, high } = bootstrap(
        Array.from({ length: 120 }, () => random() + random()),
        mean,
        i,
      )
      if (low <= 1 && 1 <= high) hits++
    }
    expect(hits).toBeGreaterThan(178)
    expect(hits).toBeLessThan(200)
  })

  it('keeps quantiles of a distribution within one percent, merged or not', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.01, max: 1e6, noNaN: true }), { minLength: 1 }),
        fc.nat(100),
        (values, cut) => {
          const [a, b] = [emptyDistribution(), emptyDistribution()]
          values.forEach((v, i) => void note(i < cut ? a : b, v))
          const d = mergeDistributions(a, b)
          const sorted = [...values].sort((x, y) => x - y)
          for (const p of [0, 0.5, 0.9, 1]) {
            const exact = sorted[Math.floor(p * (sorted.length - 1))] as number
            expect(Math.abs(quantileOf(d, p) - exact)).toBeLessThanOrEqual(0.0101 * exact + 1e-9)
          }
        },
      ),
    )
  })
})
