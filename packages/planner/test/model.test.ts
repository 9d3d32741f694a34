import {
  type ModelSetup,
  mean,
  type PredictOptions,
  predict,
  predictorOf,
  priceOf,
  publishedImporter,
  quantile,
  type RequestTrace,
} from '@fusionize/planner'
import fc from 'fast-check'
import { awsLambda2023, awsLambdaArm, awsLambdaX86, usdPerGbSecond } from 'fusionize/prices'
import type { FusionSetup } from 'fusionize/setup'
import { describe, expect, test } from 'vitest'
import { type MadeLoad, type MadeTask, madeRecords } from './published-world.js'

/** Every setup of the rest of the planner is one of the model's. */
export const asModelSetup = (setup: FusionSetup): ModelSetup => setup

const prototype: PredictOptions = { inlineSends: 'awaited', prices: awsLambda2023, seed: 7 }

/** Setup of all tasks, at a size, with the calls and sends of these modes inline everywhere. */
function setupOf(tasks: readonly string[], memory: number, inline: readonly ('call' | 'send')[] = []): ModelSetup {
  const others = (mode: 'call' | 'send', task: string) => (inline.includes(mode) ? tasks.filter((t) => t !== task) : [])
  const spec = (task: string) => ({
    memory,
    inline: { call: others('call', task), send: others('send', task), map: [] },
  })
  return { functions: Object.fromEntries(tasks.map((task) => [task, spec(task)])) }
}

function tracesOf(load: MadeLoad): RequestTrace[] {
  const importer = publishedImporter()
  for (const [i, line] of madeRecords(load).lines.entries()) importer.add('made', i + 1, line)
  return importer.end().traces
}

function recordedUsd({ invocations }: RequestTrace): number {
  return invocations.reduce((sum, { memoryMb = 0, billedMs = 0 }) => {
    const { compute, requests } = priceOf(awsLambda2023, memoryMb, billedMs)
    return sum + compute + requests
  }, 0)
}

const app: Record<string, MadeTask> = {
  order: {
    coreMs: 1,
    stages: [
      [{ to: 'check', mode: 'call' }],
      [
        { to: 'stock', mode: 'call' },
        { to: 'price', mode: 'call' },
      ],
      [{ to: 'pack', mode: 'send' }],
    ],
  },
  check: { coreMs: 0.3 },
  stock: { coreMs: 1.5, waitMs: 12 },
  price: { coreMs: 0.5, stages: [[{ to: 'stock', mode: 'call' }]] },
  pack: { coreMs: 90, stages: [[{ to: 'label', mode: 'send' }]] },
  label: { coreMs: 60 },
}
const tasks = Object.keys(app)
const load = (setup: ModelSetup, more: Partial<MadeLoad> = {}): MadeLoad => ({
  app,
  entries: ['order'],
  setup,
  name: 's',
  requests: 100,
  seed: 11,
  merged: true,
  ...more,
})

/** Trees of tasks: every task is called by one before it. */
const anyLoad: fc.Arbitrary<MadeLoad> = fc
  .record({
    callers: fc.array(fc.nat(), { minLength: 1, maxLength: 6 }),
    modes: fc.array(fc.constantFrom<'call' | 'send'>('call', 'call', 'send'), { minLength: 6, maxLength: 6 }),
    stages: fc.array(fc.nat(2), { minLength: 6, maxLength: 6 }),
    cores: fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 7, maxLength: 7 }),
    inline: fc.subarray<'call' | 'send'>(['call', 'send']),
    memory: fc.constantFrom(128, 256, 1024, 2048),
    seed: fc.nat(1000),
    merged: fc.boolean(),
  })
  .map(({ callers, modes, stages, cores, inline, memory, seed, merged }): MadeLoad => {
    const names = Array.from({ length: callers.length + 1 }, (_, i) => `t${i}`)
    const made: Record<string, MadeTask> = Object.fromEntries(
      names.map((name, i) => [name, { coreMs: cores[i] ?? 1, stages: [] }]),
    )
    for (const [i, caller] of callers.entries()) {
      const steps = made[`t${caller % (i + 1)}`]?.stages as NonNullable<MadeTask['stages']>
      const stage = Math.min(steps.length, stages[i] ?? 0)
      steps[stage] = [...(steps[stage] ?? []), { to: `t${i + 1}`, mode: modes[i] ?? 'call' }]
    }
    return { app: made, entries: ['t0'], setup: setupOf(names, memory, inline), name: 's', requests: 20, seed, merged }
  })

describe('the recorded setup', () => {
  test('is predicted as it was recorded, request by request', () => {
    fc.assert(
      fc.property(anyLoad, (made) => {
        const traces = tracesOf(made)
        const { latenciesMs, costsUsd } = predict(traces, made.setup, { ...prototype, startUps: 'recorded' })
        for (const [i, trace] of traces.entries()) {
          expect(latenciesMs[i]).toBeCloseTo(trace.runs[0]?.endMs ?? Number.NaN, 3)
          expect((costsUsd[i] as number) / recordedUsd(trace)).toBeCloseTo(1, 3)
        }
      }),
      { numRuns: 30, seed: 43 },
    )
  })
})

describe('another setup', () => {
  test('fusing calls never makes a request slower by a hand-over: without computing it is faster by all of them', () => {
    const idle = Object.fromEntries(tasks.map((task) => [task, { ...app[task], coreMs: 0 }]))
    const traces = tracesOf(load(setupOf(tasks, 2048), { app: idle }))
    const remote = predict(traces, setupOf(tasks, 2048), prototype)
    const fused = predict(traces, setupOf(tasks, 2048, ['call']), prototype)
    for (const [i, ms] of fused.latenciesMs.entries())
      expect(ms).toBeLessThanOrEqual((remote.latenciesMs[i] as number) + 1e-6)
    expect(fused.p50Ms.value).toBeLessThan(remote.p50Ms.value)
    expect(fused.invocationsPerRequest).toBe(3)
  })

  test('cost is the sum of its parts, and of its invocations’ fees', () => {
    const traces = tracesOf(load(setupOf(tasks, 256)))
    const gateway = { ...awsLambda2023, perGatewayRequest: 1e-6 }
    const { cost, costPerMillionUsd, costsUsd, invocationsPerRequest } = predict(
      traces,
      setupOf(tasks, 256, ['call']),
      {
        ...prototype,
        prices: gateway,
      },
    )
    expect(cost.compute + cost.requests + cost.startup + cost.gateway).toBeCloseTo(costPerMillionUsd.value, 9)
    expect(mean(costsUsd) * 1e6).toBeCloseTo(costPerMillionUsd.value, 9)
    expect(cost.requests).toBeCloseTo(invocationsPerRequest * 0.2, 9)
    expect(cost.gateway).toBeCloseTo(1, 9)
  })

  test('more memory never makes it slower', () => {
    const traces = tracesOf(load(setupOf(tasks, 128)))
    const also = [tracesOf(load(setupOf(tasks, 1024), { seed: 12 }))]
    const predictAt = predictorOf(traces, { ...prototype, also })
    const p50 = [128, 192, 256, 512, 1024, 1769, 3008, 10_240].map(
      (memory) => predictAt(setupOf(tasks, memory)).p50Ms.value,
    )
    for (const [i, ms] of p50.entries()) if (i > 0) expect(ms).toBeLessThanOrEqual((p50[i - 1] as number) * 1.02)
  })

  test('is what a world that nobody modelled does: fused, resized, with sends awaited', () => {
    const from = setupOf(tasks, 128)
    const traces = tracesOf(load(from))
    const also = [tracesOf(load(setupOf(tasks, 2048, ['call']), { seed: 13 }))]
    const targets: [ModelSetup, PredictOptions, costWithin: number][] = [
      [setupOf(tasks, 128, ['call']), prototype, 0.05],
      // One size: what waits is taken to compute, and so to share the core.
      [setupOf(tasks, 128, ['call', 'send']), prototype, 0.07],
      [setupOf(tasks, 1024), { ...prototype, also }, 0.1],
      [setupOf(tasks, 512, ['call']), { ...prototype, also }, 0.1],
    ]
    for (const [setup, options, costWithin] of targets) {
      const made = madeRecords(load(setup, { seed: 14 }))
      const truth = quantile(Float64Array.from(made.latenciesMs).sort(), 0.5)
      const truthUsd = mean(tracesOf(load(setup, { seed: 14 })).map(recordedUsd))
      const { p50Ms, costPerMillionUsd } = predict(traces, setup, options)
      expect(Math.abs(p50Ms.value / truth - 1)).toBeLessThan(0.15)
      expect(Math.abs(costPerMillionUsd.value / 1e6 / truthUsd - 1)).toBeLessThan(costWithin)
    }
  })

  test('where something had to be assumed, intervals cover what else could be', () => {
    const traces = tracesOf(load(setupOf(tasks, 512)))
    const at3000 = (options: PredictOptions) => predict(traces, setupOf(tasks, 3000), { ...prototype, ...options })
    const all = (value: number) => Object.fromEntries(tasks.map((task) => [task, value]))
    const open = at3000({}).costPerMillionUsd
    for (const settled of [all(1), all(2)]) {
      const { value } = at3000({ threads: settled }).costPerMillionUsd
      expect(open.low).toBeLessThanOrEqual(value * 1.001)
      expect(open.high).toBeGreaterThanOrEqual(value * 0.999)
    }
    const { value, low, high } = at3000({ threads: all(1), computing: all(1) }).costPerMillionUsd
    expect(high - low).toBeLessThan((open.high - open.low) / 2)
    expect(value).toBeGreaterThan(low)
  })

  test('where CPU time was recorded, one size tells computing from waiting', () => {
    const runs = Array.from({ length: 40 }, (_, i): RequestTrace => {
      const ms = 400 + ((i * 37) % 60)
      return {
        id: String(i),
        arrivalMs: 1000 * i,
        runs: [
          {
            task: 'a',
            parent: -1,
            mode: 'call',
            route: 'remote',
            startMs: 0,
            endMs: ms,
            invocation: 0,
            cpuMs: ms / 20,
          },
        ],
        invocations: [{ function: 'a', memoryMb: 128, startMs: 0, endMs: ms, coldMs: null, billedMs: ms }],
      }
    })
    const at = (memory: number, options: PredictOptions = {}) =>
      predict(runs, setupOf(['a'], memory), options).p50Ms.value
    // 21 ms of a core take some 280 ms at 128 MB: the rest is waiting, which no memory shortens.
    expect(at(1769)).toBeGreaterThan(120)
    expect(at(1769)).toBeLessThan(190)
    expect(at(1769, { computing: { a: 0 } })).toBeCloseTo(at(128), 6)
    expect(at(1769, { computing: { a: 1 } })).toBeLessThan(40)
  })

  test('inline sends that run after the reply do not delay it, and cost the same', () => {
    const traces = tracesOf(load(setupOf(tasks, 128)))
    const fused = setupOf(tasks, 128, ['call', 'send'])
    const awaited = predict(traces, fused, prototype)
    const after = predict(traces, fused, { ...prototype, inlineSends: 'after-reply' })
    expect(after.p50Ms.value).toBeLessThan(awaited.p50Ms.value / 4)
    expect(after.costPerMillionUsd.value / awaited.costPerMillionUsd.value).toBeCloseTo(1, 1)
  })

  test('longer invocations start more sandboxes, shorter ones fewer; where all were new, all are', () => {
    const arrivals = {
      requests: 400,
      everyMs: 60,
      app: { a: { coreMs: 40 }, b: { coreMs: 40 } },
      entries: ['a'],
      merged: false,
    }
    const traces = tracesOf(load(setupOf(['a', 'b'], 256), arrivals)).map((trace, i): RequestTrace => {
      const invocations = trace.invocations.map(({ isCold: _, ...one }) => ({
        ...one,
        ...(i < 12 ? { isCold: true } : {}),
      }))
      return { ...trace, invocations }
    })
    const shareAt = (memory: number) => predict(traces, setupOf(['a', 'b'], memory), prototype).coldShare.a ?? 0
    expect(shareAt(256)).toBeCloseTo(12 / 400, 1)
    expect(shareAt(1769)).toBeLessThan(shareAt(256))
    expect(shareAt(128)).toBeGreaterThan(shareAt(256))
    const forced = tracesOf(load(setupOf(tasks, 128), { cold: true }))
    const { coldShare } = predict(forced, setupOf(tasks, 1024, ['call']), prototype)
    expect(Object.values(coldShare)).toEqual(Object.values(coldShare).map(() => 1))
  })

  test('a prediction is pure, has intervals, and says what it rests on', () => {
    const traces = tracesOf(load(setupOf(tasks, 128), { requests: 25 }))
    const setup = setupOf(tasks, 512, ['call'])
    const figures = predict(traces, setup)
    expect(predict(traces, setup)).toEqual(figures)
    for (const { value, low, high } of [figures.p50Ms, figures.p95Ms, figures.costPerMillionUsd]) {
      expect(low).toBeLessThanOrEqual(value)
      expect(high).toBeGreaterThanOrEqual(value)
      expect(high).toBeGreaterThan(low)
    }
    const { p50Ms } = predict(traces, setup, { resamples: 0 })
    expect(p50Ms).toEqual({ ...figures.p50Ms, low: p50Ms.value, high: p50Ms.value })
    expect(figures.reasons.join('\n')).toMatch(/25 recorded requests/)
    expect(figures.reasons.join('\n')).toMatch(/intervals are too narrow/)
    expect(figures.reasons.join('\n')).toMatch(/pack was recorded at 128 MB alone/)
    expect(() => predict([], setup)).toThrow(/no traces/)
  })
})

describe('prices', () => {
  test('an invocation costs its GB-seconds, rounded up, its fee and its start-up', () => {
    expect(priceOf(awsLambdaX86, 1024, 10.2)).toEqual({
      compute: 0.011 * 0.0000166667,
      requests: 0.2e-6,
      startup: 0,
      gateway: 0,
    })
    expect(priceOf(awsLambdaX86, 512, 10, 200).startup).toBeCloseTo(0.1 * 0.0000166667, 15)
    expect(priceOf(awsLambda2023, 512, 10, 200).startup).toBe(0)
    expect(priceOf({ ...awsLambdaX86, granularityMs: 100 }, 1024, 101).compute).toBeCloseTo(0.2 * 0.0000166667, 15)
  })

  test('more use in a month makes the next second cheaper; arm is a fifth cheaper', () => {
    const at = (monthlyGbSeconds: number) => usdPerGbSecond({ ...awsLambdaX86, monthlyGbSeconds })
    expect([at(0), at(7e9), at(20e9)]).toEqual([0.0000166667, 0.000015, 0.0000133334])
    expect(usdPerGbSecond(awsLambdaArm) / usdPerGbSecond(awsLambdaX86)).toBeCloseTo(0.8, 5)
  })
})
