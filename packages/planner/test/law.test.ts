import fc from 'fast-check'
import { expect, test } from 'vitest'
import { coreMsOf, PERIOD_MS, threadsOf, timeAtSize, timeOf, workOf } from '../src/model/law.js'

const mbPerCore = 1769
const size = fc.integer({ min: 128, max: 10_240 })
const work = fc.record({
  coreMs: fc.double({ min: 0.01, max: 5000, noNaN: true }),
  waitMs: fc.double({ min: 0, max: 500, noNaN: true }),
})

test('long work takes as long as its share of a core makes it, less one stop; short work is not hindered', () => {
  const ms = timeOf({ coreMs: 500, waitMs: 0 }, 256, 1, mbPerCore)
  expect(ms).toBeGreaterThan((500 * mbPerCore) / 256 - PERIOD_MS)
  expect(ms).toBeLessThan((500 * mbPerCore) / 256)
  expect(timeOf({ coreMs: 5, waitMs: 20 }, 768, 1, mbPerCore)).toBe(25)
  expect(timeOf({ coreMs: 5, waitMs: 20 }, 128, 1, mbPerCore)).toBeGreaterThan(60)
})

test('more memory never makes work slower, and from its threads’ cores on not faster', () => {
  fc.assert(
    fc.property(work, size, size, fc.constantFrom(1, 2, 4), (one, a, b, threads) => {
      const [small, large] = a < b ? [a, b] : [b, a]
      const flat = threads * mbPerCore
      const at = (mb: number) => timeOf(one, Math.min(mb, flat), threads, mbPerCore)
      expect(at(large)).toBeLessThanOrEqual(at(small) * (1 + 1e-9))
      expect(at(20_000)).toBeCloseTo(one.coreMs / threads + one.waitMs, 6)
    }),
    { seed: 1 },
  )
})

test('computing is found again from a time, and computing and waiting from two', () => {
  fc.assert(
    fc.property(work, fc.integer({ min: 128, max: 700 }), fc.integer({ min: 800, max: 1769 }), (one, small, large) => {
      const at = (mb: number) => ({ memoryMb: mb, ms: timeOf(one, mb, 1, mbPerCore) })
      expect(coreMsOf(at(small).ms - one.waitMs, small, 1, mbPerCore)).toBeCloseTo(one.coreMs, 3)
      const found = workOf(at(small), at(large), 1, mbPerCore)
      for (const mb of [small, 750, large, 3000]) {
        const capped = Math.min(mb, mbPerCore)
        expect(timeOf(found, capped, 1, mbPerCore)).toBeCloseTo(timeOf(one, capped, 1, mbPerCore), 2)
      }
    }),
    { seed: 2 },
  )
})

test('known sizes are hit exactly, and sizes between them lie between', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1, max: 5000, noNaN: true }),
      fc.double({ min: 0.05, max: 1, noNaN: true }),
      fc.integer({ min: 257, max: 1023 }),
      (ms, share, between) => {
        const points = [
          { memoryMb: 256, ms },
          { memoryMb: 1024, ms: ms * share },
        ]
        expect(timeAtSize(points, 256, 1, mbPerCore)).toBe(ms)
        expect(timeAtSize(points, 1024, 1, mbPerCore)).toBe(ms * share)
        const found = timeAtSize(points, between, 1, mbPerCore)
        expect(found).toBeLessThanOrEqual(ms * (1 + 1e-6))
        expect(found).toBeGreaterThanOrEqual(ms * share * (1 - 1e-6))
      },
    ),
    { seed: 3 },
  )
})

test('threads show only beyond one core', () => {
  const times = (threads: number, sizes: number[]) =>
    sizes.map((memoryMb) => ({
      memoryMb,
      ms: timeOf({ coreMs: 300, waitMs: 1 }, Math.min(memoryMb, threads * mbPerCore), threads, mbPerCore),
    }))
  expect(threadsOf(times(1, [128, 10_240]), mbPerCore)).toBe(1)
  expect(threadsOf(times(2, [128, 10_240]), mbPerCore)).toBe(2)
  expect(threadsOf(times(4, [128, 10_240]), mbPerCore)).toBe(4)
  expect(threadsOf(times(2, [128, 1024]), mbPerCore)).toBeUndefined()
})
