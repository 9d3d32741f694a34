import { expect, test } from 'vitest'
import { cpuQuota, PERIOD_MS } from './cgroup.js'
import { quotaFacts } from './quota-facts.js'

test('tells how the kernel keeps to a quota, whatever it lets know of itself', () => {
  const { periodMs, tickMs, sliceMs, keepMs } = quotaFacts()
  expect(periodMs).toBe(PERIOD_MS)
  expect(cpuQuota(1769).periodUs).toBe(1000 * periodMs)
  // Kernels are built for 100, 250, 300 or 1000 ticks a second.
  expect([100, 250, 300, 1000]).toContain(Math.round(1000 / tickMs))
  expect(sliceMs).toBeGreaterThan(0)
  expect(keepMs).toBe(1)
})
