import { expect, test } from 'vitest'
import { cpuQuota, PERIOD_MS } from './cgroup.js'
import { quotaFacts, restMsOf } from './quota-facts.js'

test('tells how the kernel keeps to a quota, whatever it lets know of itself', () => {
  const { periodMs, tickMs, sliceMs, keepMs } = quotaFacts()
  expect(periodMs).toBe(PERIOD_MS)
  expect(cpuQuota(1769).periodUs).toBe(1000 * periodMs)
  // Kernels are built for 100, 250, 300 or 1000 ticks a second.
  expect([100, 250, 300, 1000]).toContain(Math.round(1000 / tickMs))
  expect(sliceMs).toBeGreaterThan(0)
  expect(keepMs).toBe(1)
})

test('a rest is as many periods as pay for what a sandbox ran between two ticks', () => {
  const { quotaUs } = cpuQuota(128)
  for (const tickMs of [1, 10 / 3, 4, 10]) {
    const periods = restMsOf({ periodMs: 20, tickMs, sliceMs: 5, keepMs: 1 }) / 20
    expect(periods * quotaUs).toBeGreaterThanOrEqual(1000 * tickMs)
    expect((periods - 1) * quotaUs).toBeLessThan(1000 * tickMs)
  }
})
