import {
  composeValue,
  dependenceOf,
  lambdaStageFacts as facts,
  type Grid,
  gridMean,
  type Measured,
  quantile,
  type Stage,
  samplesAt,
  seededRandom,
  stageModel,
  type Workflow,
} from '@fusionize/planner'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compose } from '../src/stages/compose.js'
import { slowestOf } from '../src/stages/correlated.js'
import { gridOf, gridQuantile, inParallel, inSeries } from '../src/stages/grid.js'
import { rankCorrelation } from '../src/statistics/ranks.js'

const samples = fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 3, maxLength: 30 })
const totalOf = ({ mass }: Grid) => mass.reduce((sum, m) => sum + m, 0)

describe('a discretised distribution', () => {
  it('keeps the mean of its samples, and sums of means over series', () => {
    fc.assert(
      fc.property(samples, samples, fc.integer({ min: 1, max: 40 }), (a, b, binMs) => {
        const mean = (values: number[]) => values.reduce((x, y) => x + y, 0) / values.length
        const [ga, gb] = [gridOf(a, binMs), gridOf(b, binMs)]
        expect(gridMean(ga)).toBeCloseTo(mean(a), 6)
        expect(gridMean(inSeries(ga, gb))).toBeCloseTo(mean(a) + mean(b), 6)
        expect(totalOf(inParallel(ga, gb))).toBeCloseTo(1, 9)
      }),
      { numRuns: 50, seed: 4 },
    )
  })

  it('never says too low a percentile when it rounds up', () => {
    fc.assert(
      fc.property(samples, fc.double({ min: 0.01, max: 1, noNaN: true }), (values, p) => {
        const sorted = [...values].sort((a, b) => a - b)
        const atLeast = sorted[Math.ceil(p * sorted.length - 1e-9) - 1] as number
        expect(gridQuantile(gridOf(values, 7, 'up'), p)).toBeGreaterThanOrEqual(atLeast - 1e-9)
      }),
      { numRuns: 50, seed: 4 },
    )
  })

  it('composes series and parallel branches as Monte Carlo does', () => {
    const all = fc.tuple(samples, samples, samples)
    fc.assert(
      fc.property(all, fc.integer({ min: 1, max: 1e6 }), (stages, seed) => {
        const shape = { series: ['0', { parallel: ['1', '2'] }] }
        const grid = compose(shape, (name) => gridOf(stages[Number(name)] as number[], 1))
        const random = seededRandom(seed)
        const draw = (values: number[]) => values[Math.floor(random() * values.length)] as number
        const runs = Float64Array.from({ length: 4000 }, () =>
          composeValue(shape, (name) => draw(stages[Number(name)] as number[])),
        ).sort()
        // Shares of runs, since percentiles of few values jump. Three standard errors and more.
        for (const p of [0.5, 0.9]) {
          const at = gridQuantile(grid, p)
          const upTo = runs.filter((ms) => ms <= at + 1e-6).length / runs.length
          const below = runs.filter((ms) => ms < at - 1e-6).length / runs.length
          expect(upTo).toBeGreaterThan(p - 0.035)
          expect(below).toBeLessThan(p + 0.035)
        }
      }),
      { numRuns: 15, seed: 4 },
    )
  })

  it('refuses to compose different bins', () => {
    expect(() => inSeries(gridOf([1], 1), gridOf([1], 2))).toThrow('do not compose')
  })
})

describe('the slowest of n workers', () => {
  const grid = gridOf(
    Array.from({ length: 100 }, (_, i) => i + 1),
    1,
  )

  it('is F^n when they are independent', () => {
    expect(gridQuantile(slowestOf(grid, 10), 0.5)).toBe(Math.ceil(100 * 0.5 ** 0.1))
  })

  it('is faster the more they go together, down to one worker', () => {
    const at = [0, 0.4, 0.8, 0.99].map((correlation) => gridMean(slowestOf(grid, 10, correlation)))
    expect([...at].sort((a, b) => b - a)).toEqual(at)
    expect(at.at(-1)).toBeGreaterThan(gridMean(grid))
    expect(at.at(-1)).toBeLessThan(gridMean(grid) * 1.3)
  })

  it('agrees with drawn pairs of that correlation', () => {
    const random = seededRandom(7)
    // Rank correlation 0.5 by a Gaussian copula.
    const rho = 2 * Math.sin((Math.PI * 0.5) / 6)
    const gauss = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    const pairs = Array.from({ length: 6000 }, () => {
      const [common, a, b] = [gauss(), gauss(), gauss()]
      return [a, b].map((own) => Math.sqrt(rho) * common + Math.sqrt(1 - rho) * own) as [number, number]
    })
    const scale = [...pairs.map(([a]) => a)].sort((a, b) => a - b)
    const rank = (z: number) => (scale.findIndex((v) => v >= z) + scale.length) % scale.length
    const slower = Float64Array.from(
      pairs.slice(0, 1500),
      ([a, b]) => 1 + (100 * rank(Math.max(a, b))) / scale.length,
    ).sort()
    expect(gridQuantile(slowestOf(grid, 2, 0.5), 0.5)).toBeCloseTo(quantile(slower, 0.5), -1)
  })
})

const measured: Measured = {
  kind: 'measured',
  sizes: [
    { memoryMb: 1000, ms: [400, 200, 300] },
    { memoryMb: 2000, ms: [100, 300, 200] },
    { memoryMb: 4000, ms: [80, 90, 100] },
  ],
}

describe('sizes between measured ones', () => {
  it('are the samples themselves at a measured size', () => {
    expect(Array.from(samplesAt(measured, 2000, 'linear', 3))).toEqual(
      [133.33333333333334, 200, 266.6666666666667].map((v) => expect.closeTo(v, 6)),
    )
  })

  it('lie between those of the neighbours, and lower under 1/MB', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1001, max: 1999 }), (memoryMb) => {
        const [linear, inverse] = [samplesAt(measured, memoryMb, 'linear'), samplesAt(measured, memoryMb, 'inverse')]
        const [low, high] = [samplesAt(measured, 2000, 'linear'), samplesAt(measured, 1000, 'linear')]
        linear.forEach((ms, i) => {
          expect(ms).toBeLessThanOrEqual(high[i] as number)
          expect(ms).toBeGreaterThanOrEqual(low[i] as number)
          expect(inverse[i]).toBeLessThanOrEqual(ms)
        })
      }),
      { numRuns: 20, seed: 4 },
    )
  })

  it('are refused outside what was measured', () => {
    expect(() => samplesAt(measured, 999, 'linear')).toThrow('999 MB is outside the measured sizes, 1000 to 4000 MB')
    expect(() => samplesAt(measured, 5000, 'inverse')).toThrow('measure there first')
  })
})

describe('stages that go together', () => {
  const ms = Array.from({ length: 40 }, (_, i) => 100 + ((i * 17) % 40) * 10)
  const stage = (name: string, of: number[]): Stage => ({
    name,
    dop: 1,
    time: { kind: 'measured', sizes: [{ memoryMb: 1000, ms: of }] },
  })
  const workflow = (b: number[]): Workflow => {
    const made: Workflow = {
      name: 'w',
      shape: { series: ['a', 'b'] },
      stages: { a: stage('a', ms), b: stage('b', b) },
      edges: [],
    }
    return { ...made, dependence: dependenceOf(made) as NonNullable<ReturnType<typeof dependenceOf>> }
  }
  const groups = ['a', 'b'].map((name) => ({ stages: [name], bundle: 1, parallel: 'loop' as const, memoryMb: 1000 }))
  const p95 = (of: Workflow, dependence: 'measured' | 'independent') => {
    const model = stageModel(of, facts, { binMs: 1, dependence })
    return model.percentile(model.predict(groups).latency, 0.95)
  }

  it('add up at every percentile when they are slow together, and hardly vary when one is fast while the other is slow', () => {
    const together = workflow(ms)
    const opposed = workflow(ms.map((v) => 600 - v))
    expect(rankCorrelation(ms, ms)).toBeCloseTo(1)
    expect(p95(together, 'measured')).toBeGreaterThan(p95(together, 'independent') + 40)
    expect(p95(opposed, 'measured')).toBeLessThan(620)
    expect(p95(opposed, 'independent')).toBeGreaterThan(700)
  })

  it('cost the same either way', () => {
    const of = workflow(ms)
    expect(stageModel(of, facts, { dependence: 'measured' }).predict(groups).costUsd).toBeCloseTo(
      stageModel(of, facts, { dependence: 'independent' }).predict(groups).costUsd,
      12,
    )
  })
})
