import { expect, test } from 'vitest'
import { duration, schedule } from './schedule.js'

const steady = { kind: 'steady', rps: 50, seconds: 20 } as const
const base = { profile: steady, requests: 1000, baselines: 0, compareEmulation: false }

test('a round has the samples that p95 needs, a finalist those that p99 needs', () => {
  const plan = schedule({ ...base, baselines: 2 })
  expect(plan.arrivals).toHaveLength(300)
  expect(plan.finalSamples).toBe(1000)
  expect(plan.probeRequests + 2 * plan.blockRequests).toBeGreaterThanOrEqual(1000)
})

test('the plan says how long it takes, and no more than the time given', () => {
  const whole = schedule({ ...base, baselines: 2, compareEmulation: true })
  const short = schedule({ ...base, baselines: 2, compareEmulation: true, seconds: 60 })
  expect(whole.estimateSeconds).toBeGreaterThan(100)
  expect(short.estimateSeconds).toBe(60)
  expect(whole.words).toMatch(/^About 3 min.*2 baselines.*without emulated delays\.$/)
})

test('burst and cold loads run as they are configured; a cold one has nothing to warm up', () => {
  const burst = schedule({ ...base, profile: { kind: 'burst', from: 5, to: 40, step: 5, everySeconds: 2 } })
  expect(burst.arrivals).toHaveLength(360)
  expect(burst.warmUpSeconds).toBe(2)
  const cold = schedule({ ...base, profile: { kind: 'cold', rps: 1, seconds: 30 } })
  expect(cold.arrivals).toHaveLength(30)
  expect(cold.warmUpSeconds).toBe(0)
})

test('few requests asked for are few in every round', () => {
  expect(schedule({ ...base, requests: 40 }).arrivals).toHaveLength(40)
})

test('durations are told in minutes and seconds', () => {
  expect([duration(42), duration(140)]).toEqual(['42 s', '2 min 20 s'])
})
