import {
  analyticPredictor,
  type CallDag,
  type DagFigures,
  dagOf,
  kneeOf,
  limitsOf,
  objectiveOf,
  overshootOf,
  type PlanGoal,
  type PlannerFacts,
  paretoFront,
  planCalls,
} from '@fusionize/planner'
import fc from 'fast-check'
import { type App, defaultSpec, type FunctionSpec, type FusionSetup, type Mode, validate } from 'fusionize/setup'
import { describe, expect, it } from 'vitest'
import { averaged } from '../src/strategies/plan/bounds.js'
import { undominated } from '../src/strategies/plan/dominance.js'

const facts: PlannerFacts = {
  memoryLadder: [256, 1769],
  mbPerCore: 1769,
  cpuShareEnforced: true,
  prices: { perGbSecond: 0.0000166667, perRequest: 0.2e-6, perGatewayRequest: 1e-6, billsInit: true, granularityMs: 1 },
}
const handOver = {
  call: { fixedMs: 20, scaledMbMs: 3000, fullMb: 1769 },
  send: { fixedMs: 10, scaledMbMs: 9000, fullMb: 1769 },
  map: { fixedMs: 20, scaledMbMs: 3000, fullMb: 1769 },
}

/** Small DAGs with every kind of call, shared callees among them. */
const dags: fc.Arbitrary<DagFigures> = fc.integer({ min: 2, max: 4 }).chain((size) =>
  fc
    .record({
      work: fc.array(fc.tuple(fc.integer({ min: 0, max: 80 }), fc.integer({ min: 0, max: 80 })), {
        minLength: size,
        maxLength: size,
      }),
      calls: fc.array(
        fc.record({
          from: fc.nat(size - 2),
          to: fc.integer({ min: 1, max: size - 1 }),
          mode: fc.constantFrom<Mode>('call', 'call', 'call', 'send', 'map'),
          beside: fc.boolean(),
        }),
        { minLength: 0, maxLength: 1 },
      ),
      callers: fc.array(fc.nat(), { minLength: size, maxLength: size }),
      modes: fc.array(fc.constantFrom<Mode>('call', 'call', 'send', 'map'), { minLength: size, maxLength: size }),
      beside: fc.boolean(),
      ownMb: fc.constantFrom(0, 60),
    })
    .map(({ work, calls, callers, modes, beside, ownMb }): DagFigures => {
      const name = (i: number) => `t${i}`
      const group = (mode: Mode, on: boolean) => (mode === 'call' && on ? { group: 'g' } : {})
      const tasks = work.map(([cpuMs, waitMs], i) => ({
        name: name(i),
        cpuMs,
        waitMs,
        variation: 0.4,
        ownMb,
        calls: [] as NonNullable<DagFigures['tasks'][number]['calls']>,
      }))
      for (let i = 1; i < size; i++) {
        const mode = modes[i] as Mode
        tasks[(callers[i] as number) % i]?.calls.push({
          to: name(i),
          mode,
          times: mode === 'map' ? 3 : 1,
          ...group(mode, beside),
        })
      }
      for (const { from, to, mode, beside: on } of calls) {
        const caller = tasks[Math.min(from, to - 1)]
        if (!caller || caller.calls.some((call) => call.to === name(to))) continue
        caller.calls.push({ to: name(to), mode, times: mode === 'map' ? 3 : 1, ...group(mode, on) })
      }
      return { name: 'drawn', entry: 't0', tasks, handOver, baseMb: 60 }
    }),
)

/** Every setup that an application of these calls can have: routes by callee and mode in each function, sizes, bundles. */
function* allSetups({ tasks }: CallDag): Generator<FusionSetup> {
  const names = Object.keys(tasks)
  const below = (name: string): { mode: Mode; to: string; items: number }[] => {
    const seen = new Set([name])
    const found = new Map<string, { mode: Mode; to: string; items: number }>()
    for (const one of seen)
      for (const { to, mode, times } of tasks[one]?.calls ?? []) {
        seen.add(to)
        found.set(`${mode} ${to}`, { mode, to, items: times })
      }
    return [...found.values()]
  }
  const specsOf = (name: string): FunctionSpec[] =>
    below(name)
      .reduce<FunctionSpec[]>(
        (specs, { mode, to, items }) =>
          specs.flatMap((spec) => [
            { ...spec, inline: { ...spec.inline, [mode]: [...spec.inline[mode], to] } },
            ...(mode === 'map' ? [1, 2, 3].filter((b) => b <= items) : [1]).map((bundle) => ({
              ...spec,
              bundle: { ...spec.bundle, [to]: bundle },
            })),
          ]),
        [defaultSpec(0)],
      )
      .flatMap((spec) => facts.memoryLadder.map((memory) => ({ ...spec, memory })))
  function* choose(i: number, functions: Record<string, FunctionSpec>): Generator<FusionSetup> {
    const name = names[i]
    if (name === undefined) yield { functions }
    else for (const spec of specsOf(name)) yield* choose(i + 1, { ...functions, [name]: spec })
  }
  yield* choose(0, {})
}

/** Distinct predictions: functions that nobody calls remotely do not matter. */
function exhaustive(dag: CallDag, goal: PlanGoal, most = 60_000): number | undefined {
  const predictor = analyticPredictor(dag, facts)
  let [best, tried] = [Number.POSITIVE_INFINITY, 0]
  for (const setup of allSetups(dag)) {
    if (++tried > most) return undefined
    if (!fitsEverywhere(dag, setup)) continue
    const figures = predictor.predict(setup)
    if (overshootOf(goal, figures) <= 1) best = Math.min(best, objectiveOf(goal, figures))
  }
  return best
}

/** The same for an entry that calls leaves: of each its route and size matter, and the size of the entry. */
function exhaustiveGroup(dag: CallDag, goal: PlanGoal): number {
  const predictor = analyticPredictor(dag, facts)
  const leaves = Object.keys(dag.tasks).filter((name) => name !== dag.entry)
  let best = Number.POSITIVE_INFINITY
  const choose = (i: number, inline: string[], functions: Record<string, FunctionSpec>): void => {
    const leaf = leaves[i]
    if (leaf !== undefined) {
      choose(i + 1, [...inline, leaf], { ...functions, [leaf]: defaultSpec(256) })
      for (const memory of facts.memoryLadder) choose(i + 1, inline, { ...functions, [leaf]: defaultSpec(memory) })
      return
    }
    for (const memory of facts.memoryLadder) {
      const spec = defaultSpec(memory)
      const entry = { ...spec, inline: { ...spec.inline, call: inline } }
      const figures = predictor.predict({ functions: { ...functions, [dag.entry]: entry } })
      if (overshootOf(goal, figures) <= 1) best = Math.min(best, objectiveOf(goal, figures))
    }
  }
  choose(0, [], {})
  return best
}

/** base + own memory of all runs inside ≤ 90%, as the search demands it. */
function fitsEverywhere({ tasks, baseMb }: CallDag, { functions }: FusionSetup): boolean {
  const needs = (fn: string, name: string): number =>
    (tasks[name]?.ownMb ?? 0) +
    (tasks[name]?.calls ?? []).reduce((sum, { to, mode, times }) => {
      if (!functions[fn]?.inline[mode].includes(to)) return sum
      return sum + needs(fn, to) * (mode === 'map' ? times : 1)
    }, 0)
  const bundleOf = (name: string) => Math.max(1, ...Object.values(functions).map(({ bundle }) => bundle[name] ?? 1))
  return Object.entries(functions).every(([fn, { memory }]) => baseMb + bundleOf(fn) * needs(fn, fn) <= 0.9 * memory)
}

describe('plan over call DAGs', () => {
  const light = (figures: DagFigures) =>
    dagOf({ ...figures, tasks: figures.tasks.map((task) => ({ ...task, ownMb: 0 })) }, 8)
  /** Goals of every kind, with bounds that bind. */
  const goalsOf = (dag: CallDag): PlanGoal[] => {
    const fastest = planCalls(dag, { minimize: 'p95' }, facts).figures
    const cheapest = planCalls(dag, { minimize: 'cost' }, facts).figures
    return [
      { minimize: 'p95' },
      { minimize: 'cost' },
      { minimize: 'balanced' },
      { minimize: { percentile: 'p99', latencyWeight: 2, costWeight: 1 } },
      { minimize: 'cost', subjectTo: { p95Ms: fastest.p95Ms * 1.2 } },
      { minimize: 'p50', subjectTo: { costPerMillionUsd: cheapest.costPerMillionUsd * 1.2 } },
    ]
  }

  it('finds what trying every setup finds', () => {
    let compared = 0
    fc.assert(
      fc.property(dags, fc.nat(5), (figures, which) => {
        const dag = light(figures)
        const goal = goalsOf(dag)[which] as PlanGoal
        const best = exhaustive(dag, goal, 3000)
        if (best === undefined) return
        compared++
        const plan = planCalls(dag, goal, facts, { most: 3 })
        expect(objectiveOf(goal, plan.figures) / best).toBeCloseTo(1, 9)
        expect(plan.gap).toBeLessThan(1e-9)
        expect(analyticPredictor(dag, facts).predict(plan.setup)).toEqual(plan.figures)
      }),
      { numRuns: 60, seed: 4 },
    )
    expect(compared).toBeGreaterThan(20)
  })

  it('never bounds above what exists, however short its fronts', () => {
    let compared = 0
    fc.assert(
      fc.property(dags, fc.nat(5), fc.integer({ min: 2, max: 6 }), (figures, which, most) => {
        const dag = light(figures)
        const goal = goalsOf(dag)[which] as PlanGoal
        const best = exhaustive(dag, goal, 3000)
        if (best === undefined) return
        compared++
        const rough = planCalls(dag, goal, facts, { exactTasks: 0, most })
        expect(rough.lowerBound).toBeLessThanOrEqual(best * (1 + 1e-9))
        expect(rough.feasible).toBe(true)
        expect(objectiveOf(goal, rough.figures)).toBeGreaterThanOrEqual(best * (1 - 1e-9))
        expect(rough.gap).toBeGreaterThanOrEqual(objectiveOf(goal, rough.figures) / best - 1 - 1e-9)
      }),
      { numRuns: 60, seed: 4 },
    )
    expect(compared).toBeGreaterThan(20)
  })

  it('proves the same optimum of a wide group whatever it begins with', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 0, max: 100 })), {
          minLength: 5,
          maxLength: 6,
        }),
        fc.nat(5),
        fc.boolean(),
        (members, which, alike) => {
          const dag = dagOf(
            {
              name: 'wide',
              entry: 'a',
              handOver,
              baseMb: 60,
              tasks: [
                {
                  name: 'a',
                  cpuMs: 10,
                  waitMs: 0,
                  calls: members.map((_, i) => ({ to: `m${i}`, mode: 'call', times: 1, group: 'g' })),
                },
                ...members.map((one, i) => {
                  const [cpuMs, waitMs] = alike ? (members[0] as [number, number]) : one
                  return { name: `m${i}`, cpuMs, waitMs, variation: 0.4 }
                }),
              ],
            },
            8,
          )
          const goal = goalsOf(dag)[which] as PlanGoal
          const plan = planCalls(dag, goal, facts)
          expect(plan.gap).toBeLessThan(1e-9)
          expect(objectiveOf(goal, plan.figures) / exhaustiveGroup(dag, goal)).toBeCloseTo(1, 9)
        },
      ),
      { numRuns: 20, seed: 4 },
    )
  })

  it('keeps what is cheapest at any price of a ms where only the mean counts', () => {
    const empty = new Float64Array(1)
    const points = fc.array(fc.tuple(fc.nat(50), fc.nat(50)), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(points, fc.nat(1000), (all, thousandths) => {
        const labels = all.map(([weight, meanMs]) => ({
          visit: { syncMs: empty, cpuMs: empty, afterMs: 0, costUsd: weight, ownMb: 0 },
          weight,
          meanMs,
        }))
        const least = (of: readonly { weight: number; meanMs: number }[], price: number) =>
          Math.min(...of.map(({ weight, meanMs }) => weight + price * meanMs))
        const kept = undominated(labels, { spread: false, cpu: false, ownMb: false })
        for (const price of [thousandths / 1000, 1, 1000 / (thousandths + 1)])
          expect(least(kept, price)).toBeCloseTo(least(labels, price), 9)
      }),
      { numRuns: 200, seed: 4 },
    )
  })

  it('takes no plan for dearer at the mean than it is', () => {
    fc.assert(
      fc.property(dags, fc.nat(), (figures, at) => {
        const dag = dagOf(figures, 8)
        const mean = averaged(dag)
        let [i, tried] = [0, 0]
        for (const setup of allSetups(dag)) {
          if (tried > 50) break
          if (i++ % ((at % 97) + 1) !== 0) continue
          tried++
          expect(analyticPredictor(mean, facts).predict(setup).costPerMillionUsd).toBeLessThanOrEqual(
            analyticPredictor(dag, facts).predict(setup).costPerMillionUsd * (1 + 1e-12),
          )
        }
      }),
      { numRuns: 40, seed: 4 },
    )
  })

  it('keeps sandboxes within their memory', () => {
    fc.assert(
      fc.property(dags, (figures) => {
        const dag = dagOf(figures, 8)
        const { setup } = planCalls(dag, { minimize: 'cost' }, facts)
        const used = { functions: Object.fromEntries(Object.entries(setup.functions).filter(([fn]) => fn === 't0')) }
        expect(fitsEverywhere(dag, used)).toBe(true)
      }),
      { numRuns: 30, seed: 4 },
    )
  })

  const shop: DagFigures = {
    name: 'shop',
    entry: 'a',
    handOver,
    baseMb: 60,
    tasks: [
      {
        name: 'a',
        cpuMs: 5,
        waitMs: 2,
        calls: [
          { to: 'b', mode: 'call', times: 1 },
          { to: 'c', mode: 'send', times: 1 },
        ],
      },
      { name: 'b', cpuMs: 40, waitMs: 0, calls: [{ to: 'd', mode: 'call', times: 1 }] },
      { name: 'c', cpuMs: 30, waitMs: 0 },
      { name: 'd', cpuMs: 1, waitMs: 60 },
    ],
  }
  const app: App = {
    name: 'shop',
    tasks: Object.fromEntries(
      ['a', 'b', 'c', 'd'].map((name) => [
        name,
        { name, file: `${name}.ts`, line: 1, ...(name === 'a' ? { http: { method: 'GET', path: '/' } } : {}) },
      ]),
    ),
    edges: [
      { from: 'a', to: 'b', modes: ['call'] },
      { from: 'a', to: 'c', modes: ['send'] },
      { from: 'b', to: 'd', modes: ['call'] },
    ],
  }

  it('respects what the user demands', () => {
    for (const constraints of [
      { apart: [['a', 'd']] },
      { isolate: ['b'] },
      { zones: { x: ['a'], y: ['c'] } },
      { memory: { a: { min: 1000 } } },
      { together: [['a', 'c']] },
    ]) {
      const { setup } = planCalls(dagOf(shop), { minimize: 'cost' }, facts, { limits: limitsOf(app, constraints) })
      expect(validate(app, setup, constraints, facts)).toEqual([])
    }
  })

  it('says what is nearest when a goal cannot be met', () => {
    const dag = dagOf(shop)
    const fastest = planCalls(dag, { minimize: 'p95' }, facts).figures.p95Ms
    const plan = planCalls(dag, { minimize: 'cost', subjectTo: { p95Ms: fastest / 2 } }, facts)
    expect(plan.feasible).toBe(false)
    expect(plan.reasons[0]?.why).toContain('this is the nearest')
    expect(plan.figures.p95Ms).toBeCloseTo(fastest, 6)
  })

  it('gives the front without a goal, and its knee', () => {
    const dag = dagOf(shop)
    const { points, knee } = paretoFront(dag, 'p95', facts)
    expect(points.length).toBeGreaterThan(1)
    points.slice(1).forEach((point, i) => {
      expect(point.latencyMs).toBeLessThan(points[i]?.latencyMs ?? 0)
      expect(point.costPerMillionUsd).toBeGreaterThan(points[i]?.costPerMillionUsd ?? 0)
    })
    expect(points[knee]).toBeDefined()
    const bent = [9, 2, 1].map((latencyMs, i) => ({ latencyMs, costPerMillionUsd: i + 1 }))
    expect(kneeOf(bent)).toBe(1)
  })

  it('says what each decision would come to the other way', () => {
    const { reasons, setup } = planCalls(dagOf(shop), { minimize: 'p95' }, facts)
    expect(reasons[0]?.why).toBe('proved optimal under the model')
    expect(reasons.map(({ change }) => change)).toContain(`a at ${setup.functions.a?.memory} MB`)
    const call = reasons.find(({ change }) => change === 'call of b in a inline')
    // Taken remotely the call would be slower: that is why it is inline.
    expect(call?.why).toMatch(/^remote: p50 \+\d/)
  })

  it('weighs latency against cost', () => {
    const dag = dagOf(shop)
    const weighed = (latencyWeight: number, costWeight: number) =>
      planCalls(dag, { minimize: { percentile: 'p95', latencyWeight, costWeight } }, facts).figures
    expect(weighed(1, 0).p95Ms).toBeCloseTo(planCalls(dag, { minimize: 'p95' }, facts).figures.p95Ms, 6)
    expect(weighed(0, 1).costPerMillionUsd).toBeCloseTo(
      planCalls(dag, { minimize: 'cost' }, facts).figures.costPerMillionUsd,
      6,
    )
  })

  it('lets another predictor choose among the best', () => {
    const dag = dagOf(shop)
    const own = analyticPredictor(dag, facts)
    // One that knows that nothing may be inline with `a`.
    const strict = {
      name: 'strict',
      predict: (setup: FusionSetup) => {
        const inline = Object.values(setup.functions.a?.inline ?? {}).flat().length
        const figures = own.predict(setup)
        return { ...figures, costPerMillionUsd: figures.costPerMillionUsd * (1 + inline) }
      },
    }
    const plan = planCalls(dag, { minimize: 'cost' }, facts, { predictor: strict })
    const plain = planCalls(dag, { minimize: 'cost' }, facts)
    expect(strict.predict(plan.setup).costPerMillionUsd).toBeLessThanOrEqual(
      strict.predict(plain.setup).costPerMillionUsd,
    )
  })

  it('refuses a recursion, and a call that leads nowhere', () => {
    const [a, b, c, d] = shop.tasks as [
      DagFigures['tasks'][number],
      DagFigures['tasks'][number],
      DagFigures['tasks'][number],
      DagFigures['tasks'][number],
    ]
    const back = { ...d, calls: [{ to: 'a', mode: 'call' as const, times: 1 }] }
    expect(() => dagOf({ ...shop, tasks: [a, b, c, back] })).toThrow("'a' calls itself")
    expect(() => dagOf({ ...shop, tasks: [a, b, c] })).toThrow("calls 'd', which is no task")
  })
})
