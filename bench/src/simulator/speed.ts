import { type Behaviour, type BehaviourStep, type SimulatedPlatform, simulate } from '@fusionize/planner'
import { awsLambdaX86, lambdaMbPerCore, ratesOf } from 'fusionize/prices'
import { type App, type Mode, remoteSetup, type StaticEdge } from 'fusionize/setup'
import type { BenchContext } from '../harness.js'

const WINDOWS = 50
const REQUESTS_OF_A_WINDOW = 20_000
const MEMORY_MB = 768
const RPS = 50

/** The IoT application as published, CPU ms at one core, two threads where it uses two. */
const scripts: Record<string, BehaviourStep[]> = {
  'analyze-sensor': [
    { cpuMs: 1 },
    { call: ['check-sensor'] },
    { call: ['store-event'] },
    { send: ['check-temperature', 'check-sound', 'check-air'] },
  ],
  'action-signage': [{ cpuMs: 170, threads: 2 }, { waitMs: 8 }],
  'check-accident': [{ cpuMs: 130 }, { waitMs: 4 }],
  'check-air': [{ cpuMs: 1 }, { call: ['detect-jam'] }, { send: ['action-signage'] }],
  'check-sensor': [{ cpuMs: 1 }],
  'check-sound': [{ cpuMs: 1 }, { call: ['check-sound-level', 'check-accident'] }],
  'check-sound-level': [{ waitMs: 10 }, { cpuMs: 1 }],
  'check-temperature': [{ cpuMs: 170, threads: 2 }, { send: ['action-signage'] }],
  'detect-jam': [{ cpuMs: 170, threads: 2 }, { waitMs: 4 }],
  'store-event': [{ cpuMs: 1 }, { waitMs: 5 }],
}

const platform: SimulatedPlatform = {
  prices: { ...ratesOf(awsLambdaX86), perGatewayRequest: 1e-6 },
  mbPerCore: lambdaMbPerCore,
  cpu: { kind: 'even' },
  handOver: {
    call: [{ memoryMb: MEMORY_MB, ms: { medianMs: 24, sigma: 0.5 } }],
    send: [{ memoryMb: MEMORY_MB, ms: { medianMs: 32, sigma: 0.4 } }],
  },
  startUp: [{ memoryMb: MEMORY_MB, ms: { medianMs: 500, sigma: 0.2 } }],
  keepAliveMs: 600_000,
}

/** How many invocations a second it simulates, window by window. */
export function simulateWindows({ options, sample, more, finding, progress }: BenchContext): void {
  const quick = options.quick !== undefined
  const behaviour: Behaviour = {
    app: appOf(scripts),
    tasks: Object.fromEntries(Object.entries(scripts).map(([task, steps]) => [task, { scripts: [steps] }])),
  }
  const setup = remoteSetup(behaviour.app, MEMORY_MB)
  const requests = quick ? 500 : REQUESTS_OF_A_WINDOW
  const windows = quick ? 2 : WINDOWS
  const window = (seed: number) => {
    const before = process.cpuUsage()
    const result = simulate(behaviour, setup, platform, { arrivals: { kind: 'poisson', rps: RPS, requests }, seed })
    const { user, system } = process.cpuUsage(before)
    return { result, perSecond: (result.invocations / (user + system)) * 1e6 }
  }
  progress(`simulator: ${windows} windows of ${requests} requests`)
  for (let i = 0; i < windows; i++) window(i)
  const rates: number[] = []
  for (let i = 0; i < windows; i++) {
    const { result, perSecond } = window(i)
    rates.push(perSecond)
    sample('simulator', perSecond / 1e6)
    if (i === 0) more('simulator', { rps: RPS, invocationsOfAWindow: result.invocations, sandboxes: result.sandboxes })
  }
  rates.sort((a, b) => a - b)
  const [slowest, median] = [rates[0], rates[rates.length >> 1]] as [number, number]
  finding(
    `simulator: ${(median / 1e6).toFixed(2)} M invocations/s on one core (median window; slowest ${(slowest / 1e6).toFixed(2)})`,
  )
}

function appOf(steps: Record<string, readonly BehaviourStep[]>): App {
  const names = Object.keys(steps).sort()
  const calls = (from: string, mode: Mode, to: readonly string[]): StaticEdge[] =>
    to.map((task) => ({ from, to: task, modes: [mode] }))
  return {
    name: 'iot',
    tasks: Object.fromEntries(
      names.map((name) => {
        const info = { name, file: `tasks/${name}.ts`, line: 1 }
        return [name, name === 'analyze-sensor' ? { ...info, http: { method: 'POST', path: '/readings' } } : info]
      }),
    ),
    edges: names.flatMap((from) =>
      (steps[from] ?? []).flatMap((step) =>
        'call' in step ? calls(from, 'call', step.call) : 'send' in step ? calls(from, 'send', step.send) : [],
      ),
    ),
  }
}
