import { bootstrap, mean, quantile, quantileOf, seededRandom } from '@fusionize/planner'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { percentileInterval } from '../src/statistics/bootstrap.js'
import { emptyDistribution, mergeDistributions, note } from '../src/statistics/distribution.js'
import { normalCdf, normalQuantile } from '../src/statistics/normal.js'
import { fitTimes, timeAt } from '../src/strategies/fit.js'

test('percentiles are interpolated linearly', () => {
  expect(quantile([10, 20, 30, 40], 0.5)).toBe(25)
  expect(quantile([10, 20], 0.95)).toBeCloseTo(19.5)
  expect(percentileInterval([3, 1, 2], 1).value).toBe(3)
  expect(quantile([], 0.5)).toBeNaN()
})

test('a percentile’s interval is that of sorting every resample', () => {
  const random = seededRandom(3)
  const values = Array.from({ length: 200 }, () => Math.floor(random() * 50))
  expect(percentileInterval(values, 0.9)).toEqual(bootstrap(values, (resample) => quantile(resample.sort(), 0.9)))
})

test('95% intervals hold the true mean about as often as they say', () => {
  const random = seededRandom(5)
  let hits = 0
  for (let seed = 0; seed < 300; seed++) {
    const values = Array.from({ length: 150 }, () => random() + random())
    const { low, high } = bootstrap(values, mean, { seed, resamples: 300 })
    if (low <= 1 && 1 <= high) hits++
  }
  expect(hits / 300).toBeGreaterThan(0.9)
  expect(hits / 300).toBeLessThan(0.99)
})

test('neighbours that are alike widen the interval, which single draws would not see', () => {
  const random = seededRandom(8)
  let level = 0
  const values = Array.from({ length: 1000 }, () => (level = 0.95 * level + random() - 0.5))
  const width = ({ low, high }: { low: number; high: number }) => high - low
  expect(width(bootstrap(values, mean))).toBeGreaterThan(1.8 * width(bootstrap(values, mean, { block: 1 })))
})

test('quantiles of a distribution are within one percent, merged or not', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.01, max: 1e9, noNaN: true }), { minLength: 1 }),
      fc.nat(100),
      (values, cut) => {
        const [a, b] = [emptyDistribution(), emptyDistribution()]
        for (const [i, value] of values.entries()) note(i < cut ? a : b, value)
        const merged = mergeDistributions(a, b)
        const sorted = [...values].sort((x, y) => x - y)
        for (const p of [0, 0.5, 0.9, 1]) {
          const exact = sorted[Math.floor(p * (sorted.length - 1))] as number
          expect(Math.abs(quantileOf(merged, p) - exact)).toBeLessThanOrEqual(0.0101 * exact)
        }
      },
    ),
  )
})

test('sums do not depend on the order of addition', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true })), (values) => {
      const [up, down] = [emptyDistribution(), emptyDistribution()]
      for (const value of values) note(up, value)
      for (const value of [...values].reverse()) note(down, value)
      expect(up).toEqual(down)
    }),
  )
})

test('the fit finds a + b/MB again through two or more sizes, flat beyond a core', () => {
  const sizes = fc.uniqueArray(fc.constantFrom(128, 256, 512, 1024, 1536, 1769), { minLength: 2 })
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 1, max: 1e6 }), sizes, (a, b, memories) => {
      const truth = { fixedMs: a, scaledMbMs: b, fullMb: 1769 }
      const fit = fitTimes(
        memories.map((memory) => ({ memory, ms: timeAt(truth, memory) })),
        1769,
      )
      for (const memory of [128, 700, 1769, 3008]) expect(timeAt(fit, memory) / timeAt(truth, memory)).toBeCloseTo(1, 4)
    }),
  )
})

test('a fit is never negative and never grows with memory', () => {
  const points = fc.array(
    fc.record({ memory: fc.constantFrom(128, 512, 1769), ms: fc.double({ min: 0, max: 1e5, noNaN: true }) }),
  )
  fc.assert(
    fc.property(points, (found) => {
      const fit = fitTimes(found, 1769)
      expect(timeAt(fit, 1769)).toBeGreaterThanOrEqual(0)
      expect(timeAt(fit, 128)).toBeGreaterThanOrEqual(timeAt(fit, 1769))
    }),
  )
})

test('one size is split by the share that computes', () => {
  const fit = fitTimes([{ memory: 128, ms: 100 }], 1769, 0.4)
  expect(timeAt(fit, 128)).toBeCloseTo(100)
  expect(timeAt(fit, 256)).toBeCloseTo(80)
})

test('the normal distribution and its inverse agree, and are what tables say', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.0005, max: 0.9995, noNaN: true }), (p) => {
      expect(normalCdf(normalQuantile(p))).toBeCloseTo(p, 6)
    }),
  )
  expect(normalQuantile(0.975)).toBeCloseTo(1.959964, 6)
  expect(normalCdf(-1)).toBeCloseTo(0.1586553, 6)
})
