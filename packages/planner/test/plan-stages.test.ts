import {
  lambdaStageFacts as facts,
  type Measured,
  orion,
  planStages,
  type Stage,
  type StageGoal,
  seededRandom,
  stageModel,
  type Workflow,
  wisefuse,
} from '@fusionize/planner'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bundleSizes, fusableEdges, groupsOf } from '../src/strategies/plan/stage-options.js'

/** Stages measured at three sizes, each size faster than the one before. */
const measured: fc.Arbitrary<Measured> = fc
  .tuple(
    fc.integer({ min: 200, max: 2000 }),
    fc.double({ min: 0.2, max: 0.95, noNaN: true }),
    fc.integer({ min: 1, max: 1e6 }),
  )
  .map(([ms, faster, seed]) => {
    const random = seededRandom(seed)
    const samples = Array.from({ length: 12 }, () => ms * (0.7 + 0.6 * random()))
    return {
      kind: 'measured',
      sizes: [1000, 1320, 1640].map((memoryMb, i) => ({ memoryMb, ms: samples.map((v) => v * faster ** i) })),
    }
  })

const workflows: fc.Arbitrary<Workflow> = fc.array(measured, { minLength: 2, maxLength: 3 }).chain((times) =>
  fc.boolean().map((beside): Workflow => {
    const stages = Object.fromEntries(
      times.map((time, i): [string, Stage] => [`s${i}`, { name: `s${i}`, dop: 1, time }]),
    )
    const names = Object.keys(stages)
    const shape = beside ? { series: [names[0] as string, { parallel: names.slice(1) }] } : { series: names }
    return { name: 'drawn', shape, stages, edges: [] }
  }),
)

const options = { binMs: 5, stepMb: 64, guard: 0, law: 'linear' } as const
const ladder = Array.from({ length: 11 }, (_, i) => 1000 + 64 * i)

describe('plan over stages', () => {
  it('is never dearer than the best of every choice of sizes, and keeps the target', () => {
    fc.assert(
      fc.property(workflows, fc.double({ min: 0.4, max: 1, noNaN: true }), (workflow, tightness) => {
        const model = stageModel(workflow, facts, options)
        const names = Object.keys(workflow.stages)
        const at = (sizes: readonly number[]) => {
          const groups = names.map((name, i) => ({
            stages: [name],
            bundle: 1,
            parallel: 'processes' as const,
            memoryMb: sizes[i] as number,
          }))
          const { latency, costUsd } = model.predict(groups)
          return { ms: model.percentile(latency, 0.95), costUsd }
        }
        const all = names.reduce<number[][]>(
          (some, _) => some.flatMap((sizes) => ladder.map((size) => [...sizes, size])),
          [[]],
        )
        const outcomes = all.map(at)
        const [fast, slow] = [Math.min(...outcomes.map(({ ms }) => ms)), Math.max(...outcomes.map(({ ms }) => ms))]
        const goal: StageGoal = { kind: 'slo', percentile: 0.95, ms: fast + tightness * (slow - fast) }
        const best = Math.min(...outcomes.filter(({ ms }) => ms <= goal.ms).map(({ costUsd }) => costUsd))
        const plan = planStages(workflow, goal, facts, options)
        expect(plan.gap).toBe(0)
        expect(plan.predicted.percentileMs).toBeLessThanOrEqual(goal.ms)
        expect(plan.predicted.costUsd).toBeLessThanOrEqual(best * (1 + 1e-9))

        const budget = Math.min(...outcomes.map(({ costUsd }) => costUsd)) * 1.05
        const within = Math.min(...outcomes.filter(({ costUsd }) => costUsd <= budget).map(({ ms }) => ms))
        const cheap = planStages(workflow, { kind: 'budget', percentile: 0.95, usdPerRequest: budget }, facts, options)
        expect(cheap.predicted.costUsd).toBeLessThanOrEqual(budget)
        expect(cheap.predicted.percentileMs).toBeLessThanOrEqual(within + 1e-9)
      }),
      { numRuns: 6, seed: 4 },
    )
  })

  it('is no dearer than orion and wisefuse for the same target, under its own model', () => {
    const [workflow] = fc.sample(workflows, { numRuns: 1, seed: 11 }) as [Workflow]
    const goal: StageGoal = { kind: 'slo', percentile: 0.95, ms: 1500 }
    const plan = planStages(workflow, goal, facts, options)
    for (const other of [orion(workflow, goal, facts), wisefuse(workflow, goal, facts)])
      if (other.feasible) expect(plan.predicted.costUsd).toBeLessThanOrEqual(other.predicted.costUsd * 1.002)
  })

  const random = seededRandom(3)
  const work = (cpuMs: number, waitMs: number) => ({
    kind: 'work' as const,
    samples: Array.from({ length: 60 }, () => ({ cpuMs: cpuMs * (0.5 + random()), waitMs: waitMs * (0.5 + random()) })),
  })
  const map: Workflow = {
    name: 'map',
    shape: { series: ['split', 'extract', 'classify'] },
    stages: {
      split: { name: 'split', dop: 1, time: work(200, 50), baseMb: 50 },
      extract: { name: 'extract', dop: 6, time: work(30, 10), baseMb: 50, ownMb: 20 },
      classify: { name: 'classify', dop: 6, time: work(300, 0), baseMb: 60, ownMb: 40 },
    },
    edges: [
      { from: 'split', to: 'extract', handOverMs: [30, 40, 60] },
      { from: 'extract', to: 'classify', handOverMs: [30, 40, 60], correlation: 0.5 },
    ],
  }

  it('fuses neighbours of equal parallelism alone, and saves their hand-over', () => {
    const model = stageModel(map, facts)
    expect(fusableEdges(model)).toEqual([['extract', 'classify']])
    expect(groupsOf(model, fusableEdges(model)).map(({ stages }) => stages)).toEqual([
      ['split'],
      ['extract', 'classify'],
    ])
    const plan = planStages(map, { kind: 'slo', percentile: 0.95, ms: 1500 }, facts, { stepMb: 512 })
    expect(plan.feasible).toBe(true)
    expect(plan.groups.map(({ stages }) => stages)).toContainEqual(['extract', 'classify'])
  })

  it('says what is nearest when a target or a budget cannot be met', () => {
    const late = planStages(map, { kind: 'slo', percentile: 0.95, ms: 10 }, facts, { stepMb: 1024 })
    expect(late.feasible).toBe(false)
    expect(late.nearest?.percentileMs).toBeGreaterThan(10)
    expect(late.reasons[0]?.why).toContain('p95 ≤ 10 ms cannot be met; the nearest that can is')
    const met = planStages(
      map,
      { kind: 'slo', percentile: 0.95, ms: (late.nearest?.percentileMs ?? 0) * 1.05 },
      facts,
      { stepMb: 1024 },
    )
    expect(met.feasible).toBe(true)
    const dear = planStages(map, { kind: 'budget', percentile: 0.95, usdPerRequest: 1e-9 }, facts, { stepMb: 1024 })
    expect(dear.feasible).toBe(false)
    expect(dear.nearest?.costUsd).toBeGreaterThan(1e-9)
  })

  it('tries bundles up to the parallelism', () => {
    expect(bundleSizes(6)).toEqual([1, 2, 3, 5, 6])
    expect(bundleSizes(1)).toEqual([1])
  })
})
