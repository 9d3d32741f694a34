import {
  type Behaviour,
  emptyProfile,
  type Goal,
  measure,
  NOT_SAID,
  type PlannerFacts,
  type Round,
  type SimulatedPlatform,
  type StrategyContext,
  simulate,
  strategies,
  studyOf,
  tracesOfRecords,
  withDriver,
  workflowOf,
} from '@fusionize/planner'
import type { InvocationRecord } from 'fusionize/record'
import { type App, type FusionSetup, remoteSetup, setupId, validate } from 'fusionize/setup'
import { describe, expect, it } from 'vitest'

const facts: PlannerFacts = {
  memoryLadder: [128, 192, 256, 384, 512, 768, 1024, 1280, 1536, 1769, 2048, 3008],
  mbPerCore: 1769,
  cpuShareEnforced: true,
  prices: {
    perGbSecond: 0.0000166667,
    perRequest: 0.2e-6,
    perGatewayRequest: 0,
    billsInit: true,
    granularityMs: 1,
  },
}
const platform: SimulatedPlatform = {
  prices: facts.prices,
  mbPerCore: 1769,
  cpu: { kind: 'quota', periodMs: 20 },
  handOver: { call: [{ memoryMb: 128, ms: 10 }], send: [{ memoryMb: 128, ms: 10 }] },
  startUp: [{ memoryMb: 128, ms: 50 }],
  keepAliveMs: 600_000,
}
const task = (name: string, http = false) => ({
  name,
  file: `tasks/${name}.ts`,
  line: 1,
  ...(http ? { http: { method: 'POST', path: '/' } } : {}),
})
/** Video analytics as WORKLOADS has it: a driver, a chain of two per item, and work after the reply. */
const app: App = {
  name: 'video',
  tasks: {
    classify: task('classify'),
    collect: task('collect'),
    extract: task('extract'),
    log: task('log'),
    split: task('split'),
    video: task('video', true),
  },
  edges: [
    { from: 'extract', to: 'classify', modes: ['call'] },
    { from: 'video', to: 'collect', modes: ['call'] },
    { from: 'video', to: 'extract', modes: ['map'] },
    { from: 'video', to: 'log', modes: ['send'] },
    { from: 'video', to: 'split', modes: ['call'] },
  ],
}
const heavy = (ms: number) => [{ cpuMs: { values: [ms / 2, ms, 3 * ms] } }, { waitMs: 4 }]
const behaviour: Behaviour = {
  app,
  tasks: {
    video: {
      scripts: [
        [{ cpuMs: 2 }, { call: ['split'] }, { map: 'extract', items: 4 }, { call: ['collect'] }, { send: ['log'] }],
      ],
    },
    split: { scripts: [[{ cpuMs: 5 }, { waitMs: 7 }]] },
    extract: { scripts: [[{ cpuMs: 8 }, { call: ['classify'] }]] },
    classify: { scripts: [heavy(30)] },
    collect: { scripts: [[{ cpuMs: 3 }]] },
    log: { scripts: [[{ cpuMs: 1 }]] },
  },
}

function roundOf(setup: FusionSetup, requests = 80): Round {
  const records: InvocationRecord[] = []
  const samples: Parameters<typeof measure>[0][number][] = []
  simulate(behaviour, setup, platform, {
    arrivals: { kind: 'steady', rps: 1, requests },
    seed: 3,
    warmUpRequests: 10,
    onRecord: (record) => records.push(record),
    onReply: (request, startMs, latencyMs) => {
      if (request >= 10) samples.push({ startMs, latencyMs, session: `s${request + 1}` })
    },
  })
  return {
    id: setupId(setup),
    setup,
    strategy: 'test',
    reasons: [],
    summary: '',
    measurement: measure(samples, records, facts),
    profile: emptyProfile(),
    traces: tracesOfRecords(records),
  }
}
const context = (goal: Goal): StrategyContext => ({ app, facts, goal, constraints: {} })
const profiled = roundOf(remoteSetup(app, 256))
const traced = workflowOf(app, profiled.traces ?? [], facts)
const meanOf = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length
const workOf = (name: string) => {
  const time = traced.workflow.stages[name]?.time
  return time?.kind === 'work' ? time.samples : []
}

describe('a workflow of recorded requests', () => {
  it('has the stages that the entry awaits, in their order, with their parallelism', () => {
    expect(traced.driver).toBe('video')
    expect(traced.workflow.shape).toEqual({ series: ['split', 'extract', 'classify', 'collect'] })
    expect(Object.values(traced.workflow.stages).map(({ name, dop }) => [name, dop])).toEqual([
      ['split', 1],
      ['extract', 4],
      ['classify', 4],
      ['collect', 1],
    ])
    expect(traced.left).toEqual(['no request awaited log'])
  })

  it('tells computing from waiting, whatever share of a core the recording had', () => {
    const mean = (name: string, of: 'cpuMs' | 'waitMs') => meanOf(workOf(name).map((sample) => sample[of]))
    expect(mean('split', 'cpuMs')).toBeCloseTo(5, 1)
    expect(mean('extract', 'cpuMs')).toBeCloseTo(8, 1)
    expect(mean('classify', 'cpuMs')).toBeCloseTo(45, -1)
    // What was left of a period counts as waiting at worst.
    expect(Math.abs(mean('split', 'waitMs') - 7)).toBeLessThan(10)
    expect(Math.abs(mean('classify', 'waitMs') - 4)).toBeLessThan(20)
  })

  it('estimates the computing of runs whose CPU was not read from those whose was', () => {
    const every = (i: number) => i % 4 === 0
    const sparse = (profiled.traces ?? []).map((trace) => ({
      ...trace,
      runs: trace.runs.map(({ cpuMs, ...run }, i) => (every(i) && cpuMs !== undefined ? { ...run, cpuMs } : run)),
    }))
    const { stages } = workflowOf(app, sparse, facts).workflow
    const time = stages.classify?.time
    const samples = time?.kind === 'work' ? time.samples : []
    expect(meanOf(samples.map(({ cpuMs }) => cpuMs)) / 45).toBeGreaterThan(0.85)
    expect(meanOf(samples.map(({ cpuMs }) => cpuMs)) / 45).toBeLessThan(1.15)
  })

  it('splits work by two sizes where no CPU was read at all', () => {
    const blind = [profiled, roundOf(remoteSetup(app, 1769))].flatMap(({ traces = [] }) =>
      traces.map((trace) => ({ ...trace, runs: trace.runs.map(({ cpuMs: _, ...run }) => run) })),
    )
    const time = workflowOf(app, blind, facts).workflow.stages.classify?.time
    const samples = time?.kind === 'work' ? time.samples : []
    expect(meanOf(samples.map(({ cpuMs }) => cpuMs)) / 45).toBeGreaterThan(0.8)
    expect(meanOf(samples.map(({ cpuMs }) => cpuMs)) / 45).toBeLessThan(1.2)
  })

  it('has the hand-over of each edge', () => {
    const edges = Object.fromEntries(
      traced.workflow.edges.map(({ from, to, handOverMs }) => [`${from}>${to}`, meanOf(handOverMs)]),
    )
    expect(Object.keys(edges)).toEqual(['video>split', 'split>extract', 'extract>classify', 'classify>collect'])
    for (const ms of Object.values(edges)) expect(ms).toBeCloseTo(10, 6)
  })

  it('leaves out requests with errors, and says when none is left', () => {
    const broken = (profiled.traces ?? []).map((trace) => ({
      ...trace,
      runs: trace.runs.map((run) => ({ ...run, error: 'Error: no' })),
    }))
    expect(() => workflowOf(app, broken, facts)).toThrow(/no recorded request of 'video' can be used/)
  })

  it('takes a task that is called again elsewhere as it was', () => {
    const again: Behaviour = {
      app,
      tasks: {
        ...behaviour.tasks,
        video: { scripts: [[{ call: ['split'] }, { call: ['collect'] }, { call: ['split'] }]] },
      },
    }
    const records: InvocationRecord[] = []
    simulate(again, remoteSetup(app, 1769), platform, {
      arrivals: { kind: 'steady', rps: 1, requests: 30 },
      seed: 1,
      onRecord: (record) => records.push(record),
    })
    const { workflow, left } = workflowOf(app, tracesOfRecords(records), facts)
    expect(workflow.shape).toEqual({ series: ['split', 'collect', 'split#2'] })
    expect(workflow.stages['split#2']?.time.kind).toBe('fixed')
    expect(left.join()).toContain('split is called in 2 places')
  })

  it('takes what the driver computes while it waits for its work, and out of the hand-overs', () => {
    const busy = (profiled.traces ?? []).map((trace) => ({
      ...trace,
      runs: trace.runs.map((run, i) => (i === 0 ? { ...run, cpuMs: (run.cpuMs ?? 0) + 4 } : run)),
    }))
    const other = workflowOf(app, busy, facts)
    const cpu = (of: typeof traced) => meanOf(of.driverWork.samples.map(({ cpuMs }) => cpuMs))
    expect(cpu(other) - cpu(traced)).toBeCloseTo(4, 6)
    const handOver = (of: typeof traced, to: string) =>
      meanOf(of.workflow.edges.find((edge) => edge.to === to)?.handOverMs ?? [])
    expect(handOver(other, 'split')).toBeLessThan(handOver(traced, 'split'))
    expect(handOver(other, 'classify')).toBe(handOver(traced, 'classify'))
  })

  it('puts the driver, which nobody sizes, before its stages', () => {
    const at = (memoryMb: number) => withDriver(traced, memoryMb, 1769)
    expect(at(256).shape).toEqual({ series: ['video', 'split', 'extract', 'classify', 'collect'] })
    const time = (memoryMb: number) => {
      const of = at(memoryMb).stages.video?.time
      return of?.kind === 'fixed' ? meanOf(of.ms) : 0
    }
    expect(time(1769)).toBeLessThanOrEqual(time(128))
  })
})

describe('competitors as strategies', () => {
  const goal: Goal = { minimize: 'cost', subjectTo: { p95Ms: 400 } }
  const names = ['photons', 'photons-best', 'faastlane', 'faastlane-1', 'sonic', 'orion', 'wisefuse']

  it.each(names)('%s proposes a setup that the platform takes, from everything remote', (name) => {
    const strategy = strategies[name]
    expect(strategy?.first(context(goal), 256).setup).toEqual(remoteSetup(app, 256))
    const proposal = strategy?.next([profiled], context(goal))
    expect(proposal).toBeTruthy()
    if (!proposal) return
    expect(validate(app, proposal.setup, {}, facts)).toEqual([])
    expect(proposal.summary).toContain(name)
    expect(proposal.reasons.some(({ change, why }) => change === NOT_SAID && why.includes('log'))).toBe(true)
  })

  it.each(['wisefuse', 'orion', 'photons-best'])('%s keeps its goal where its setup is run', (name) => {
    const proposal = strategies[name]?.next([profiled], context(goal))
    if (!proposal) throw new Error('no plan')
    const { measurement } = roundOf(proposal.setup)
    expect(measurement.p95Ms.value).toBeLessThan(400 * 1.1)
  })

  it('decides only what their papers decide', () => {
    const setupBy = (name: string) => strategies[name]?.next([profiled], context(goal))?.setup.functions
    expect(setupBy('orion')?.video?.inline.call).toEqual([])
    expect(setupBy('photons')?.classify?.concurrency).toBeGreaterThan(1)
    expect(Object.keys(setupBy('sonic')?.video?.passing ?? {})).toContain('extract')
    expect(setupBy('faastlane-1')?.video?.inline).toMatchObject({
      call: ['classify', 'collect', 'split'],
      map: ['extract'],
      send: [],
    })
  })

  it('wisefuse plans again with what it measured, at most twice, and not when the goal is kept', () => {
    const { wisefuse } = strategies
    const first = wisefuse?.next([profiled], context(goal))
    if (!first) throw new Error('no plan')
    const kept = roundOf(first.setup)
    const withP95 = (round: Round, ms: number): Round => ({
      ...round,
      measurement: { ...round.measurement, p95Ms: { ...round.measurement.p95Ms, value: ms } },
    })
    expect(wisefuse?.next([profiled, withP95(kept, 400)], context(goal))).toBeNull()
    // A world in which everything takes longer than was profiled.
    const slower = (round: Round): Round => ({
      ...withP95(round, 900),
      traces: (round.traces ?? []).map((trace) => ({
        ...trace,
        runs: trace.runs.map((run) => ({ ...run, endMs: run.startMs + 2 * (run.endMs - run.startMs) })),
      })),
    })
    const again = wisefuse?.next([profiled, slower(kept)], context(goal))
    expect(again?.reasons[0]?.why).toContain('plan 1 missed the goal')
    // What takes longer needs more: larger sandboxes, or more of them.
    const usd = ({ summary }: { summary: string }) => Number(/\$([\d.]+) per million/.exec(summary)?.[1])
    expect(usd(again ?? first)).toBeGreaterThan(usd(first))
    const thrice = [profiled, slower(kept), slower(kept), slower(kept)]
    expect(wisefuse?.next(thrice, context(goal))).toBeNull()
    expect(strategies.orion?.next([profiled, slower(kept)], context(goal))).toBeNull()
  })

  it('keeps a budget, the bill of the driver included', () => {
    const usd = profiled.measurement.costPerMillionUsd?.value ?? 0
    const budget: Goal = { minimize: 'p95', subjectTo: { costPerMillionUsd: usd } }
    const proposal = strategies.wisefuse?.next([profiled], context(budget))
    if (!proposal) throw new Error('no plan')
    const { measurement } = roundOf(proposal.setup)
    expect(measurement.costPerMillionUsd?.value).toBeLessThan(usd * 1.1)
    expect(measurement.p95Ms.value).toBeLessThan(profiled.measurement.p95Ms.value)
  })

  it('says what it makes of a goal that it does not know', () => {
    const study = studyOf(profiled, context({ minimize: 'balanced' }))
    expect(study.goal).toMatchObject({ kind: 'budget', percentile: 0.5 })
    expect(study.reasons.map(({ change }) => change)).toContain('goal')
  })

  it('needs the requests of its rounds, and says so', () => {
    const { traces: _, ...without } = profiled
    expect(() => strategies.orion?.next([without], context(goal))).toThrow(/has no traces/)
  })
})
