import {
  addRequest,
  type Characteristics,
  cdfOf,
  correlationOf,
  doubleBillingShareOf,
  emptyCharacteristics,
  mergeCharacteristics,
  quantileOf,
  type RequestTrace,
  seededRandom,
  shareUpTo,
} from '@fusionize/planner'
import fc from 'fast-check'
import { formatRecord } from 'fusionize/record'
import { remoteSetup } from 'fusionize/setup'
import { expect, test } from 'vitest'
import { doubleBilledMs } from '../src/profile/spans.js'
import { worlds } from './arbitrary-worlds.js'
import { importText } from './import-text.js'
import { simulate } from './simulate.js'
import { traceOf } from './trace.js'

function characterize(traces: readonly RequestTrace[]): Characteristics {
  const seen = emptyCharacteristics()
  for (const trace of traces) addRequest(seen, trace)
  return seen
}

const MB = { memoryMb: 1024 }

/** a calls b, then three workers beside each other, and sends d. */
const shop = traceOf('1', [
  { task: 'a', at: [0, 100], invocation: { ...MB, coldMs: 80 } },
  {
    task: 'b',
    from: 'a',
    at: [12, 18],
    call: [10, 20],
    invocation: { ...MB, coldMs: null },
    more: { bytesIn: 10, bytesOut: 5 },
  },
  { task: 'w', from: 'a', at: [32, 42], call: [30, 44], invocation: { ...MB, coldMs: null } },
  { task: 'w', from: 'a', at: [32, 52], call: [31, 54], invocation: { ...MB, coldMs: null } },
  { task: 'w', from: 'a', at: [33, 73], call: [32, 75], invocation: { ...MB, coldMs: 40 } },
  { task: 'd', from: 'a', mode: 'send', at: [95, 195], call: [90, 98], invocation: { ...MB, coldMs: null } },
])

test('width, depth, nodes, skew, payload, start-ups and double billing of one request', () => {
  const seen = characterize([shop])
  const one = (name: 'width' | 'depth' | 'nodes' | 'skew' | 'payloadBytes' | 'startUps' | 'startUpMs' | 'latencyMs') =>
    quantileOf(seen[name], 0.5)
  expect(one('width')).toBeCloseTo(3, 1)
  // a, then b, then the workers, then d.
  expect(one('depth')).toBeCloseTo(4, 1)
  expect(one('nodes')).toBeCloseTo(6, 1)
  expect(one('skew')).toBeCloseTo(40 / 20, 1)
  expect(one('payloadBytes')).toBeCloseTo(15, 0)
  expect(one('startUps')).toBeCloseTo(2, 1)
  expect([seen.startUpMs.min, seen.startUpMs.max]).toEqual([40, 80])
  expect(one('latencyMs')).toBeCloseTo(100, 0)
  // a waits for b (10) and the workers (45); the hand-over of a send is no double billing.
  const billed = 100 + 6 + 10 + 20 + 40 + 100
  expect(doubleBillingShareOf(seen)).toEqual({ share: expect.closeTo(55 / billed, 6), unit: 'GB·s' })
  expect(Object.keys(seen.stages)).toEqual(['a>w'])
})

test('what traces do not tell is not counted', () => {
  const seen = characterize([traceOf('1', [{ task: 'a', at: [0, 10] }])])
  expect(seen.startUps.count).toBe(0)
  expect(seen.payloadBytes.count).toBe(0)
  expect(doubleBillingShareOf(seen)).toEqual({ share: 0, unit: 's' })
  expect(characterize([{ id: 'empty', arrivalMs: 0, runs: [], invocations: [] }]).requests).toBe(0)
})

test('workers that share their request’s load are correlated, independent ones are not', () => {
  const random = seededRandom(5)
  const requests = (share: number) =>
    Array.from({ length: 400 }, (_, i) => {
      const common = random() * 100
      const time = () => 50 + share * common + (1 - share) * random() * 100
      return traceOf(String(i), [
        { task: 'a', at: [0, 400] },
        ...Array.from({ length: 4 }, () => ({
          task: 'w',
          from: 'a',
          at: [10, 10 + time()] as [number, number],
          call: [9, 300] as [number, number],
        })),
      ])
    })
  const correlation = (share: number) => correlationOf(characterize(requests(share)).stages['a>w'] as never)
  expect(correlation(1)).toBeCloseTo(1, 6)
  expect(Math.abs(correlation(0))).toBeLessThan(0.08)
  // Equal parts of common and own variance.
  expect(correlation(0.5)).toBeGreaterThan(0.42)
  expect(correlation(0.5)).toBeLessThan(0.58)
  const alike = traceOf('x', [
    { task: 'a', at: [0, 50] },
    { task: 'w', from: 'a', at: [10, 30], call: [9, 31] },
    { task: 'w', from: 'a', at: [10, 30], call: [9, 31] },
  ])
  expect(correlationOf(characterize([alike]).stages['a>w'] as never)).toBeNaN()
})

test('merging is the same as adding all to one, in whatever order', () => {
  fc.assert(
    fc.property(worlds, fc.integer({ min: 0, max: 12 }), (world, cut) => {
      const { records } = simulate(world, remoteSetup(world.app, 512), { requests: 12, everyMs: 5000, noise: 0.3 })
      const { traces } = importText({ a: records.map(formatRecord).join('\n') })
      const [left, right] = [characterize(traces.slice(0, cut)), characterize(traces.slice(cut))]
      const all = characterize(traces)
      expect(mergeCharacteristics(left, right)).toEqual(all)
      expect(mergeCharacteristics(right, left)).toEqual(all)
    }),
    { numRuns: 25, seed: 11 },
  )
})

test('double billing of record lines is what the records say themselves', () => {
  fc.assert(
    fc.property(worlds, (world) => {
      const { records } = simulate(world, remoteSetup(world.app, 512), { requests: 5, everyMs: 5000, noise: 0.3 })
      const { traces } = importText({ a: records.map(formatRecord).join('\n') })
      const sum = (of: (record: (typeof records)[number]) => number) =>
        records.reduce((total, record) => total + of(record), 0)
      const { share } = doubleBillingShareOf(characterize(traces))
      expect(share).toBeCloseTo(sum(doubleBilledMs) / sum(({ wall }) => wall), 4)
    }),
    { numRuns: 25, seed: 12 },
  )
})

test('a cumulative distribution ends at 1 and tells shares', () => {
  const seen = emptyCharacteristics()
  for (let i = 0; i < 100; i++)
    addRequest(
      seen,
      traceOf(String(i), [
        { task: 'a', at: [0, 10] },
        ...(i < 25 ? [{ task: 'b', from: 'a', at: [2, 5] as [number, number] }] : []),
      ]),
    )
  const cdf = cdfOf(seen.nodes, true)
  expect(cdf).toEqual([
    { value: 1, share: 0.75 },
    { value: 2, share: 1 },
  ])
  expect([0, 1, 1.5, 2, 9].map((value) => shareUpTo(cdf, value))).toEqual([0, 0.75, 0.75, 1, 1])
  expect(shareUpTo([], 1)).toBeNaN()
})
