import {
  type Arrivals,
  type Draw,
  recordedBehaviour,
  recordedDelays,
  recordedEntries,
  recordedGatewayMs,
  type SimulatedPlatform,
  simulate,
} from '@fusionize/planner'
import fc from 'fast-check'
import type { InvocationRecord } from 'fusionize/record'
import { allFusedSetup, type FusionSetup, remoteSetup } from 'fusionize/setup'
import { expect, test } from 'vitest'
import { worlds } from './arbitrary-worlds.js'
import { behaviourOf, platformOf, someSetup } from './simulated-world.js'
import { iotWorld, type World, worldOf } from './world.js'

const load = { kind: 'steady', rps: 2, requests: 30 } as const

function recordsOf(
  world: World,
  setup: FusionSetup,
  changes: Partial<SimulatedPlatform> = {},
  arrivals: Arrivals = load,
): InvocationRecord[] {
  const records: InvocationRecord[] = []
  const onRecord = (record: InvocationRecord) => records.push(record)
  simulate(behaviourOf(world), setup, platformOf(world, changes), {
    arrivals,
    seed: 1,
    onRecord,
  })
  // Records of this platform name a start-up of 0 ms where there was one.
  return records.map((record) => (record.cold === 0 ? { ...record, cold: null } : record))
}

test('what was recorded in one setup tells how any other setup behaves', () => {
  const errors: number[] = []
  fc.assert(
    fc.property(worlds, fc.integer({ min: 0, max: 2 ** 31 }), fc.constantFrom(256, 1769), (world, seed, memoryMb) => {
      const records = recordsOf(world, remoteSetup(world.app, memoryMb))
      const { cpu, mbPerCore } = platformOf(world)
      const { behaviour } = recordedBehaviour(records, { app: world.app, cpu, mbPerCore })
      const setup = someSetup(world, seed)
      const options = { arrivals: load, seed: 2 }
      const truth = simulate(behaviourOf(world), setup, platformOf(world), options)
      const predicted = simulate(behaviour, setup, platformOf(world), options)
      // Nothing tells where a run let others have the event loop, which matters to those beside it.
      expect(Math.abs(predicted.latency.meanMs / truth.latency.meanMs - 1)).toBeLessThan(0.2)
      expect(Math.abs(predicted.costPerMillionUsd / truth.costPerMillionUsd - 1)).toBeLessThan(0.2)
      errors.push(Math.abs(predicted.latency.meanMs / truth.latency.meanMs - 1))
      errors.push(Math.abs(predicted.costPerMillionUsd / truth.costPerMillionUsd - 1))
    }),
    { numRuns: 40, seed: 6 },
  )
  expect(errors.filter((error) => error < 0.001).length / errors.length).toBeGreaterThan(0.85)
})

test('what was recorded fused tells how it behaves apart', () => {
  const world = iotWorld()
  const { cpu, mbPerCore } = platformOf(world)
  const records = recordsOf(world, allFusedSetup(world.app, 1769), { loop: 'shared', coresPerSandbox: 1 })
  const { behaviour, neverRan } = recordedBehaviour(records, { app: world.app, cpu, mbPerCore })
  expect(neverRan).toEqual([])
  const options = { arrivals: load, seed: 2 }
  const setup = remoteSetup(world.app, 1769)
  const truth = simulate(behaviourOf(world), setup, platformOf(world), options)
  const predicted = simulate(behaviour, setup, platformOf(world), options)
  expect(predicted.invocationsPerRequest).toBe(truth.invocationsPerRequest)
  // Sends that were inline are sent one beside the other: nobody saw when each was made.
  expect(Math.abs(predicted.latency.meanMs / truth.latency.meanMs - 1)).toBeLessThan(0.1)
})

test.each([
  { name: 'that stops at once', cpu: { kind: 'quota', periodMs: 20 } as const, cpuMs: 10 },
  {
    name: 'as Linux keeps it',
    cpu: { kind: 'quota', periodMs: 20, tickMs: 4, sliceMs: 5, keepMs: 1 } as const,
    cpuMs: 10,
  },
  {
    name: 'as Linux keeps it, of brief work',
    cpu: { kind: 'quota', periodMs: 20, tickMs: 4, sliceMs: 5, keepMs: 1 } as const,
    cpuMs: 2,
  },
])('a quota $name takes nothing from the work that it stretches', ({ cpu, cpuMs }) => {
  const world = worldOf('one', { a: [{ cpuMs }, { waitMs: 7 }] })
  const quota = { cpu, coresPerSandbox: 2 } as const
  // Evenly spaced requests would all begin at the same point of a period.
  const arrivals = { kind: 'poisson', rps: 2, requests: 500 } as const
  const records = recordsOf(world, remoteSetup(world.app, 128), quota, arrivals)
  const { behaviour } = recordedBehaviour(records, { app: world.app, cpu: quota.cpu, mbPerCore: 1769 })
  const options = { arrivals, seed: 2 }
  const at = (memoryMb: number, changes: Partial<SimulatedPlatform>) =>
    simulate(behaviour, remoteSetup(world.app, memoryMb), platformOf(world, changes), options).latency.meanMs
  const truth = records.reduce((sum, { reply }) => sum + reply, 0) / records.length
  expect(Math.abs(at(128, quota) / truth - 1)).toBeLessThan(0.1)
  expect(Math.abs(at(1769, quota) - (cpuMs + 7))).toBeLessThan(8)
})

test('what many at once waited for a core of their machine is no waiting of theirs; what they waited for otherwise is', () => {
  const waitIn = (b: Parameters<typeof worldOf>[1][string], nodeCores?: number) => {
    const world = worldOf('many', { a: [{ map: 'b', items: 8 }], b })
    const machine = { nodeCores: 2, coresPerSandbox: 2, cpu: { kind: 'even' } } as const
    const records = recordsOf(world, remoteSetup(world.app, 1769), machine)
    const of = { app: world.app, cpu: machine.cpu, mbPerCore: 1769, ...(nodeCores !== undefined && { nodeCores }) }
    const scripts = recordedBehaviour(records, of).behaviour.tasks.b?.scripts ?? []
    const waits = scripts.flat().map((step) => ('waitMs' in step ? (step.waitMs as number) : 0))
    return waits.reduce((sum, ms) => sum + ms, 0) / scripts.length
  }
  expect(waitIn([{ cpuMs: 10 }])).toBeGreaterThan(20)
  expect(waitIn([{ cpuMs: 10 }], 2)).toBeLessThan(2)
  const mostly = [{ cpuMs: 1 }, { waitMs: 200 }]
  expect(waitIn(mostly, 2)).toBeGreaterThan(195)
})

test('CPU time beyond the own time of a run that called others is that of the calls, not of threads', () => {
  const world = worldOf('pair', { a: [{ cpuMs: 0.4 }, { call: ['b'] }], b: [{ cpuMs: 1 }] })
  const records = recordsOf(world, remoteSetup(world.app, 1769)).map((record) =>
    record.task === 'a' ? { ...record, spans: record.spans.map((x, i) => (i === 0 ? { ...x, cpu: 0.9 } : x)) } : record,
  )
  const { behaviour } = recordedBehaviour(records, { app: world.app, cpu: { kind: 'even' }, mbPerCore: 1769 })
  for (const [step] of behaviour.tasks.a?.scripts ?? []) {
    if (!step || !('cpuMs' in step)) throw new Error('no CPU')
    expect(step.threads).toBe(1)
    expect(step.cpuMs as number).toBeCloseTo(0.4, 3)
  }
})

test('what clients waited is told by cold requests where no other came', () => {
  const world = worldOf('one', { a: [{ cpuMs: 1 }] })
  const records = recordsOf(world, remoteSetup(world.app, 1769)).map((record) => ({ ...record, cold: 100 }))
  const latency = (warm: boolean) =>
    new Map(records.map(({ session, reply }, i) => [session, reply + 3 + (warm && i === 0 ? 0 : 100)]))
  for (const ms of recordedGatewayMs(records, latency(false)).byRequest.flat()) expect(ms).toBeCloseTo(3, 6)
  const [first, ...others] = records as [(typeof records)[0], ...typeof records]
  const waits = recordedGatewayMs([{ ...first, cold: null }, ...others], latency(true)).byRequest.flat()
  expect(waits).toEqual([expect.closeTo(3, 6)])
})

test('hand-overs are those of their callee', () => {
  const world = worldOf('two', {
    a: [{ cpuMs: 1 }, { call: ['b'] }, { call: ['c'] }],
    b: [{ cpuMs: 1 }],
    c: [{ cpuMs: 1 }],
  })
  const setup = remoteSetup(world.app, 512)
  const { handOver } = platformOf(world)
  const callTo = { b: [{ memoryMb: 512, ms: 1 }], c: [{ memoryMb: 512, ms: 50 }] }
  const records = recordsOf(world, setup, { handOver: { ...handOver, callTo } })
  const found = recordedDelays(records).handOver
  for (const ms of valuesOf(found.callTo?.b?.[0]?.ms)) expect(ms).toBeCloseTo(1, 6)
  for (const ms of valuesOf(found.callTo?.c?.[0]?.ms)) expect(ms).toBeCloseTo(50, 6)
  const { behaviour } = recordedBehaviour(records, { app: world.app, cpu: { kind: 'even' }, mbPerCore: 1769 })
  const apart = { ...setup, functions: structuredClone(setup.functions) }
  apart.functions.a?.inline.call.push('c')
  const options = { arrivals: load, seed: 1 }
  const [all, fused] = [setup, apart].map((one) =>
    simulate(behaviour, one, platformOf(world, { handOver: found }), options),
  )
  expect((all?.latency.meanMs ?? 0) - (fused?.latency.meanMs ?? 0)).toBeCloseTo(50, 1)
})

test('what buckets started is started again, and in sandboxes that just began other scripts are followed', () => {
  const world = worldOf(
    'parts',
    { cut: [{ cpuMs: 1 }, { put: ['parts'] }], join: [{ cpuMs: 2 }] },
    {},
    { parts: { tasks: ['join'] } },
  )
  const records = recordsOf(world, remoteSetup(world.app, 1769))
  const slowFirst = records.map((record, i) => (i === 0 ? { ...record, cold: 100 } : record))
  const { behaviour } = recordedBehaviour(slowFirst, { app: world.app, cpu: { kind: 'even' }, mbPerCore: 1769 })
  expect(behaviour.tasks.cut?.firstScripts).toHaveLength(1)
  expect(behaviour.tasks.cut?.scripts).toHaveLength(29)
  expect(behaviour.tasks.cut?.scripts[0]?.at(-1)).toEqual({ put: ['parts'], starts: ['join'] })
  const again = simulate(behaviour, remoteSetup(world.app, 1769), platformOf(world), { arrivals: load, seed: 1 })
  expect(again.invocationsPerRequest).toBe(2)
})

test('delays are those that were recorded, and those that were not are named', () => {
  const world = iotWorld()
  const startUp = [{ memoryMb: 128, ms: 333 }]
  const records = recordsOf(world, remoteSetup(world.app, 512), { startUp, gatewayMs: 3 })
  const { handOver, startUp: found, unknown } = recordedDelays(records)
  const [call] = handOver.call
  expect(call?.memoryMb).toBe(512)
  for (const ms of valuesOf(call?.ms)) expect(ms).toBeCloseTo(world.handOverMs('call', 512), 6)
  expect(valuesOf(found[0]?.ms).every((ms) => ms === 333)).toBe(true)
  expect(unknown).toEqual([])
  expect(recordedEntries(records)).toEqual({ 'analyze-sensor': 30 })
  const latencies = new Map(records.filter((x) => x.parent === null).map((x) => [x.session, x.reply + 3]))
  for (const ms of recordedGatewayMs(records, latencies).byRequest.flat()) expect(ms).toBeCloseTo(3, 6)
  expect(recordedDelays(recordsOf(world, allFusedSetup(world.app, 512))).unknown).toHaveLength(3)
})

test('sends that leave together share their luck as much as was recorded', () => {
  const world = worldOf('fan', { a: [{ cpuMs: 1 }, { send: ['b', 'c', 'd'] }], b: [], c: [], d: [] })
  const setup = remoteSetup(world.app, 512)
  const send = [{ memoryMb: 512, ms: { medianMs: 30, sigma: 0.5 } }]
  const slowest = (together: number) => {
    const records: InvocationRecord[] = []
    const platform = platformOf(world, { handOver: { call: send, send, together } })
    const options = {
      arrivals: { ...load, requests: 2000 },
      seed: 3,
      onRecord: (x: InvocationRecord) => records.push(x),
    }
    const { p50Ms } = simulate(behaviourOf(world), setup, platform, options).latency
    return { p50Ms, recorded: recordedDelays(records).handOver.together ?? 0 }
  }
  const [apart, half, same] = [slowest(0), slowest(0.6), slowest(1)]
  expect(apart.recorded).toBeLessThan(0.06)
  expect(Math.abs(half.recorded - 0.6)).toBeLessThan(0.06)
  expect(same.recorded).toBeGreaterThan(0.95)
  const computingMs = 1769 / 512
  expect(Math.abs(same.p50Ms - (computingMs + 30))).toBeLessThan(1.5)
  // Median of the slowest of three: quantile 0.794.
  expect(Math.abs(apart.p50Ms - (computingMs + 30 * Math.exp(0.5 * 0.82)))).toBeLessThan(1.5)
  expect(half.p50Ms).toBeGreaterThan(same.p50Ms)
  expect(half.p50Ms).toBeLessThan(apart.p50Ms)
})

test('a simulated request follows one recorded request: what is slow together stays slow together', () => {
  const world = worldOf('two', { a: [{ waitMs: 10 }, { call: ['b'] }], b: [{ waitMs: 10 }] })
  const slow = worldOf('two', { a: [{ waitMs: 50 }, { call: ['b'] }], b: [{ waitMs: 50 }] })
  const setup = remoteSetup(world.app, 1769)
  const records = [recordsOf(world, setup), recordsOf(slow, setup)].flatMap((own, k) =>
    own.map((record) => ({ ...record, session: `${k}${record.session}`, invocation: `${k}${record.invocation}` })),
  )
  const { behaviour } = recordedBehaviour(records, { app: world.app, cpu: { kind: 'even' }, mbPerCore: 1769 })
  const latencies = new Set<number>()
  const onReply = (_request: number, _at: number, latencyMs: number) => latencies.add(Math.round(latencyMs))
  simulate(behaviour, setup, platformOf(world), { arrivals: { ...load, requests: 200 }, seed: 1, onReply })
  expect([...latencies].sort((a, b) => a - b)).toEqual([44, 124])
})

function valuesOf(draw: Draw | undefined): readonly number[] {
  if (typeof draw === 'object' && 'values' in draw) return draw.values
  if (typeof draw === 'object' && 'byRequest' in draw) return draw.byRequest.flat()
  throw new Error('no values were recorded')
}
