import fc from 'fast-check'
import { allFusedSetup, effectiveSetup, printSetup, remoteSetup } from 'fusionize/setup'
import { describe, expect, it } from 'vitest'
import { choose, objective } from '../src/goals.js'
import { strategies } from '../src/strategies/index.js'
import type { Goal, Round, Strategy, StrategyContext } from '../src/types.js'
import { appOfModel, facts, iot, round, type TaskModel } from './simulate.js'

/** Runs a strategy to its end. */
function runAll(
  strategy: Strategy,
  models: Record<string, TaskModel>,
  entry: string,
  more: Partial<StrategyContext> = {},
): { history: Round[]; context: StrategyContext } {
  const app = appOfModel(models, entry)
  const context: StrategyContext = { app, facts, goal: { minimize: 'balanced' }, constraints: {}, ...more }
  const history: Round[] = []
  for (
    let proposal: ReturnType<Strategy['next']> = strategy.first(context, 128);
    proposal !== null && history.length < 30;
    proposal = strategy.next(history, context)
  )
    history.push(round(app, models, entry, proposal, strategy.name, context.facts))
  return { history, context }
}

describe('published', () => {
  it('inlines one synchronous call per step in alphabetical order, then sweeps, then takes the cheapest', () => {
    const { history } = runAll(strategies.published as Strategy, iot, 'analyze-sensor')
    expect(history.map((r) => r.summary)).toEqual([
      'every task is a function of its own, 128 MB',
      'analyze-sensor → check-sensor inline',
      'analyze-sensor → store-event inline',
      'check-air → detect-jam inline',
      'check-sound → check-accident inline',
      'check-sound → check-sound-level inline',
      'sweep: 768 MB',
      'sweep: 1024 MB',
      'sweep: 1536 MB',
      'sweep: 1650 MB',
      'sweep: 2048 MB',
      'cheapest size of each function',
    ])
  })

  it('adopts the tested setup with the lowest median, however dear', () => {
    const { history, context } = runAll(strategies.published as Strategy, iot, 'analyze-sensor')
    const adopted = strategies.published?.adopt?.(history, context) as Round
    expect(adopted.measurement.p50Ms.value).toBe(Math.min(...history.map((r) => r.measurement.p50Ms.value)))
  })

  it('follows calls into tasks that are inline already', () => {
    const chain: Record<string, TaskModel> = {
      a: { cpu: 1, calls: [[{ to: 'b', mode: 'call' }]] },
      b: { cpu: 1, calls: [[{ to: 'c', mode: 'call' }]] },
      c: { cpu: 1 },
    }
    const { history } = runAll(strategies.published as Strategy, chain, 'a')
    expect(history.slice(1, 4).map((r) => r.summary)).toEqual(['a → b inline', 'a → c inline', 'sweep: 768 MB'])
  })
})

describe('closure', () => {
  it('deploys at most three setups after the first and halves the median of iot', () => {
    const { history, context } = runAll(strategies.closure as Strategy, iot, 'analyze-sensor')
    expect(history.length).toBeLessThanOrEqual(4)
    const best = choose(history, context.goal) as Round
    const [first] = history as [Round]
    expect(best.measurement.p50Ms.value).toBeLessThan(0.5 * first.measurement.p50Ms.value)
    expect(best.measurement.costPerMillionUsd?.value).toBeLessThan(
      0.75 * (first.measurement.costPerMillionUsd?.value ?? 0),
    )
  })

  it('gives a reason in words for every change', () => {
    const { history } = runAll(strategies.closure as Strategy, iot, 'analyze-sensor')
    for (const { reasons } of history.slice(1)) {
      expect(reasons.length).toBeGreaterThan(0)
      for (const { change, why } of reasons) {
        expect(change.length).toBeGreaterThan(3)
        expect(why.length).toBeGreaterThan(10)
      }
    }
    expect(history[1]?.reasons.map((r) => r.change)).toContain('analyze-sensor calls check-sensor inline')
    expect(history[1]?.reasons.map((r) => r.change)).toContain('one function runs everything')
  })

  it('keeps a send remote whose waiting would be billed at the size of its host', () => {
    const models: Record<string, TaskModel> = {
      front: { cpu: 20, calls: [[{ to: 'slow-mail', mode: 'send' }]] },
      'slow-mail': { cpu: 0.1, wait: 3000 },
    }
    const app = appOfModel(models, 'front')
    const context: StrategyContext = { app, facts, goal: { minimize: 'balanced' }, constraints: {} }
    const first = round(app, models, 'front', strategies.closure?.first(context, 128) as never)
    const slow = first.profile.tasks['slow-mail']?.sizes[128]
    if (slow) Object.assign(slow, { cpuMs: 3, cpuOwnMs: 3000 * 8, cpuRuns: 8 })
    const path = strategies.closure?.next([first], context)
    expect(path?.setup.functions.front?.inline.send).toEqual([])
    expect(path?.reasons.find((r) => r.change === 'front sends to slow-mail remotely')?.why).toMatch(/stays remote/)
  })

  it('heeds constraints: what must stay apart stays remote, with the rule as the reason', () => {
    const constraints = { isolate: ['check-accident'], memory: { 'analyze-sensor': { max: 512 } } }
    const { history, context } = runAll(strategies.closure as Strategy, iot, 'analyze-sensor', { constraints })
    for (const { setup } of history) {
      for (const [fn, spec] of Object.entries(effectiveSetup(context.app, setup).functions))
        if (fn !== 'check-accident') expect(spec.inline.call).not.toContain('check-accident')
      expect(setup.functions['analyze-sensor']?.memory).toBeLessThanOrEqual(512)
    }
    expect(history[1]?.reasons.some((r) => r.why.startsWith('your constraint'))).toBe(true)
  })

  it('does not tune memory where CPU shares are not enforced, and says so', () => {
    const unlimited = { ...facts, cpuShareEnforced: false }
    const { history } = runAll(strategies.closure as Strategy, iot, 'analyze-sensor', { facts: unlimited })
    expect(history).toHaveLength(2)
    expect(history[1]?.measurement.costPerMillionUsd).toBeNull()
    expect(history[1]?.reasons.map((r) => r.change)).toContain('memory stays')
  })

  it('comes within 2% of the best of remote, path and all-fused at every single size, for generated chains', () => {
    const model = fc.record({ cpu: fc.integer({ min: 1, max: 60 }), wait: fc.integer({ min: 0, max: 20 }) })
    fc.assert(
      fc.property(
        fc.array(model, { minLength: 1, maxLength: 5 }),
        fc.constantFrom<Goal['minimize']>('p50', 'cost', 'balanced'),
        (tasks, minimize) => {
          const models = Object.fromEntries(
            tasks.map((t, i): [string, TaskModel] => [
              `t${i}`,
              { ...t, calls: i + 1 < tasks.length ? [[{ to: `t${i + 1}`, mode: 'call' as const }]] : [] },
            ]),
          )
          const goal = { minimize }
          const { history, context } = runAll(strategies.closure as Strategy, models, 't0', { goal })
          const adopted = objective(goal, (choose(history, goal) as Round).measurement)
          const best = Math.min(
            ...facts.memoryLadder
              .flatMap((memory) => [remoteSetup(context.app, memory), allFusedSetup(context.app, memory)])
              .map((setup) =>
                objective(goal, round(context.app, models, 't0', { setup, reasons: [], summary: '' }).measurement),
              ),
          )
          expect(adopted).toBeLessThanOrEqual(best * 1.02)
        },
      ),
      { numRuns: 20 },
    )
  }, 60_000)

  it('is resumable: the same history gives the same proposal', () => {
    const { history, context } = runAll(strategies.closure as Strategy, iot, 'analyze-sensor')
    const again = strategies.closure?.next(JSON.parse(JSON.stringify(history.slice(0, 2))), context)
    expect(printSetup(again?.setup as never, context.app)).toBe(printSetup(history[2]?.setup as never, context.app))
  })
})

describe('choose', () => {
  it('never adopts a setup that is worse than the first, or one with errors', () => {
    const { history, context } = runAll(strategies.remote as Strategy, iot, 'analyze-sensor')
    const [first] = history as [Round]
    const worse = {
      ...first,
      id: 'worse',
      measurement: { ...first.measurement, p50Ms: { ...first.measurement.p50Ms, value: 1e6 } },
    }
    const broken = {
      ...first,
      id: 'broken',
      measurement: { ...first.measurement, errors: 1, p50Ms: { ...first.measurement.p50Ms, value: 1 } },
    }
    expect(choose([first, worse, broken], context.goal)?.id).toBe(first.id)
  })

  it('prefers setups that keep the bounds', () => {
    const { history } = runAll(strategies.closure as Strategy, iot, 'analyze-sensor')
    const [first] = history as [Round]
    const bound = (first.measurement.costPerMillionUsd?.value ?? 0) * 2
    const dear = {
      ...first,
      id: 'dear',
      measurement: {
        ...first.measurement,
        p50Ms: { value: 1, low: 1, high: 1, n: 1 },
        costPerMillionUsd: { value: bound * 2, low: 0, high: 0, n: 1 },
      },
    }
    expect(choose([first, dear], { minimize: 'p50', subjectTo: { costPerMillionUsd: bound } })?.id).toBe(first.id)
  })
})
