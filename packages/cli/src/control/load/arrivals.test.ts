import fc from 'fast-check'
import { expect, test } from 'vitest'
import { arrivals, durationMs, meanRps } from './arrivals.js'

test('a steady load spaces its arrivals evenly', () => {
  expect(arrivals({ kind: 'steady', rps: 4, seconds: 1.5 })).toEqual([0, 250, 500, 750, 1000, 1250])
})

test('a burst raises its rate by steps', () => {
  const burst = { kind: 'burst', from: 5, to: 40, step: 5, everySeconds: 2 } as const
  const starts = arrivals(burst)
  expect(starts).toHaveLength(2 * (5 + 10 + 15 + 20 + 25 + 30 + 35 + 40))
  for (let step = 0; step < 8; step++)
    expect(starts.filter((at) => at >= step * 2000 && at < (step + 1) * 2000)).toHaveLength((step + 1) * 10)
  expect(durationMs(burst)).toBe(16_000)
  expect(meanRps(burst)).toBe(22.5)
})

test('arrivals ascend and stay within the load, whatever its figures', () => {
  const positive = fc.double({ min: 0.5, max: 200, noNaN: true })
  fc.assert(
    fc.property(positive, fc.double({ min: 0.5, max: 20, noNaN: true }), (rps, seconds) => {
      const starts = arrivals({ kind: 'steady', rps, seconds })
      expect(starts.length).toBe(Math.round(rps * seconds))
      for (const [i, at] of starts.entries()) expect(at).toBeCloseTo((i * 1000) / rps, 6)
    }),
  )
})

test.each([
  [{ kind: 'steady', rps: 0, seconds: 1 }, /rps: 0/],
  [{ kind: 'cold', rps: 1, seconds: Number.NaN }, /seconds: NaN/],
  [{ kind: 'burst', from: 5, to: 4, step: 1, everySeconds: 1 }, /from 5 down to 4/],
  [{ kind: 'steady', rps: 1e6, seconds: 100 }, /the most is/],
] as const)('%o is refused', (profile, message) => {
  expect(() => arrivals(profile)).toThrow(message)
})
