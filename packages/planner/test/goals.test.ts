import {
  best,
  choose,
  dominates,
  type Estimate,
  type Measurement,
  minimizeText,
  objective,
  type Round,
  satisfies,
} from '@fusionize/planner'
import { remoteSetup } from 'fusionize/setup'
import { expect, test } from 'vitest'
import { better, compareRows } from '../src/goals.js'
import { roundOf } from './run.js'
import { iotWorld } from './world.js'

const world = iotWorld()
const example = roundOf(world, 'remote', { setup: remoteSetup(world.app, 128), reasons: [], summary: '' })
const about = (value: number, margin = 0.05): Estimate => ({
  value,
  low: value * (1 - margin),
  high: value * (1 + margin),
  n: 100,
})
const measured = (p50: number, cost: number | null, more: Partial<Measurement> = {}): Measurement => ({
  ...example.measurement,
  p50Ms: about(p50),
  p95Ms: about(2 * p50),
  p99Ms: about(3 * p50),
  costPerMillionUsd: cost === null ? null : about(cost),
  ...more,
})
const round = (id: string, measurement: Measurement): Round => ({ ...example, id, measurement })

test('each goal minimises its figure; balanced their product; without a cost, latency', () => {
  const m = measured(100, 20)
  const goals = ['p50', 'p95', 'p99', 'cost', 'balanced'] as const
  expect(goals.map((minimize) => objective({ minimize }, m))).toEqual([100, 200, 300, 20, 2000])
  expect(objective({ minimize: 'balanced' }, measured(100, null))).toBe(100)
})

test('better means beyond both intervals; of a product they are combined', () => {
  expect(better({ minimize: 'p50' }, measured(80, 1), measured(100, 1))).toBe(true)
  expect(better({ minimize: 'p50' }, measured(95, 1), measured(100, 1))).toBe(false)
  expect(better({ minimize: 'balanced' }, measured(93, 18.7), measured(100, 20))).toBe(false)
  expect(better({ minimize: 'balanced' }, measured(90, 18), measured(100, 20))).toBe(true)
})

test('bounds are kept by value; an unknown cost keeps any', () => {
  const goal = { minimize: 'cost', subjectTo: { p95Ms: 250, costPerMillionUsd: 10 } } as const
  expect(satisfies(goal, measured(100, 9))).toBe(true)
  expect(satisfies(goal, measured(130, 9))).toBe(false)
  expect(satisfies(goal, measured(100, 11))).toBe(false)
  expect(satisfies(goal, measured(100, null))).toBe(true)
})

test('a setup dominates another when it is no worse in either figure and better in one beyond the intervals', () => {
  expect(dominates(measured(80, 20), measured(100, 20))).toBe(true)
  expect(dominates(measured(80, 21), measured(100, 20))).toBe(false)
  expect(dominates(measured(99, 19.9), measured(100, 20))).toBe(false)
})

test('rows are ordered by errors, then bounds, then the goal', () => {
  const goal = { minimize: 'cost', subjectTo: { p50Ms: 100 } } as const
  const failing = measured(10, 1, { errors: 1 })
  const rows = [failing, measured(300, 2), measured(200, 3), measured(90, 9), measured(95, 8)]
  expect([...rows].sort(compareRows(goal)).map((m) => m.costPerMillionUsd?.value)).toEqual([8, 9, 3, 2, 1])
})

test('the first setup stays unless another is better beyond the intervals', () => {
  const goal = { minimize: 'p50' } as const
  const [first, same, faster] = [
    round('first', measured(100, 20)),
    round('same', measured(97, 20)),
    round('faster', measured(50, 20)),
  ]
  expect(choose([first, same], goal)?.id).toBe('first')
  expect(best([first, same], goal)?.id).toBe('same')
  expect(choose([first, same, faster], goal)?.id).toBe('faster')
  expect(choose([first, round('worse', measured(200, 40))], goal)?.id).toBe('first')
})

test('a setup with errors is never adopted, however fast', () => {
  const goal = { minimize: 'p50' } as const
  const broken = round('broken', measured(1, 1, { errors: 1 }))
  expect(choose([round('first', measured(100, 20)), broken], goal)?.id).toBe('first')
  expect(choose([broken], goal)).toBeUndefined()
})

test('bounds that the first setup breaks are worth a worse goal', () => {
  const goal = { minimize: 'cost', subjectTo: { p50Ms: 60 } } as const
  const history = [round('first', measured(100, 20)), round('bound', measured(50, 30))]
  expect(choose(history, goal)?.id).toBe('bound')
})

test('weights: latency to the power of one times cost to the power of the other', () => {
  const minimize = { percentile: 'p95', latencyWeight: 2, costWeight: 0.5 } as const
  expect(objective({ minimize }, measured(100, 25))).toBeCloseTo(200 ** 2 * 5, 6)
  // A percent of latency is worth four of cost.
  expect(objective({ minimize }, measured(99, 25 * 1.03))).toBeLessThan(objective({ minimize }, measured(100, 25)))
  expect(objective({ minimize }, measured(99, 25 * 1.05))).toBeGreaterThan(objective({ minimize }, measured(100, 25)))
  expect(minimizeText(minimize)).toBe('p95^2 × cost^0.5')
})

test('bounds of an entry hold for its own requests; alone, it is the whole', () => {
  const own = (p95: number) => ({ requests: 100, p50Ms: about(p95 / 2), p95Ms: about(p95), p99Ms: about(p95) })
  const goal = { minimize: 'cost', subjectTo: { entries: { checkout: { p95Ms: 150 } } } } as const
  expect(satisfies(goal, measured(500, 1, { entries: { checkout: own(140), home: own(900) } }))).toBe(true)
  expect(satisfies(goal, measured(10, 1, { entries: { checkout: own(160), home: own(1) } }))).toBe(false)
  expect(satisfies(goal, measured(70, 1))).toBe(true)
  expect(satisfies(goal, measured(80, 1))).toBe(false)
})
