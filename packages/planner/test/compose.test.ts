import { mean, quantile, seededRandom } from '@fusionize/planner'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inSeries, slowestOf, togetherOf } from '../src/statistics/compose.js'
import { rankCorrelation } from '../src/statistics/ranks.js'

const random = seededRandom(17)
const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
const lognormal = (middle: number) => middle * Math.exp(0.4 * normal())

test('stages in series take what independent draws of them take', () => {
  const [a, b, c] = [50, 200, 30].map((middle) => Array.from({ length: 2000 }, () => lognormal(middle)))
  const drawn = Array.from({ length: 40_000 }, () => {
    const pick = (list: number[] = []) => list[Math.floor(random() * list.length)] as number
    return pick(a) + pick(b) + pick(c)
  }).sort((x, y) => x - y)
  const composed = inSeries([a, b, c].map((list) => list ?? []))
  for (const p of [0.05, 0.5, 0.95, 0.99]) expect(quantile(composed, p) / quantile(drawn, p)).toBeCloseTo(1, 1)
  expect(mean(composed) / mean(drawn)).toBeCloseTo(1, 1)
})

test('series: the mean is the sum of the means, whatever the stages', () => {
  const stage = fc.array(fc.double({ min: 0, max: 1000, noNaN: true }), { minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(stage, stage, (a, b) => {
      const composed = inSeries([a, b])
      expect(mean(composed)).toBeCloseTo(mean(a) + mean(b), composed.length < 400 ? 6 : -1)
      expect(composed.at(-1)).toBeLessThanOrEqual(Math.max(...a) + Math.max(...b) + 1e-9)
    }),
    { seed: 4 },
  )
})

test('the slowest of n: the closed form if independent, one worker’s time if they all take the same', () => {
  const times = Array.from({ length: 3000 }, () => lognormal(100))
  const drawn = Array.from({ length: 20_000 }, () =>
    Math.max(...Array.from({ length: 10 }, () => times[Math.floor(random() * 3000)] as number)),
  )
  drawn.sort((x, y) => x - y)
  const independent = slowestOf(times, 10)
  for (const p of [0.5, 0.95]) expect(quantile(independent, p) / quantile(drawn, p)).toBeCloseTo(1, 1)
  const same = slowestOf(times, 10, togetherOf(times.slice(0, 300).map((ms) => [ms, ms, ms])))
  const sorted = [...times].sort((x, y) => x - y)
  for (const p of [0.5, 0.95]) expect(quantile(same, p) / quantile(sorted, p)).toBeCloseTo(1, 1)
})

test('correlated workers are between independent ones and one', () => {
  const maps = Array.from({ length: 400 }, () => {
    const shared = lognormal(100)
    return Array.from({ length: 6 }, () => shared * Math.exp(0.1 * normal()))
  })
  const times = maps.flat()
  const measured = maps.map((map) => Math.max(...map)).sort((x, y) => x - y)
  const p95 = (values: ArrayLike<number>) => quantile(values, 0.95)
  const composed = p95(slowestOf(times, 6, togetherOf(maps)))
  expect(composed).toBeLessThan(p95(slowestOf(times, 6)))
  expect(composed / p95(measured)).toBeCloseTo(1, 1)
  const [first, second] = [0, 1].map((worker) => maps.map((map) => map[worker] as number)) as [number[], number[]]
  expect(rankCorrelation(first, second)).toBeGreaterThan(0.8)
  const others = second.map((_, i) => second[(i * 7 + 3) % 400] as number)
  expect(rankCorrelation(first, others)).toBeLessThan(0.2)
})
