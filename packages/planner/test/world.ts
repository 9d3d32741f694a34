import type { PlannerFacts } from '@fusionize/planner'
import type { App, BucketInfo, Mode, StaticEdge } from 'fusionize/setup'

/** What a task does, in order. Tasks of one `call` or `send` step are called, buckets of one `put` step put into, at the same time. */
export type Step =
  | { cpuMs: number }
  | { waitMs: number }
  | { call: string[] }
  | { map: string; items: number }
  | { send: string[] }
  | { put: string[] }

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

/** A bucket that starts tasks for every object. */
export interface Starts {
  tasks: string[]
  /** @default true */
  fusible?: boolean
}

/** A world from scripts and buckets; the first task is the entry. Hand-overs are those that PAPERS §1 gives for AWS Lambda. */
export function worldOf(
  name: string,
  scripts: Record<string, Step[]>,
  changes: Partial<World> = {},
  buckets: Record<string, Starts> = {},
): World {
  const names = Object.keys(scripts).sort()
  const tasks = Object.fromEntries(names.map((task) => [task, { name: task, file: `tasks/${task}.ts`, line: 1 }]))
  const [entry] = Object.keys(scripts)
  const app: App = { name, tasks, edges: edgesOf(scripts, buckets) }
  if (Object.keys(buckets).length > 0) app.buckets = bucketsOf(scripts, buckets)
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

function edgesOf(scripts: Record<string, Step[]>, buckets: Record<string, Starts>): StaticEdge[] {
  const edges = new Map<string, { modes: Set<Mode>; buckets: Set<string> }>()
  const add = (from: string, to: string, mode: Mode, bucket?: string) => {
    const key = `${from} ${to}`
    const edge = edges.get(key) ?? { modes: new Set(), buckets: new Set() }
    edges.set(key, edge)
    edge.modes.add(mode)
    if (bucket !== undefined) edge.buckets.add(bucket)
  }
  for (const [from, steps] of Object.entries(scripts))
    for (const step of steps) {
      if ('call' in step) for (const to of step.call) add(from, to, 'call')
      if ('send' in step) for (const to of step.send) add(from, to, 'send')
      if ('map' in step) add(from, step.map, 'map')
      if ('put' in step)
        for (const bucket of step.put) for (const to of buckets[bucket]?.tasks ?? []) add(from, to, 'send', bucket)
    }
  return [...edges]
    .map(([key, found]): StaticEdge => {
      const [from, to] = key.split(' ') as [string, string]
      const edge: StaticEdge = {
        from,
        to,
        modes: (['call', 'send', 'map'] as const).filter((mode) => found.modes.has(mode)),
      }
      return found.buckets.size > 0 ? { ...edge, buckets: [...found.buckets].sort() } : edge
    })
    .sort((a, b) => (`${a.from} ${a.to}` < `${b.from} ${b.to}` ? -1 : 1))
}

function bucketsOf(scripts: Record<string, Step[]>, buckets: Record<string, Starts>): Record<string, BucketInfo> {
  const putters = (name: string) =>
    Object.keys(scripts).filter((task) => scripts[task]?.some((step) => 'put' in step && step.put.includes(name)))
  return Object.fromEntries(
    Object.keys(buckets)
      .sort()
      .map((name) => [
        name,
        {
          name,
          file: `buckets/${name}.ts`,
          line: 1,
          triggers: (buckets[name]?.tasks ?? []).map((task) => ({ trigger: 'immediate()', task })),
          producers: putters(name).sort(),
          fusible: buckets[name]?.fusible ?? true,
        },
      ]),
  )
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
