import type { PlannerFacts } from '@fusionize/planner'
import type { App, Mode, StaticEdge } from 'fusionize/setup'

/** What a task does, in order. Tasks of one `call` or `send` step are called at the same time. */
export type Step =
  | { cpuMs: number }
  | { waitMs: number }
  | { call: string[] }
  | { map: string; items: number }
  | { send: string[] }

/** An application whose true behaviour is known, and the platform it runs on. */
export interface World {
  app: App
  scripts: Record<string, Step[]>
  facts: PlannerFacts
  /** Caller's wait beyond the callee's time, ms. */
  handOverMs(mode: Mode, memory: number): number
  coldMs(memory: number): number
}

export const awsLike: PlannerFacts = {
  memoryLadder: [128, 256, 512, 768, 1024, 1536, 1769, 3008],
  mbPerCore: 1769,
  cpuShareEnforced: true,
  prices: { perGbSecond: 0.0000166667, perRequest: 0.2e-6, perGatewayRequest: 1e-6, billsInit: true, granularityMs: 1 },
}

/** A world from scripts; the first task is the entry. Hand-overs are those that PAPERS §1 gives for AWS Lambda. */
export function worldOf(name: string, scripts: Record<string, Step[]>, changes: Partial<World> = {}): World {
  const names = Object.keys(scripts).sort()
  const tasks = Object.fromEntries(names.map((task) => [task, { name: task, file: `tasks/${task}.ts`, line: 1 }]))
  const [entry] = Object.keys(scripts)
  const app: App = { name, tasks, edges: edgesOf(scripts) }
  if (entry !== undefined)
    app.tasks[entry] = { ...app.tasks[entry], http: { method: 'POST', path: '/' } } as App['tasks'][string]
  return {
    app,
    scripts,
    facts: awsLike,
    handOverMs: (mode, memory) => (mode === 'send' ? 15 + 6000 / memory : 24),
    coldMs: (memory) => 100 + 60_000 / Math.min(memory, 1769),
    ...changes,
  }
}

function edgesOf(scripts: Record<string, Step[]>): StaticEdge[] {
  const modes = new Map<string, Set<Mode>>()
  const add = (from: string, to: string, mode: Mode) => {
    const key = `${from} ${to}`
    modes.set(key, (modes.get(key) ?? new Set()).add(mode))
  }
  for (const [from, steps] of Object.entries(scripts))
    for (const step of steps) {
      if ('call' in step) for (const to of step.call) add(from, to, 'call')
      if ('send' in step) for (const to of step.send) add(from, to, 'send')
      if ('map' in step) add(from, step.map, 'map')
    }
  return [...modes]
    .map(([key, found]): StaticEdge => {
      const [from, to] = key.split(' ') as [string, string]
      return { from, to, modes: (['call', 'send', 'map'] as const).filter((mode) => found.has(mode)) }
    })
    .sort((a, b) => (`${a.from} ${a.to}` < `${b.from} ${b.to}` ? -1 : 1))
}

/** The IoT application of WORKLOADS §1. */
export function iotWorld(): World {
  return worldOf('iot', {
    'analyze-sensor': [
      { cpuMs: 1 },
      { call: ['check-sensor'] },
      { call: ['store-event'] },
      { send: ['check-temperature', 'check-sound', 'check-air'] },
    ],
    'action-signage': [{ cpuMs: 20 }, { waitMs: 8 }],
    'check-accident': [{ cpuMs: 15 }, { waitMs: 4 }],
    'check-air': [{ cpuMs: 1 }, { call: ['detect-jam'] }, { send: ['action-signage'] }],
    'check-sensor': [{ cpuMs: 3 }],
    'check-sound': [{ cpuMs: 1 }, { call: ['check-sound-level', 'check-accident'] }],
    'check-sound-level': [{ waitMs: 10 }, { cpuMs: 1 }],
    'check-temperature': [{ cpuMs: 20 }, { send: ['action-signage'] }],
    'detect-jam': [{ cpuMs: 20 }, { waitMs: 4 }],
    'store-event': [{ cpuMs: 1 }, { waitMs: 5 }],
  })
}
