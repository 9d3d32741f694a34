import { type CpuShare, cpuShareOf, type SimulatedPlatform, simulate } from '@fusionize/planner'
import fc from 'fast-check'
import { type App, remoteSetup } from 'fusionize/setup'
import { describe, expect, test } from 'vitest'
import { computingMs } from '../src/simulator/cpu-time.js'

const MB_PER_CORE = 1769
const linux = { kind: 'quota', periodMs: 20, tickMs: 4, sliceMs: 5, keepMs: 1 } as const

const app: App = {
  name: 'one',
  tasks: { work: { name: 'work', file: 'tasks/work.ts', line: 1, http: { method: 'POST', path: '/' } } },
  edges: [],
}

interface Load {
  pieces: { cpuMs: number; waitMs: number }[]
  memoryMb: number
  cpu: CpuShare
  nodeCores?: number
}

/** Walls of requests that come one at a time. */
function walls({ pieces, memoryMb, cpu, nodeCores }: Load, rps = 0.01, requests = 20): number[] {
  const found: number[] = []
  const steps = pieces.flatMap(({ cpuMs, waitMs }) => [{ cpuMs }, { waitMs }])
  const platform: SimulatedPlatform = {
    prices: { perGbSecond: 1, perRequest: 1, perGatewayRequest: 1, billsInit: true, granularityMs: 1 },
    mbPerCore: MB_PER_CORE,
    cpu,
    coresPerSandbox: 2,
    handOver: { call: [{ memoryMb, ms: 0 }], send: [{ memoryMb, ms: 0 }] },
    startUp: [{ memoryMb, ms: 0 }],
    keepAliveMs: 1e9,
    ...(nodeCores === undefined ? {} : { nodeCores }),
  }
  simulate({ app, tasks: { work: { scripts: [steps] } } }, remoteSetup(app, memoryMb), platform, {
    arrivals: { kind: 'poisson', rps, requests },
    seed: 1,
    onRecord: ({ wall }) => found.push(wall),
  })
  expect(found).toHaveLength(requests)
  return found
}

const piece = fc.record({
  cpuMs: fc.double({ min: 0.01, max: 60, noNaN: true }),
  waitMs: fc.double({ min: 0, max: 30, noNaN: true }),
})
const quotas = fc.record({
  kind: fc.constant('quota' as const),
  periodMs: fc.constantFrom(5, 20, 100),
  tickMs: fc.constantFrom(0, 1, 4),
  sliceMs: fc.constantFrom(1, 5, 1000),
  keepMs: fc.constantFrom(0, 1),
})
const memory = fc.integer({ min: 128, max: 3538 })
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length

describe('a quota of CPU time', () => {
  test('lets nothing be faster than on a full core, and all work be done', () => {
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 5 }), memory, quotas, (pieces, memoryMb, cpu) => {
        const least = pieces.reduce((sum, { cpuMs, waitMs }) => sum + cpuMs + waitMs, 0)
        for (const wall of walls({ pieces, memoryMb, cpu })) expect(wall).toBeGreaterThanOrEqual(least - 1e-3)
      }),
      { numRuns: 150, seed: 11 },
    )
  })

  test('gives long work its share, no more and no less', () => {
    fc.assert(
      fc.property(memory, quotas, (memoryMb, cpu) => {
        const vcpus = memoryMb / MB_PER_CORE
        const quotaMs = vcpus * cpu.periodMs
        const cpuMs = 200 * quotaMs
        const even = cpuMs / Math.min(1, vcpus)
        // What is owed at the end, what a core had kept at the beginning, and where in a period the work begins and ends.
        const edgesMs = (2 * cpu.tickMs + cpu.sliceMs + cpu.keepMs) / Math.min(1, vcpus) + 2 * cpu.periodMs
        for (const wall of walls({ pieces: [{ cpuMs, waitMs: 0 }], memoryMb, cpu }, 1e-3, 5)) {
          expect(wall).toBeGreaterThanOrEqual(Math.max(cpuMs, even - edgesMs) - 1e-3)
          // What two periods bring between two ticks is one's.
          expect(wall).toBeLessThanOrEqual(even * (cpu.tickMs > cpu.periodMs / 5 ? 1.1 : 1) + edgesMs)
        }
      }),
      { numRuns: 100, seed: 12 },
    )
  })

  test('gives a sandbox that is never idle its share in the long run, whatever its work is cut into', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.2, max: 8, noNaN: true }),
        fc.integer({ min: 128, max: 900 }),
        (cpuMs, memoryMb) => {
          const pieces = Array.from({ length: Math.ceil(1500 / cpuMs) }, () => ({ cpuMs, waitMs: 0.01 }))
          const [work, waits] = [pieces.length * cpuMs, pieces.length * 0.01]
          const even = work * (MB_PER_CORE / memoryMb)
          const took = mean(walls({ pieces, memoryMb, cpu: linux }, 1e-4, 3))
          expect(took).toBeGreaterThan(0.96 * even)
          expect(took).toBeLessThan(1.04 * even + waits)
        },
      ),
      { numRuns: 30, seed: 13 },
    )
  })

  test('takes no longer the more memory there is, on average', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.1, max: 100, noNaN: true }),
        fc.integer({ min: 128, max: 1600 }),
        (cpuMs, memoryMb) => {
          const [small, large] = [memoryMb, 1.5 * memoryMb].map((mb) => computingMs(cpuMs, 1, mb / MB_PER_CORE, linux))
          expect(large).toBeLessThanOrEqual((small as number) + 1e-6)
        },
      ),
      { numRuns: 200, seed: 14 },
    )
  })

  test('cannot give cores that the node does not have', () => {
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 3 }), memory, (pieces, memoryMb) => {
        const crowded = walls({ pieces, memoryMb, cpu: linux, nodeCores: 0.5 }, 1e-3, 10)
        const least = pieces.reduce((sum, { cpuMs, waitMs }) => sum + 2 * cpuMs + waitMs, 0)
        for (const wall of crowded) expect(wall).toBeGreaterThanOrEqual(least - 1e-3)
      }),
      { numRuns: 40, seed: 15 },
    )
  })

  test('noticed at ticks lets brief work end that a strict one stops, and makes it pay later', () => {
    const strict = { kind: 'quota', periodMs: 20 } as const
    const at = (cpuMs: number, cpu: CpuShare) => computingMs(cpuMs, 1, 128 / MB_PER_CORE, cpu)
    expect(at(1.4, linux)).toBeCloseTo(1.4, 9)
    expect(at(3, strict)).toBeGreaterThan(25)
    expect(at(3, linux)).toBeLessThan(20)
    expect(at(40, linux) / at(40, strict)).toBeGreaterThan(0.94)
  })

  test('is what a platform says that it has', () => {
    const { kind, ...cpuQuota } = linux
    expect(cpuShareOf({ cpuShareEnforced: true, cpuQuota })).toEqual(linux)
    expect(cpuShareOf({ cpuShareEnforced: true })).toEqual({ kind: 'even' })
    expect(cpuShareOf({ cpuShareEnforced: false })).toEqual({ kind: 'none' })
  })
})
