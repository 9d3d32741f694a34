import { billedMs, measure, type RequestSample } from '@fusionize/planner'
import type { InvocationRecord } from 'fusionize/record'
import { remoteSetup } from 'fusionize/setup'
import { expect, test } from 'vitest'
import { simulate } from './simulate.js'
import { awsLike, iotWorld } from './world.js'

const world = iotWorld()
const remote = simulate(world, remoteSetup(world.app, 128), { requests: 2000, everyMs: 10, noise: 0.5 })
const [example] = remote.records as [InvocationRecord]
const record = (more: Partial<InvocationRecord>): InvocationRecord => ({ ...example, cold: null, spans: [], ...more })
const sample = (session: string, latencyMs = 10): RequestSample => ({ startMs: 0, latencyMs, session })

test('cost is GB × ms rounded up, request fees, start-ups and the gateway, over all that the requests caused', () => {
  const records = [
    record({ session: 'a', memory: 512, wall: 99.2 }),
    record({ session: 'a', memory: 1024, wall: 1, cold: 150.5 }),
    record({ session: 'b', memory: 1024, wall: 20 }),
    record({ session: 'b', memory: 1024, wall: 20, attempt: 2 }),
    record({ session: 'of a client that gave up', memory: 1024, wall: 59 }),
  ]
  const m = measure([sample('a'), sample('b')], records, awsLike)
  const perMillion = 1e6 / 2
  expect(m.cost?.compute).toBeCloseTo(perMillion * (0.5 * 0.1 + 0.001 + 0.04 + 0.059) * 0.0000166667, 9)
  expect(m.cost?.startup).toBeCloseTo(perMillion * 0.151 * 0.0000166667, 9)
  expect(m.cost?.requests).toBeCloseTo(perMillion * 5 * 0.2e-6, 9)
  expect(m.cost?.gateway).toBeCloseTo(perMillion * 2 * 1e-6, 9)
  const { compute = 0, startup = 0, requests = 0, gateway = 0 } = m.cost ?? {}
  expect(m.costPerMillionUsd?.value).toBeCloseTo(compute + startup + requests + gateway, 9)
  expect(m).toMatchObject({ requests: 2, coldStarts: 1, invocations: 5, invocationsPerRequest: 2.5 })
})

test('a sandbox that takes several at a time is billed for its busy periods, once each, and for every invocation', () => {
  const at = (start: number, wall: number, more: Partial<InvocationRecord> = {}) =>
    record({ session: 'a', sandbox: 'shared', memory: 1024, start, wall, concurrent: 1, ...more })
  const records = [
    at(1000, 100),
    at(1020, 60.5, { concurrent: 2, session: 'b' }),
    at(1090, 50.2, { concurrent: 2, session: 'b' }),
    at(2000, 10),
    // Elsewhere at the same time.
    at(1000, 100, { sandbox: 'other' }),
  ]
  const m = measure([sample('a'), sample('b')], records, awsLike)
  const perMillion = 1e6 / 2
  expect(m.cost?.compute).toBeCloseTo(perMillion * (0.141 + 0.01 + 0.1) * 0.0000166667, 9)
  expect(m.cost?.requests).toBeCloseTo(perMillion * 5 * 0.2e-6, 9)
  const billed = billedMs(records, 1)
  expect(billed.slice(3)).toEqual([10, 100])
  // Half of what each shares with another, scaled to the rounded period.
  expect(billed[0]).toBeCloseTo((20 + 60.5 / 2 + 9.5 + 10 / 2) * (141 / 140.2), 9)
})

test('start-ups are free where the platform does not bill them', () => {
  const facts = { ...awsLike, prices: { ...awsLike.prices, billsInit: false } }
  expect(measure([sample('a')], [record({ session: 'a', cold: 500 })], facts).cost?.startup).toBe(0)
})

test('errors are counted apart from latencies, and cost is null without enforced CPU shares', () => {
  const samples = [sample('a', 10), { ...sample('b', 9999), error: '504' }]
  const m = measure(samples, [], { ...awsLike, cpuShareEnforced: false })
  expect(m).toMatchObject({ requests: 2, errors: 1, costPerMillionUsd: null, cost: null, p50Ms: { value: 10, n: 1 } })
})

test('the double-billing share weighs each invocation by its memory', () => {
  const wait = { parent: 0, task: 'x', mode: 'call', route: 'remote', bytesIn: 0, bytesOut: 0 } as const
  const run = { ...wait, parent: -1, route: 'inline' } as const
  const records = [
    record({
      memory: 1024,
      wall: 100,
      spans: [
        { ...run, start: 0, end: 100 },
        { ...wait, start: 20, end: 80 },
      ],
    }),
    record({ memory: 512, wall: 100, spans: [{ ...run, start: 0, end: 100 }] }),
  ]
  expect(measure([sample('a')], records, awsLike).doubleBillingShare).toBeCloseTo(
    (1024 * 60) / (1024 * 100 + 512 * 100),
    9,
  )
})

test('intervals hold their values, and equal inputs give equal ones', () => {
  const m = measure(remote.samples, remote.records, world.facts)
  for (const estimate of [m.p50Ms, m.p95Ms, m.p99Ms, m.costPerMillionUsd]) {
    expect(estimate?.low).toBeLessThanOrEqual(estimate?.value ?? 0)
    expect(estimate?.high).toBeGreaterThanOrEqual(estimate?.value ?? 0)
  }
  expect(measure(remote.samples, remote.records, world.facts)).toEqual(m)
})

test('2,000 requests of eleven invocations are measured in less than 300 ms', () => {
  expect(remote.records).toHaveLength(22_000)
  const times = Array.from({ length: 3 }, () => {
    const start = performance.now()
    measure(remote.samples, remote.records, world.facts)
    return performance.now() - start
  })
  expect(Math.min(...times)).toBeLessThan(300)
})

test('where there are several entries, each has percentiles of its own requests', () => {
  const records = ['home', 'home', 'checkout'].map((task, i) =>
    record({ session: `s${i}`, task, function: task, parent: null, mode: 'call' }),
  )
  const samples = [sample('s0', 10), sample('s1', 30), sample('s2', 100), { ...sample('s3', 9), error: '500' }]
  const { entries } = measure(samples, records, awsLike)
  expect(Object.keys(entries ?? {})).toEqual(['checkout', 'home'])
  expect(entries?.home).toMatchObject({ requests: 2, p50Ms: { value: 20 } })
  expect(entries?.checkout).toMatchObject({ requests: 1, p95Ms: { value: 100 } })
  expect(measure(samples.slice(0, 2), records.slice(0, 2), awsLike).entries).toBeUndefined()
})

test('what requests took outside their handlers is told by their sessions', () => {
  const records = [10, 20, 30].map((reply, i) => record({ session: `s${i}`, parent: null, reply }))
  const { outside } = measure([sample('s0', 12), sample('s1', 26), sample('s2', 130)], records, awsLike)
  expect(outside?.usualMs).toBeCloseTo(6, 9)
  expect(outside?.leastMs).toBeCloseTo(2.8, 9)
  expect(measure([sample('unknown')], records, awsLike).outside).toBeUndefined()
})
