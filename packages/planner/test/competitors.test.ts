import {
  composeValue,
  faastlane,
  faastlane1,
  lambdaStageFacts as facts,
  orion,
  photons,
  photonsBest,
  rescaled,
  type Stage,
  type StageGoal,
  seededRandom,
  setupOfPlan,
  sonic,
  sonicMethods,
  stageModel,
  storeFacts,
  type Workflow,
  wisefuse,
} from '@fusionize/planner'
import { type App, remoteSetup, validate } from 'fusionize/setup'
import { describe, expect, it } from 'vitest'
import { processesAt } from '../src/strategies/competitors/faastlane.js'
import { coldPercentile, prewarmDelays } from '../src/strategies/competitors/prewarm.js'
import { sonicRegression } from '../src/strategies/competitors/sonic.js'

const random = seededRandom(5)
function stage(name: string, dop: number, cpuMs: number, waitMs: number, more: Partial<Stage> = {}): Stage {
  const samples = Array.from({ length: 80 }, () => ({
    cpuMs: cpuMs * (0.6 + 0.8 * random()),
    waitMs: waitMs * (0.6 + 0.8 * random()),
  }))
  return { name, dop, time: { kind: 'work', samples }, baseMb: 40, ownMb: 10, ...more }
}
function series(stages: Stage[], handOverMs = [30, 40, 60]): Workflow {
  const names = stages.map(({ name }) => name)
  return {
    name: names.join('-'),
    shape: { series: names },
    stages: Object.fromEntries(stages.map((one) => [one.name, one])),
    edges: names.slice(1).map((to, i) => ({ from: names[i] as string, to, handOverMs })),
  }
}
const slo = (ms: number): StageGoal => ({ kind: 'slo', percentile: 0.95, ms })
const budget = (usdPerRequest: number): StageGoal => ({ kind: 'budget', percentile: 0.95, usdPerRequest })

/** A cold burst of one request: start-ups, and GB·s of sandboxes from their start to the end of their work. Independent of the strategies' model. */
function coldFanOut(
  n: number,
  perSandbox: number,
  memoryMb: number,
  sharedMb: number,
  work: { initMs: number; cpuMs: number; waitMs: number },
) {
  const sandboxes = Math.ceil(n / perSandbox)
  const cores = Math.min(6, memoryMb / 1769)
  let gbS = 0
  for (let s = 0; s < sandboxes; s++) {
    const items = Math.min(perSandbox, n - s * perSandbox)
    const busyMs = Math.max(work.waitMs + work.cpuMs / Math.min(1, cores), (items * work.cpuMs) / cores)
    gbS += ((memoryMb / 1024) * (work.initMs + busyMs)) / 1000
  }
  // State that is loaded once per sandbox is held by each of them.
  return { startUps: sandboxes, gbS, heldMb: sandboxes * sharedMb }
}

describe('photons', () => {
  it('has fewer start-ups and GB·s than one sandbox per invocation, at a cold fan-out of 30 with 100 MB of shared state', () => {
    const workflow = series([stage('root', 1, 5, 5), stage('work', 30, 20, 200, { baseMb: 140, ownMb: 4 })])
    const { groups } = photonsBest(workflow, slo(2000), facts)
    const work = groups.find(({ stages }) => stages[0] === 'work') as (typeof groups)[number]
    expect(work.concurrency).toBeGreaterThan(1)
    const times = { initMs: 400, cpuMs: 20, waitMs: 200 }
    const shared = coldFanOut(30, work.concurrency, work.memoryMb, 100, times)
    // One sandbox per invocation needs 144 MB / 0.9 and may take any size that keeps the same target.
    const alone = Math.min(
      ...[192, 256, 512, 1024, 1769].map((memoryMb) => coldFanOut(30, 1, memoryMb, 100, times).gbS),
    )
    expect(shared.startUps).toBeLessThan(30)
    expect(shared.gbS).toBeLessThan(alone)
  })

  it('takes as many invocations as fit, and no more', () => {
    const workflow = series([stage('work', 30, 1, 100, { baseMb: 100, ownMb: 100 })])
    const { groups } = photons(workflow, slo(5000), facts)
    const [{ concurrency, memoryMb }] = groups as [(typeof groups)[number]]
    expect(100 + concurrency * 100).toBeLessThanOrEqual(0.9 * memoryMb)
    expect(100 + (concurrency + 1) * 100).toBeGreaterThan(0.9 * memoryMb)
  })

  it('at its best serves the goal no worse than by best-first sizes', () => {
    const workflow = series([stage('a', 1, 100, 50), stage('b', 12, 150, 20)])
    const goal = slo(900)
    const [best, first] = [photonsBest(workflow, goal, facts), photons(workflow, goal, facts)]
    expect(best.feasible).toBe(true)
    if (first.feasible) expect(best.predicted.costUsd).toBeLessThanOrEqual(first.predicted.costUsd * 1.0001)
    expect(best.groups.every(({ stages }) => stages.length === 1)).toBe(true)
  })
})

describe('faastlane', () => {
  it('beats remote on a chain of ten steps with payloads of 1 MB', () => {
    // 1 MB over the network: 70 MB/s and a call's hand-over.
    const passMs = 40 + (1 / storeFacts.nicMbPerS) * 1000
    const chain = series(
      Array.from({ length: 10 }, (_, i) => stage(`s${i}`, 1, 10, 5)),
      [passMs],
    )
    const plan = faastlane(chain, slo(2000), facts)
    const model = stageModel(chain, facts)
    const [{ memoryMb }] = plan.groups as [(typeof plan.groups)[number]]
    const remote = model.predict(
      Object.keys(chain.stages).map((name) => ({ stages: [name], bundle: 1, parallel: 'loop' as const, memoryMb })),
    )
    expect(plan.predicted.percentileMs).toBeLessThan(model.percentile(remote.latency, 0.95) - 8 * passMs)
    expect(plan.predicted.costUsd).toBeLessThan(remote.costUsd)
  })

  it('runs as many processes as a CPU loop stands', () => {
    expect([128, 1769, 3008, 10_240].map((memoryMb) => processesAt(facts, memoryMb))).toEqual([1, 1, 2, 8])
  })

  it('starts further containers for what its processes do not take, and faastlane-1 none', () => {
    const workflow = series([stage('split', 1, 20, 5), stage('work', 30, 200, 5)])
    const [many, one] = [faastlane(workflow, slo(1500), facts), faastlane1(workflow, slo(1500), facts)]
    expect(many.merged && one.merged).toBe(true)
    expect(new Set(many.groups.map(({ memoryMb }) => memoryMb)).size).toBe(1)
    expect(one.groups.find(({ stages }) => stages[0] === 'work')?.bundle).toBe(30)
    expect(many.groups.find(({ stages }) => stages[0] === 'work')?.bundle).toBeLessThan(30)
    expect(many.predicted.percentileMs).toBeLessThan(one.predicted.percentileMs)
  })
})

describe('sonic', () => {
  const sizes = [1e4, 1e5, 1e6, 1e7, 1e8]
  const fanOuts = [1, 3, 10, 30]
  const [make, use] = [stage('make', 1, 200, 0), stage('use', 1, 400, 0)]
  const passing = (bytes: number, n: number, methods?: typeof sonicMethods) => {
    const workflow = series([
      { ...make, bytesOut: bytes },
      { ...use, dop: n, bytesIn: bytes },
    ])
    return sonic(workflow, slo(30_000), facts, methods ? { methods } : {})
  }

  it('uses all three methods from 10 KB to 100 MB and fan-outs of 1 to 30, and is never worse than a fixed one', () => {
    const used = new Set<string>()
    for (const bytes of sizes)
      for (const n of fanOuts) {
        const free = passing(bytes, n)
        for (const how of Object.values(free.passing)) used.add(how)
        for (const method of sonicMethods)
          expect(free.predicted.percentileMs).toBeLessThanOrEqual(
            passing(bytes, n, [method]).predicted.percentileMs + 1e-9,
          )
      }
    expect([...used].sort()).toEqual(['direct', 'local', 'store'])
  })

  it('has nothing to place on one machine, and no regression from two sizes', () => {
    const workflow = series([stage('a', 1, 10, 0)])
    expect(() => sonic(workflow, slo(100), facts, { store: { ...storeFacts, nodes: 1 } })).toThrow(
      'nothing for sonic to place',
    )
    expect(() =>
      sonicRegression([
        { x: 1, y: 2 },
        { x: 2, y: 4 },
      ]),
    ).toThrow('needs three')
    expect(sonicRegression([1, 2, 4].map((x) => ({ x, y: 3 + 2 * x })))(10)).toBeCloseTo(23)
  })
})

describe('orion', () => {
  it('steps from 1000 MB until the target holds, and not once more', () => {
    const workflow = series([stage('a', 1, 2000, 0), stage('b', 1, 300, 0)], [])
    const targetMs = 3500
    const { groups, feasible } = orion(workflow, slo(targetMs), facts)
    expect(feasible).toBe(true)
    expect(groups.every(({ memoryMb }) => (memoryMb - 1000) % 64 === 0)).toBe(true)
    const grown = groups.find(({ memoryMb }) => memoryMb > 1000) as (typeof groups)[number]
    const one = stageModel(workflow, facts, { binMs: 14, rounding: 'up', between: true })
    const less = groups.map((group) => (group === grown ? { ...group, memoryMb: group.memoryMb - 64 } : group))
    expect(one.percentile(one.predict(less).latency, 0.95)).toBeGreaterThan(targetMs)
  })

  it('bundles items where that lowers the percentile', () => {
    const workflow = series([stage('split', 1, 50, 0), stage('work', 10, 400, 0, { workerCorrelation: 0 })])
    const { groups } = orion(workflow, slo(1500), facts)
    expect([1, 2, 5, 10]).toContain(groups.find(({ stages }) => stages[0] === 'work')?.bundle)
    expect(groups.every(({ stages }) => stages.length === 1)).toBe(true)
  })

  it('starts sandboxes ahead, as late as that costs nothing', () => {
    const workflow = series([stage('a', 1, 500, 0, { initMs: 300 }), stage('b', 1, 200, 0, { initMs: 900 })], [])
    const model = stageModel(workflow, facts)
    const groups = ['a', 'b'].map((name) => ({ stages: [name], bundle: 1, parallel: 'loop' as const, memoryMb: 1769 }))
    const ahead = prewarmDelays(model, 0.95, groups)
    expect(ahead.percentileMs).toBeLessThan(coldPercentile(model, 0.95, groups) - 300)
    expect(ahead.delaysMs[0]).toBeUndefined()
    const plan = orion(workflow, slo(3000), facts, { cold: true })
    expect(plan.groups[1]?.prewarmMs).toBeGreaterThanOrEqual(0)
  })
})

const video = series(
  [stage('split', 1, 100, 0), stage('extract', 3, 40, 10), stage('classify', 3, 250, 0)],
  [60, 80, 120],
)
const planned = wisefuse(video, slo(1100), facts)

describe('wisefuse', () => {
  it('fuses stages of equal parallelism, bundles, and keeps a target that is possible', () => {
    const plan = planned
    expect(plan.feasible).toBe(true)
    expect(plan.predicted.percentileMs).toBeLessThanOrEqual(1100)
    expect(plan.groups.map(({ stages }) => stages)).toContainEqual(['extract', 'classify'])
  })

  it('keeps a budget, and is faster with a larger one', () => {
    const [little, much] = [8e-5, 1.2e-4].map((usd) => wisefuse(video, budget(usd), { ...facts, maxMb: 2048 }))
    for (const [plan, usd] of [
      [little, 8e-5],
      [much, 1.2e-4],
    ] as const)
      if (plan?.feasible) expect(plan.predicted.costUsd).toBeLessThanOrEqual(usd)
    expect(much?.feasible).toBe(true)
    expect(much?.predicted.percentileMs).toBeLessThanOrEqual(little?.predicted.percentileMs ?? 0)
  })

  it('plans again with what was measured', () => {
    const slower = rescaled(video, { classify: 1.5 })
    const [before, after] = [planned, wisefuse(slower, slo(1100), facts)]
    expect(after.predicted.costUsd).toBeGreaterThan(before.predicted.costUsd)
  })
})

describe('a plan as a setup', () => {
  const app: App = {
    name: 'video',
    tasks: Object.fromEntries(
      ['classify', 'extract', 'split', 'video'].map((name) => [
        name,
        { name, file: `${name}.ts`, line: 1, ...(name === 'video' ? { http: { method: 'POST', path: '/' } } : {}) },
      ]),
    ),
    edges: [
      { from: 'extract', to: 'classify', modes: ['call'] },
      { from: 'video', to: 'extract', modes: ['map'] },
      { from: 'video', to: 'split', modes: ['call'] },
    ],
  }
  const ladder = [128, 1024, 1769, 3008, 10_240]
  it('says fusion, bundles, sizes and how items run', () => {
    const plan = planned
    const { setup, lost } = setupOfPlan(app, plan, remoteSetup(app, 128), ladder)
    expect(lost).toEqual([])
    expect(validate(app, setup, {}, { memoryLadder: ladder })).toEqual([])
    const fused = plan.groups.find(({ stages }) => stages.length === 2) as (typeof plan.groups)[number]
    expect(setup.functions.extract?.inline.call).toEqual(['classify'])
    expect(setup.functions.extract?.memory).toBeGreaterThanOrEqual(fused.memoryMb)
    expect(setup.functions.video?.bundle.extract ?? 1).toBe(fused.bundle)
  })

  it('says what it cannot say', () => {
    const plan = { ...planned, passing: { 'split>gone': 'store' as const } }
    const { lost } = setupOfPlan(
      { ...app, edges: app.edges.filter(({ from }) => from !== 'extract') },
      plan,
      remoteSetup(app, 128),
      ladder,
    )
    expect(lost).toContain('extract and classify in one function: extract does not call classify')
    expect(lost).toContain('split>gone by store: nothing calls gone')
  })

  it('says one function for faastlane', () => {
    const one = setupOfPlan(app, faastlane1(video, slo(1500), facts), remoteSetup(app, 128), ladder)
    expect(one.lost).toEqual([])
    for (const task of ['video', 'extract', 'split', 'classify']) {
      expect(one.setup.functions[task]?.inline).toMatchObject({ call: ['classify', 'split'], map: ['extract'] })
      expect(one.setup.functions[task]?.parallel).toBe('processes')
    }
    // More items than a container takes: all of them go to further ones, since a map has one route.
    const plan = faastlane(video, slo(1500), facts)
    const { setup, lost } = setupOfPlan(app, plan, remoteSetup(app, 128), ladder)
    expect(setup.functions.video?.inline).toMatchObject({ call: ['classify', 'split'], map: [] })
    expect(setup.functions.extract?.inline.call).toEqual(['classify', 'split'])
    const { bundle } = plan.groups.find(({ stages }) => stages[0] === 'extract') as (typeof plan.groups)[number]
    expect(setup.functions.video?.bundle.extract ?? 1).toBe(bundle)
    expect(lost.join()).toContain('of extract in the sandbox of their caller')
  })
})

describe('shapes', () => {
  it('add in series and take the longest in parallel', () => {
    expect(composeValue({ series: ['1', { parallel: ['5', { series: ['2', '4'] }] }] }, Number)).toBe(7)
  })
})
