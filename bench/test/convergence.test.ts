import { type Estimate, type Goal, type SimulatedPlatform, seededRandom } from '@fusionize/planner'
import fc from 'fast-check'
import { type App, allFusedSetup, effectiveSetup, reachableFunctions, remoteSetup, setupId } from 'fusionize/setup'
import { describe, expect, it, test } from 'vitest'
import { everySetup } from '../src/convergence/every-setup.js'
import { groundTruth } from '../src/convergence/ground-truth.js'
import { neighboursOf } from '../src/convergence/neighbours.js'
import { gapBetween, gapOverTurns, objectiveOf, type RequestFigures } from '../src/convergence/paired.js'
import { drawArrivals, simulatedLab } from '../src/convergence/simulated-lab.js'
import { drawWorld } from '../src/convergence/world.js'

const info = (name: string) => ({ name, file: `tasks/${name}.ts`, line: 1 })
/** a calls b and c, b calls d, c sends to d. */
const diamond: App = {
  name: 'diamond',
  tasks: { a: { ...info('a'), http: { method: 'POST', path: '/a' } }, b: info('b'), c: info('c'), d: info('d') },
  edges: [
    { from: 'a', to: 'b', modes: ['call'] },
    { from: 'a', to: 'c', modes: ['call'] },
    { from: 'b', to: 'd', modes: ['call'] },
    { from: 'c', to: 'd', modes: ['send'] },
  ],
}
const space = { app: diamond, facts: { memoryLadder: [128, 256], mbPerCore: 1769 }, constraints: {} }
const balanced: Goal = { minimize: 'balanced' }

describe('every setup', () => {
  it('is there once, and each of its neighbours is among them', () => {
    const every = everySetup(space, 10_000) ?? []
    const ids = every.map((setup) => setupId(effectiveSetup(diamond, setup)))
    expect(new Set(ids).size).toBe(ids.length)
    for (const setup of [remoteSetup(diamond, 128), allFusedSetup(diamond, 256)])
      expect(ids).toContain(setupId(effectiveSetup(diamond, setup)))
    for (const setup of every)
      for (const next of neighboursOf(space, setup)) expect(ids).toContain(setupId(effectiveSetup(diamond, next)))
  })

  it('is counted: a chain of two has three sizings of two sizes', () => {
    const chain: App = {
      ...diamond,
      tasks: { a: info('a'), b: info('b') },
      edges: [{ from: 'a', to: 'b', modes: ['call'] }],
    }
    // Fused: the entry's size. Apart: both sizes.
    expect(everySetup({ ...space, app: chain }, 100)).toHaveLength(2 + 4)
    expect(everySetup({ ...space, app: chain }, 5)).toBeUndefined()
  })

  it('obeys constraints, as neighbours do', () => {
    const apart = { ...space, constraints: { isolate: ['b'] } }
    const every = everySetup(apart, 10_000) ?? []
    expect(every.length).toBeGreaterThan(0)
    for (const setup of every) expect(reachableFunctions(diamond, setup)).toContain('b')
    expect(neighboursOf(apart, every[0] ?? remoteSetup(diamond, 128)).length).toBeGreaterThan(0)
  })
})

describe('the realised gap', () => {
  const random = seededRandom(7)
  const requests = Array.from(
    { length: 900 },
    (): RequestFigures => ({ latencyMs: 50 * (1 + random()), costUsd: 1e-6 * (1 + random()) }),
  )
  const slower = (factor: number) => requests.map((one) => ({ ...one, latencyMs: one.latencyMs * factor }))
  const isWithin = ({ high }: Estimate) => high < 0.02

  it('is what it is, whatever the requests have in common', () => {
    const gap = gapBetween(balanced, slower(1.01), requests)
    expect(gap.value).toBeCloseTo(0.01, 9)
    expect(isWithin(gap)).toBe(true)
    expect(isWithin(gapBetween(balanced, slower(1.03), requests))).toBe(false)
  })

  it('is not shown to be small by few requests that have nothing in common', () => {
    const other = Array.from(
      { length: 30 },
      (): RequestFigures => ({ latencyMs: 50 * (1 + random()), costUsd: 1e-6 * (1 + random()) }),
    )
    const gap = gapBetween(balanced, other, requests.slice(0, 30))
    expect(gap.high - gap.low).toBeGreaterThan(0.04)
  })

  it('leaves out requests that one of the two did not answer, and needs as many of both', () => {
    const holes = slower(1.5).map((one, i) => (i % 10 === 0 ? undefined : one))
    expect(gapBetween({ minimize: 'p95' }, holes, requests).value).toBeCloseTo(0.5, 9)
    expect(() => gapBetween(balanced, requests.slice(1), requests)).toThrow(/paired/)
  })

  it('is as uncertain as deployments differ, however many requests each had', () => {
    const turns = [1.1, 0.9, 1.08, 0.95].map(slower)
    const base = turns.map(() => requests)
    const gap = gapOverTurns(balanced, turns, base)
    expect(gap.value).toBeCloseTo((1.1 * 0.9 * 1.08 * 0.95) ** 0.25 - 1, 6)
    expect(gap.low).toBeLessThan(-0.1)
    expect(gap.high).toBeGreaterThan(0.1)
    const same = gapOverTurns(
      balanced,
      base.map(() => slower(1.01)),
      base,
    )
    expect([same.low, same.high]).toEqual([expect.closeTo(0.01, 9), expect.closeTo(0.01, 9)])
    expect(gapOverTurns(balanced, [slower(1.01)], [requests])).toEqual(gapBetween(balanced, slower(1.01), requests))
    expect(() => gapOverTurns(balanced, [], base)).toThrow(/turn/)
  })

  it('is of latency where cost is unknown', () => {
    const free = requests.map(({ latencyMs }) => ({ latencyMs, costUsd: null }))
    expect(objectiveOf(balanced, free)).toBe(objectiveOf({ minimize: 'p50' }, free))
  })
})

describe('a drawn application', () => {
  test('is the same for a seed, and another for another', () => {
    expect(drawWorld(3)).toEqual(drawWorld(3))
    fc.assert(
      fc.property(fc.nat(2 ** 31), (seed) => {
        const { behaviour, platform, rps, facts } = drawWorld(seed)
        expect(Object.keys(behaviour.app.tasks).length).toBeGreaterThanOrEqual(3)
        expect(rps).toBeGreaterThan(0)
        expect(rps).toBeLessThanOrEqual(50)
        expect(platform.handOver.call).toHaveLength(facts.memoryLadder.length)
        expect(setupId(remoteSetup(behaviour.app, 128))).toMatch(/^[0-9a-f]{12}$/)
      }),
      { numRuns: 20, seed: 65 },
    )
    expect(drawWorld(4)).not.toEqual(drawWorld(3))
  })

  test('serves loads as a platform would: samples with records of their sessions, and another chance each time', async () => {
    const world = drawWorld(20)
    const lab = simulatedLab(world)
    await lab.serve(remoteSetup(world.behaviour.app, 256))
    const arrivals = drawArrivals(world, 50)
    const [one, two] = [await lab.measure(arrivals, 0), await lab.measure(arrivals, 0)]
    for (const { samples, records } of [one, two]) {
      expect(samples.map(({ startMs }) => startMs.toFixed(6))).toEqual(arrivals.map((ms) => ms.toFixed(6)))
      const sessions = new Set(records.map(({ session }) => session))
      expect([...sessions].sort()).toEqual(samples.map(({ session }) => session as string).sort())
    }
    expect(one.samples[0]?.latencyMs).not.toBe(two.samples[0]?.latencyMs)
    expect(lab.requestsSpent()).toBeGreaterThanOrEqual(100)
  })
})

test('the ground truth finds the best of an application without chance', () => {
  const platform: SimulatedPlatform = {
    prices: drawWorld(1).platform.prices,
    mbPerCore: 1769,
    cpu: { kind: 'even' },
    handOver: { call: [{ memoryMb: 128, ms: 40 }], send: [{ memoryMb: 128, ms: 40 }] },
    startUp: [{ memoryMb: 128, ms: 0 }],
    keepAliveMs: 600_000,
  }
  const world = drawWorld(1)
  const app: App = {
    ...diamond,
    tasks: { a: diamond.tasks.a ?? info('a'), b: info('b') },
    edges: diamond.edges.slice(0, 1),
  }
  const tasks = {
    a: { scripts: [[{ cpuMs: 10 }, { call: ['b'] }]] },
    b: { scripts: [[{ waitMs: 100 }]] },
  }
  const facts = { ...world.facts, memoryLadder: [128, 256] }
  const truth = groundTruth(
    { ...world, behaviour: { app, tasks }, platform, facts, rps: 1 },
    balanced,
    [remoteSetup(app, 128)],
    { limit: 100, rounds: [{ requests: 20, keep: 0.5 }], judge: { requests: 20, near: 40 } },
  )
  // By hand: fused at 128 MB 238 ms × $0.70 a million, at 256 MB 169 ms × $0.90; apart the hand-over comes on top, and a second fee.
  expect(setupId(effectiveSetup(app, truth.best.setup))).toBe(setupId(effectiveSetup(app, allFusedSetup(app, 256))))
  expect(truth.isEverySetup).toBe(true)
  expect(truth.gapOf(remoteSetup(app, 128)).value).toBeGreaterThan(0.3)
  expect(() => truth.gapOf(remoteSetup(app, 999))).toThrow(/not judged/)
})
