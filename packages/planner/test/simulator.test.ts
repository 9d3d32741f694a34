import {
  type Arrivals,
  type Behaviour,
  costOf,
  createMonitor,
  measure,
  type RequestSample,
  type SimulatedPlatform,
  simulate,
  totalOf,
} from '@fusionize/planner'
import fc from 'fast-check'
import type { InvocationRecord } from 'fusionize/record'
import { type FusionSetup, remoteSetup } from 'fusionize/setup'
import { describe, expect, test } from 'vitest'
import { worlds } from './arbitrary-worlds.js'
import { simulate as simulateSlowly } from './simulate.js'
import { behaviourOf, platformOf, someSetup } from './simulated-world.js'
import { iotWorld, type World, worldOf } from './world.js'

const setups = fc.integer({ min: 0, max: 2 ** 31 })

/** Runs a world and keeps what came out. */
function run(
  world: World,
  setup: FusionSetup,
  arrivals: Arrivals,
  changes: Partial<SimulatedPlatform> = {},
  behaviour: Behaviour = behaviourOf(world),
) {
  const records: InvocationRecord[] = []
  const samples: RequestSample[] = []
  const platform = platformOf(world, changes)
  const result = simulate(behaviour, setup, platform, {
    arrivals,
    seed: 1,
    onRecord: (record) => records.push(record),
    onReply: (request, startMs, latencyMs) => {
      samples[request] = { startMs, latencyMs, session: `s${request + 1}` }
    },
  })
  return { result, records, samples, platform }
}

/** Records in an order that does not depend on when they were written, times rounded to what two ways of adding agree about. */
function comparable(records: readonly InvocationRecord[]) {
  const ms = (value: number) => Math.round(value * 1e4) / 1e4 + 0
  return records
    .map(({ function: fn, task, session, mode, start, reply, wall, memory, spans }) => ({
      key: `${session.padStart(6, '0')} ${fn} ${ms(start).toFixed(2)}`,
      figures: [task, mode, memory, ms(reply), ms(wall)],
      spans: spans
        .map((x) => {
          const from = spans[x.parent]
          const place = from ? `${from.task} ${ms(from.start)}` : '-'
          return [place, x.task, x.mode, x.route, ms(x.start), ms(x.end), ms(x.cpu ?? 0)].map(String).join(' ')
        })
        .sort(),
    }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
}

/**
 * The world with durations of which no two are equal, and one item where items would go on with something: whoever is first when two
 * things happen at the same time, nothing else changes.
 */
function withoutTies(world: World): World {
  let n = 0
  const isLeaf = (task: string) => world.scripts[task]?.every((step) => 'cpuMs' in step || 'waitMs' in step) === true
  const scripts = Object.entries(world.scripts).map(([task, steps]) => {
    const changed = steps.map((step) => {
      const more = 1 + 0.0137 * Math.sqrt(++n)
      if ('cpuMs' in step) return { cpuMs: step.cpuMs * more }
      if ('waitMs' in step) return { waitMs: step.waitMs * more }
      return 'map' in step && !isLeaf(step.map) ? { ...step, items: 1 } : step
    })
    return [task, changed]
  })
  return { ...world, scripts: Object.fromEntries(scripts) }
}

describe('the simulator', () => {
  test('writes the records of the slow, obvious model, for any world and any setup', () => {
    fc.assert(
      fc.property(worlds.map(withoutTies), setups, fc.boolean(), (world, seed, forcedCold) => {
        const setup = someSetup(world, seed)
        const slow = simulateSlowly(world, setup, { requests: 3, everyMs: 40, forceCold: forcedCold })
        const startUp = world.facts.memoryLadder.map((memoryMb) => ({ memoryMb, ms: world.coldMs(memoryMb) }))
        const fast = run(
          world,
          setup,
          { kind: 'steady', rps: 25, requests: 3 },
          forcedCold ? { forcedCold, startUp } : {},
        )
        expect(fast.samples.map((x) => x.latencyMs.toFixed(6))).toEqual(slow.samples.map((x) => x.latencyMs.toFixed(6)))
        expect(comparable(fast.records)).toEqual(comparable(slow.records))
      }),
      { numRuns: 150, seed: 20 },
    )
  })

  test('adds up what measure() finds in its records', () => {
    fc.assert(
      fc.property(worlds, setups, fc.integer({ min: 1, max: 60 }), (world, seed, rps) => {
        const startUp = [{ memoryMb: 128, ms: { medianMs: 300, sigma: 0.3 } }]
        const load = { kind: 'poisson', rps, requests: 120 } as const
        const { result, records, samples } = run(world, someSetup(world, seed), load, { startUp, keepAliveMs: 500 })
        const measured = measure(samples, records, world.facts)
        expect(result.latency.n).toBe(120)
        expect(result.latency.maxMs).toBeCloseTo(Math.max(...samples.map((x) => x.latencyMs)), 6)
        expect(Math.abs(result.latency.p50Ms / nearest(samples, 0.5) - 1)).toBeLessThan(0.004)
        expect(Math.abs(result.latency.p95Ms / nearest(samples, 0.95) - 1)).toBeLessThan(0.004)
        const { costPerMillionUsd, p95Ms } = result.estimates
        expect(costPerMillionUsd.value).toBe(result.costPerMillionUsd)
        expect(costPerMillionUsd.low).toBeLessThanOrEqual(result.costPerMillionUsd)
        expect(p95Ms.low).toBeLessThanOrEqual(result.latency.p95Ms)
        expect(result.invocations).toBe(measured.invocations)
        expect(result.coldStarts).toBe(measured.coldStarts)
        expect(result.doubleBillingShare).toBeCloseTo(measured.doubleBillingShare, 9)
        const costs = records.map((record) => totalOf(costOf({ ...record, wall: record.wall - 1e-6 }, world.facts)))
        const total = costs.reduce((a, b) => a + b, 0) / 120 + world.facts.prices.perGatewayRequest
        expect(result.costPerMillionUsd / (1e6 * total)).toBeCloseTo(1, 3)
      }),
      { numRuns: 25, seed: 3 },
    )
  })

  test('writes records that the monitor reads as whole traces', () => {
    const world = iotWorld()
    const { records } = run(world, someSetup(world, 5), { kind: 'poisson', rps: 20, requests: 40 })
    const monitor = createMonitor()
    for (const record of records) expect(monitor.add(record)).toBe(true)
    expect(monitor.flush()).toMatchObject({ requests: 40, unmatched: 0, traces: { complete: 40, incomplete: 0 } })
  })

  test('runs what buckets start in the function that evaluates them, else elsewhere', () => {
    const world = worldOf(
      'parts',
      { cut: [{ cpuMs: 1 }, { put: ['parts'] }], join: [{ cpuMs: 2 }] },
      {},
      { parts: { tasks: ['join'] } },
    )
    const setup = remoteSetup(world.app, 1769)
    const remote = run(world, setup, { kind: 'steady', rps: 1, requests: 1 })
    expect(remote.records.map((x) => [x.task, x.fired?.bucket ?? null])).toEqual([
      ['cut', null],
      ['join', 'parts'],
    ])
    const { cut } = setup.functions
    if (cut) Object.assign(cut, { buckets: ['parts'], inline: { call: [], send: ['join'], map: [] } })
    const fused = run(world, setup, { kind: 'steady', rps: 1, requests: 1 })
    expect(fused.records).toMatchObject([{ task: 'cut', reply: 1, wall: 3, firings: [{ fired: { bucket: 'parts' } }] }])
  })

  test('gives the same bytes for the same seed, and others for another', () => {
    const world = iotWorld()
    const figures = (seed: number) =>
      JSON.stringify(
        simulate(
          behaviourOf(world),
          remoteSetup(world.app, 256),
          platformOf(world, { handOver: { call: random, send: random } }),
          { arrivals: { kind: 'poisson', rps: 50, requests: 500 }, seed },
        ),
      )
    const random = [{ memoryMb: 128, ms: { medianMs: 20, sigma: 0.5 } }]
    expect(figures(4)).toBe(figures(4))
    expect(figures(4)).not.toBe(figures(5))
  })

  test('never makes a request faster by making hand-overs slower', () => {
    fc.assert(
      fc.property(worlds, setups, fc.integer({ min: 1, max: 50 }), (world, seed, more) => {
        const setup = someSetup(world, seed)
        const load = { kind: 'steady', rps: 10, requests: 4 } as const
        const slower = {
          ...world,
          handOverMs: (...x: Parameters<World['handOverMs']>) => world.handOverMs(...x) + more,
        }
        const [before, after] = [world, slower].map((w) => run(w, setup, load).samples)
        for (const [i, sample] of (after ?? []).entries())
          expect(sample.latencyMs).toBeGreaterThanOrEqual((before?.[i]?.latencyMs ?? 0) - 1e-6)
      }),
      { numRuns: 100, seed: 9 },
    )
  })

  test('has no sandbox with more requests than its concurrency, and no more sandboxes than the limit', () => {
    fc.assert(
      fc.property(worlds, setups, fc.integer({ min: 1, max: 4 }), (world, seed, concurrency) => {
        const setup = someSetup(world, seed)
        for (const spec of Object.values(setup.functions)) spec.concurrency = concurrency
        const startUp = [{ memoryMb: 128, ms: 150 }]
        const changes = { startUp, concurrencyLimit: 3, waitingIsFree: true, keepAliveMs: 300 }
        const { records, result } = run(world, setup, { kind: 'poisson', rps: 100, requests: 50 }, changes)
        expect(result.stuck).toBe(0)
        for (const name of new Set(records.map((record) => record.sandbox)))
          expect(mostAtATime(records.filter(({ sandbox }) => sandbox === name))).toBeLessThanOrEqual(concurrency)
        const counted = { ...changes, waitingIsFree: false }
        expect(run(world, setup, { kind: 'poisson', rps: 100, requests: 50 }, counted).result.sandboxes).toBeLessThan(4)
      }),
      { numRuns: 30, seed: 11 },
    )
  })

  test('says which requests wait for each other for ever under a limit that counts who waits', () => {
    const world = worldOf('chain', { a: [{ call: ['b'] }], b: [{ cpuMs: 1 }] })
    const load = { kind: 'steady', rps: 1000, requests: 5 } as const
    const setup = remoteSetup(world.app, 1769)
    expect(run(world, setup, load, { concurrencyLimit: 3 }).result.stuck).toBe(5)
    expect(run(world, setup, load, { concurrencyLimit: 3, waitingIsFree: true }).result.stuck).toBe(0)
  })

  test('starts a sandbox again when the last one was idle for longer than it is kept', () => {
    const world = worldOf('one', { a: [{ waitMs: 5 }] })
    const load = { kind: 'steady', rps: 0.1, requests: 10 } as const
    const setup = remoteSetup(world.app, 128)
    expect(run(world, setup, load, { keepAliveMs: 9_000 }).result.coldStarts).toBe(10)
    expect(run(world, setup, load, { keepAliveMs: 11_000 }).result.coldStarts).toBe(1)
  })

  test('takes the sandbox used last, or where the platform says so one that has rested', () => {
    const world = worldOf('one', { a: [{ waitMs: 5 }] })
    const load = { kind: 'recorded', atMs: [0, 1, 20, 100] } as const
    const sandboxesAt = (memoryMb: number, changes: Parameters<typeof run>[3]) =>
      run(world, remoteSetup(world.app, memoryMb), load, changes).records.map(({ sandbox }) => sandbox)
    const [first, second] = sandboxesAt(128, {}) as [string, string]
    expect(sandboxesAt(128, {})).toEqual([first, second, second, second])
    expect(sandboxesAt(128, { restMs: 60 })).toEqual([first, second, first, first])
    // After 60 ms nobody is kept; after 90 one has gone and the other is taken, rested or not.
    expect(new Set(sandboxesAt(128, { restMs: 60, keepAliveMs: 60 })).size).toBe(3)
    expect(sandboxesAt(128, { restMs: 90, keepAliveMs: 90 })).toEqual([first, second, first, first])
    expect(sandboxesAt(1769, { restMs: 60 })).toEqual([first, second, second, second])
  })
})

describe('cores', () => {
  const one = (steps: Behaviour['tasks'][string]['scripts'][number]): [World, Behaviour] => {
    const world = worldOf('one', { a: [{ cpuMs: 1 }] })
    return [world, { app: world.app, tasks: { a: { scripts: [steps] } } }]
  }
  const lasts = (steps: Parameters<typeof one>[0], memoryMb: number, changes: Partial<SimulatedPlatform>) => {
    const [world, behaviour] = one(steps)
    const load = { kind: 'steady', rps: 1, requests: 1 } as const
    const { samples } = run(world, remoteSetup(world.app, memoryMb), load, changes, behaviour)
    return samples[0]?.latencyMs
  }

  test('are shared max-min fair by pieces with one and with more threads', () => {
    const lanes = { parallel: [[{ cpuMs: 10 }], [{ cpuMs: 30, threads: 4 }]] }
    // One core for the first lane and two for the other until 10 ms, then three.
    expect(lasts([lanes], 3 * 1769, { coresPerSandbox: 6 })).toBeCloseTo(10 + 10 / 3, 6)
  })

  test('are given to pieces of an event loop one after another, to others at the same time', () => {
    const lanes = { parallel: [[{ cpuMs: 10 }, { waitMs: 10 }], [{ cpuMs: 10 }]] }
    expect(lasts([lanes], 1769, { loop: 'turns' })).toBeCloseTo(20, 6)
    expect(lasts([lanes], 1769, { loop: 'shared' })).toBeCloseTo(30, 6)
  })

  test('are a quota by period in control groups: brief work is not slowed down, long work is as by an even share', () => {
    const quota = { cpu: { kind: 'quota', periodMs: 20 }, coresPerSandbox: 2 } as const
    expect(lasts([{ cpuMs: 1 }], 128, quota)).toBeCloseTo(1, 6)
    expect(Math.abs((lasts([{ cpuMs: 200 }], 128, quota) ?? 0) / (200 * (1769 / 128)) - 1)).toBeLessThan(0.02)
    expect(lasts([{ cpuMs: 20 }], 128, { cpu: { kind: 'even' } })).toBeCloseTo(20 * (1769 / 128), 6)
    expect(lasts([{ cpuMs: 20 }], 128, { cpu: { kind: 'none' } })).toBeCloseTo(20, 6)
  })

  test('of a node are never idle while there is work for them, and do no more than they can', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        (works, cores, quota) => {
          const world = worldOf('one', { a: [{ cpuMs: 1 }] })
          const behaviour = { app: world.app, tasks: { a: { scripts: works.map((cpuMs) => [{ cpuMs }]) } } }
          const changes: Partial<SimulatedPlatform> = { nodeCores: cores }
          if (quota) changes.cpu = { kind: 'quota', periodMs: 20 }
          const arrivals = { kind: 'recorded', atMs: works.map(() => 0) } as const
          const { samples, records } = run(world, remoteSetup(world.app, 1769), arrivals, changes, behaviour)
          const work = records.reduce((sum, record) => sum + (record.cpu ?? 0), 0)
          const longest = Math.max(...records.map((record) => record.cpu ?? 0))
          const end = Math.max(...samples.map((sample) => sample.latencyMs))
          expect(end).toBeGreaterThanOrEqual(Math.max(work / cores, longest) - 1e-3)
          // All begin together and are served equally: while more are left than there are cores, every core works.
          expect(end).toBeLessThanOrEqual(work / cores + longest + 1e-3)
          if (works.length <= cores) expect(end).toBeCloseTo(longest, 3)
        },
      ),
      { numRuns: 100, seed: 4 },
    )
  })
})

describe('queues are as theory says', () => {
  /** Mean time in the system, ms, of a task that takes 10 ms, at 70 requests/s. */
  const meanMs = (
    cpuMs: Behaviour['tasks'][string]['scripts'][number][number],
    changes: Partial<SimulatedPlatform>,
    concurrency = 1,
  ) => {
    const world = worldOf('one', { a: [{ cpuMs: 1 }] })
    const setup = remoteSetup(world.app, 1769)
    Object.assign(setup.functions.a as object, { concurrency })
    const behaviour = { app: world.app, tasks: { a: { scripts: [[cpuMs]] } } }
    const options = { arrivals: { kind: 'poisson', rps: 70, requests: 120_000 }, seed: 12 } as const
    return simulate(behaviour, setup, platformOf(world, changes), options).latency.meanMs
  }
  const rho = 0.7
  const exponential = { cpuMs: { meanMs: 10, exponential: true } } as const
  const error = (found: number, expected: number) => Math.abs(found / expected - 1)

  test('M/M/1: one sandbox, exponential work: 1 / (μ − λ)', () => {
    expect(error(meanMs(exponential, { concurrencyLimit: 1 }), 10 / (1 - rho))).toBeLessThan(0.03)
  })

  test('M/D/1: one sandbox, equal work: half the wait', () => {
    expect(error(meanMs({ cpuMs: 10 }, { concurrencyLimit: 1 }), 10 + (rho * 10) / (2 * (1 - rho)))).toBeLessThan(0.03)
  })

  test('M/M/2: two sandboxes of half the speed: Erlang C', () => {
    // Each takes 20 ms: a = 1.4, and C(2, a) = a² / (2 (1 − ρ) (1 + a) + a²).
    const waits = 1.96 / (2 * (1 - rho) * 2.4 + 1.96)
    const slow = { cpuMs: { meanMs: 20, exponential: true } } as const
    expect(error(meanMs(slow, { concurrencyLimit: 2 }), 20 + (waits * 20) / (2 * (1 - rho)))).toBeLessThan(0.03)
  })

  test('M/G/1 with processor sharing: the mean does not depend on how work is distributed', () => {
    const shared = { loop: 'shared', concurrencyLimit: 1 } as const
    expect(error(meanMs(exponential, shared, 10_000), 10 / (1 - rho))).toBeLessThan(0.03)
    expect(error(meanMs({ cpuMs: 10 }, shared, 10_000), 10 / (1 - rho))).toBeLessThan(0.03)
    expect(
      error(meanMs({ cpuMs: { medianMs: 10 * Math.exp(-0.5), sigma: 1 } }, shared, 10_000), 10 / (1 - rho)),
    ).toBeLessThan(0.03)
  })

  test('M/M/1: the median is in its 95% interval for about 95% of seeds', () => {
    const world = worldOf('one', { a: [{ cpuMs: 1 }] })
    const behaviour = { app: world.app, tasks: { a: { scripts: [[exponential]] } } }
    const platform = platformOf(world, { concurrencyLimit: 1 })
    const median = (Math.LN2 * 10) / (1 - rho)
    const hits = Array.from({ length: 40 }, (_, seed) => {
      const options = { arrivals: { kind: 'poisson', rps: 70, requests: 10_000 }, seed, warmUpRequests: 500 } as const
      const { p50Ms } = simulate(behaviour, remoteSetup(world.app, 1769), platform, options).estimates
      return p50Ms.low <= median && median <= p50Ms.high
    })
    expect(hits.filter(Boolean).length).toBeGreaterThanOrEqual(34)
    expect(hits.filter(Boolean).length).toBeLessThan(40)
  })

  test('M/G/1 with a node of one core that all sandboxes share: the same', () => {
    expect(error(meanMs(exponential, { nodeCores: 1 }), 10 / (1 - rho))).toBeLessThan(0.03)
  })
})

/** The sample of a rank, as the simulation counts them. */
function nearest(samples: readonly RequestSample[], p: number): number {
  const sorted = samples.map((x) => x.latencyMs).sort((a, b) => a - b)
  return sorted[Math.floor(p * (sorted.length - 1))] as number
}

function mostAtATime(records: readonly InvocationRecord[]): number {
  const changes = records.flatMap(({ start, wall }): [number, number][] => [
    [start + 1e-6, 1],
    [start + wall, -1],
  ])
  changes.sort((a, b) => a[0] - b[0] || a[1] - b[1])
  let now = 0
  return Math.max(...changes.map(([, change]) => (now += change)))
}
