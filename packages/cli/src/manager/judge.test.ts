import type { Estimate, Measurement } from '@fusionize/planner'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { binomialTail, hasDrifted, hasMoreErrors, judge } from './judge.js'

/** Requests of a median and a cost, each known to some percent. */
function seen(requests: number, { errors = 0, p50Ms = 100, usd = 1, percent = 2 } = {}) {
  const estimate = (value: number): Estimate => ({
    ...{ value, low: value * (1 - percent / 100), high: value * (1 + percent / 100) },
    n: requests - errors,
  })
  const measurement = {
    ...{ requests: requests - errors, errors: 0, invocations: requests, coldStarts: 0 },
    ...{ p50Ms: estimate(p50Ms), p95Ms: estimate(2 * p50Ms), p99Ms: estimate(3 * p50Ms) },
    costPerMillionUsd: estimate(usd),
  } as Measurement
  return { requests, errors, whole: requests - errors, measurement }
}

const balanced = { minimize: 'balanced' } as const

describe('a setup on trial', () => {
  it('is adopted when it is better beyond chance, rolled back when it is worse, and else waited for, but not for ever', () => {
    const become = (canary: ReturnType<typeof seen>, requests = 300) =>
      judge(balanced, seen(requests), canary, 300)?.become
    expect(become(seen(300, { p50Ms: 50 }))).toBe('adopted')
    expect(become(seen(300, { p50Ms: 150 }))).toBe('rolled back')
    expect(become(seen(300, { p50Ms: 99 }))).toBeUndefined()
    expect(become(seen(1200, { p50Ms: 99 }), 1200)).toBe('rolled back')
  })

  it('waits for as many requests of either as a decision takes; those that failed do not count', () => {
    const better = (requests: number, errors = 0) => seen(requests, { p50Ms: 50, errors })
    expect(judge(balanced, seen(300), better(299), 300)).toBeUndefined()
    expect(judge(balanced, seen(299), better(300), 300)).toBeUndefined()
    expect(judge(balanced, seen(400, { errors: 90 }), better(389, 90), 300)).toBeUndefined()
    expect(judge(balanced, seen(400, { errors: 90 }), better(390, 90), 300)?.become).toBe('adopted')
  })

  it('is rolled back at once when it fails more than what serves, however good it is besides', () => {
    const verdict = judge(balanced, seen(300), seen(10, { errors: 2, p50Ms: 1 }), 300)
    expect(verdict).toEqual({
      ...{ become: 'rolled back', failed: true },
      why: '2 of 10 requests failed, of 300 in the setup that serves 0',
    })
  })

  it('is not blamed for errors that the setup in service has as well', () => {
    expect(hasMoreErrors({ requests: 1000, errors: 100 }, { requests: 100, errors: 12 })).toBe(false)
    expect(hasMoreErrors({ requests: 1000, errors: 100 }, { requests: 100, errors: 30 })).toBe(true)
    expect(hasMoreErrors({ requests: 3, errors: 0 }, { requests: 3, errors: 1 })).toBe(false)
  })

  it('must keep the bounds of the goal', () => {
    const goal = { minimize: 'cost', subjectTo: { p50Ms: 90 } } as const
    const cheap = seen(300, { p50Ms: 95, usd: 0.1 })
    expect(judge(goal, seen(300, { p50Ms: 80 }), cheap, 300)?.become).not.toBe('adopted')
    expect(judge(goal, seen(300, { p50Ms: 80 }), seen(300, { p50Ms: 85, usd: 0.1 }), 300)?.become).toBe('adopted')
  })

  it('is never adopted when its figure is worse, whatever was measured', () => {
    const figures = fc.record({
      p50Ms: fc.double({ min: 1, max: 1e4, noNaN: true }),
      usd: fc.double({ min: 0.01, max: 100, noNaN: true }),
      percent: fc.double({ min: 0, max: 40, noNaN: true }),
      errors: fc.nat(50),
    })
    fc.assert(
      fc.property(figures, figures, fc.integer({ min: 60, max: 5000 }), (a, b, requests) => {
        const verdict = judge(balanced, seen(requests, a), seen(requests, b), 30)
        if (verdict?.become === 'adopted') expect(b.p50Ms * b.usd).toBeLessThan(a.p50Ms * a.usd)
      }),
    )
  })
})

describe('drift', () => {
  it('is a change beyond both intervals and of more than a tenth, to either side', () => {
    const drifted = (p50Ms: number, percent = 2) =>
      hasDrifted(balanced, seen(300).measurement, seen(300, { p50Ms, percent }).measurement)
    expect([drifted(100), drifted(106), drifted(130, 40)]).toEqual([false, false, false])
    expect([drifted(130), drifted(70)]).toEqual([true, true])
  })
})

it('the chance of so many errors is that of the binomial distribution', () => {
  expect(binomialTail(10, 0, 0.3)).toBe(1)
  expect(binomialTail(1, 1, 0.25)).toBeCloseTo(0.25, 12)
  expect(binomialTail(4, 3, 0.5)).toBeCloseTo(5 / 16, 12)
  expect(binomialTail(1000, 900, 0.001)).toBeCloseTo(0, 12)
})
