import { type InvocationRecord, RECORD_VERSION, type Span, spanId } from 'fusionize/record'
import { type App, type FusionSetup, type Mode, routeOf, setupId } from 'fusionize/setup'
import { measure } from '../src/measure/measure.js'
import { createMonitor } from '../src/profile/monitor.js'
import type { PlannerFacts, Proposal, Round } from '../src/types.js'

export interface TaskModel {
  /** CPU ms on a full core, and waiting ms. */
  cpu: number
  wait?: number
  /** In order; calls in one inner list are made in parallel. */
  calls?: { to: string; mode: Mode }[][]
}

export const facts: PlannerFacts = {
  memoryLadder: [128, 256, 512, 768, 1024, 1536, 1650, 1769, 2048],
  mbPerCore: 1769,
  cpuShareEnforced: true,
  prices: { perGbSecond: 0.0000166667, perRequest: 2e-7, perGatewayRequest: 0, billsInit: true, granularityMs: 1 },
}

const handOver = (mode: Mode, memory: number) => (mode === 'send' ? 20 : 15) + 4000 / memory

/** A world that obeys the CPU law exactly: the records of `requests` requests to the entry under a setup. */
export function simulate(
  app: App,
  models: Record<string, TaskModel>,
  setup: FusionSetup,
  entry: string,
  requests: number,
): { records: InvocationRecord[]; latencies: { latencyMs: number; startMs: number; session: string }[] } {
  const records: InvocationRecord[] = []
  const latencies: { latencyMs: number; startMs: number; session: string }[] = []
  let counter = 0
  const ownMs = ({ cpu, wait = 0 }: TaskModel, memory: number) => (cpu * 1769) / Math.min(memory, 1769) + wait

  const invoke = (fn: string, session: string, start: number, mode: 'call' | 'send', parent: string | null): number => {
    const memory = setup.functions[fn]?.memory ?? 128
    const root = `${(++counter).toString(16).padStart(8, '0')}00000000`
    const spans: Span[] = []
    const later: { to: string; parent: number }[] = []
    const span = (task: string, parentIndex: number, m: Mode, route: 'inline' | 'remote', from: number): Span => {
      const made = { parent: parentIndex, task, mode: m, route, start: from, end: from, bytesIn: 10, bytesOut: 10 }
      spans.push(made)
      return made
    }
    const runTask = (task: string, at: number, index: number, me: Span): number => {
      const model = models[task] as TaskModel
      let now = at + ownMs(model, memory)
      for (const group of model.calls ?? []) {
        let latest = now
        for (const { to, mode: m } of group) {
          if (routeOf(setup, fn, to, m) === 'inline') {
            const child = span(to, index, m, 'inline', latest)
            if (m === 'send') later.push({ to, parent: spans.length - 1 })
            else latest = runTask(to, latest, spans.length - 1, child)
          } else {
            const child = span(to, index, m, 'remote', now)
            const id = spanId(root, spans.length - 1)
            const delay = handOver(m, memory)
            if (m === 'send') {
              child.end = now + delay
              invoke(to, session, start + child.end, 'send', id)
            } else child.end = now + delay + invoke(to, session, start + now + delay, 'call', id)
            latest = Math.max(latest, child.end)
          }
        }
        now = latest
      }
      me.end = now
      return now
    }
    const me = span(fn, -1, mode, 'inline', 0)
    const reply = runTask(fn, 0, 0, me)
    let end = reply
    for (let item = later.shift(); item; item = later.shift()) {
      const child = spans[item.parent] as Span
      child.start = end
      end = runTask(item.to, end, item.parent, child)
    }
    records.push({
      v: RECORD_VERSION,
      app: app.name,
      setup: setupId(setup),
      function: fn,
      task: fn,
      sandbox: 's',
      invocation: `i${counter}-${root}`,
      session,
      trace: session.padStart(32, '0'),
      span: root,
      parent,
      mode,
      attempt: 1,
      cold: null,
      start,
      reply,
      wall: end,
      peakMb: 60,
      memory,
      concurrent: 1,
      spans,
    })
    return reply
  }
  for (let i = 0; i < requests; i++) {
    const session = `${i + 1}`
    latencies.push({ startMs: i * 100, session, latencyMs: invoke(entry, session, i * 100, 'call', null) })
  }
  return { records, latencies }
}

/** Deploys a proposal in the simulated world. */
export function round(
  app: App,
  models: Record<string, TaskModel>,
  entry: string,
  proposal: Proposal,
  strategy = 'test',
  world = facts,
): Round {
  const { records, latencies } = simulate(app, models, proposal.setup, entry, 8)
  const monitor = createMonitor()
  for (const record of records) monitor.add(record)
  return {
    ...proposal,
    id: setupId(proposal.setup),
    strategy,
    measurement: measure(latencies, records, world),
    profile: monitor.profile(),
  }
}

/** The call structure of `iot` (WORKLOADS §1). */
export const iot: Record<string, TaskModel> = {
  'analyze-sensor': {
    cpu: 1,
    calls: [
      [{ to: 'check-sensor', mode: 'call' }],
      [{ to: 'store-event', mode: 'call' }],
      [
        { to: 'check-temperature', mode: 'send' },
        { to: 'check-sound', mode: 'send' },
        { to: 'check-air', mode: 'send' },
      ],
    ],
  },
  'check-sensor': { cpu: 1 },
  'store-event': { cpu: 0.5, wait: 5 },
  'check-temperature': { cpu: 20, calls: [[{ to: 'action-signage', mode: 'send' }]] },
  'check-sound': {
    cpu: 1,
    calls: [
      [
        { to: 'check-sound-level', mode: 'call' },
        { to: 'check-accident', mode: 'call' },
      ],
    ],
  },
  'check-sound-level': { cpu: 1, wait: 8 },
  'check-accident': { cpu: 15 },
  'check-air': { cpu: 1, calls: [[{ to: 'detect-jam', mode: 'call' }], [{ to: 'action-signage', mode: 'send' }]] },
  'detect-jam': { cpu: 20 },
  'action-signage': { cpu: 20, wait: 6 },
}

/** The static app of a model. */
export function appOfModel(models: Record<string, TaskModel>, entry: string): App {
  const edges = Object.entries(models).flatMap(([from, { calls = [] }]) => {
    const modes = new Map<string, Mode[]>()
    for (const { to, mode } of calls.flat()) modes.set(to, [...new Set([...(modes.get(to) ?? []), mode])])
    return [...modes].map(([to, list]) => ({ from, to, modes: list }))
  })
  const tasks = Object.fromEntries(
    Object.keys(models)
      .sort()
      .map((name) => [
        name,
        { name, file: `tasks/${name}.ts`, line: 1, ...(name === entry ? { http: { method: 'POST', path: '/' } } : {}) },
      ]),
  )
  return { name: 'simulated', tasks, edges }
}
