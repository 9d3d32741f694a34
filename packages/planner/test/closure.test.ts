import { choose, dominates, objective, type Round, strategies } from '@fusionize/planner'
import fc from 'fast-check'
import { artifactTasks, type Constraints, routeOf, validate } from 'fusionize/setup'
import { expect, test } from 'vitest'
import { worlds } from './arbitrary-worlds.js'
import { exhaustiveOptimum } from './exhaustive.js'
import { contextOf, memories, roundOf, runStrategy, steady } from './run.js'
import { iotWorld, type World, worldOf } from './world.js'

const { closure, published } = strategies as Record<'closure' | 'published', NonNullable<(typeof strategies)[string]>>
const balanced = { minimize: 'balanced' } as const

function adopted(history: readonly Round[], goal: Parameters<typeof choose>[1] = balanced): Round {
  const round = choose(history, goal)
  if (!round) throw new Error('nothing to adopt')
  return round
}

test('closure is within 2% of the best of all its routes and sizes, for generated apps and every goal', () => {
  fc.assert(
    fc.property(worlds, fc.constantFrom('balanced', 'cost', 'p50'), (world, minimize) => {
      const context = contextOf(world, { minimize })
      const found = adopted(runStrategy(closure, world, context), { minimize })
      const best = exhaustiveOptimum(world, context)
      expect(objective({ minimize }, found.measurement) / best.score).toBeLessThan(1.02)
    }),
    { numRuns: 15, seed: 7 },
  )
}, 60_000)

test('closure deploys at most three setups after the first', () => {
  fc.assert(
    fc.property(worlds, fc.constantFrom('balanced', 'cost', 'p95'), (world, minimize) => {
      const load = { ...steady, noise: 0.3, seed: 5 }
      expect(runStrategy(closure, world, contextOf(world, { minimize }), { load }).length).toBeLessThanOrEqual(4)
    }),
    { numRuns: 40 },
  )
})

test('on iot it halves the median, costs a quarter less, and is not dominated by any reference at its best', () => {
  const world = iotWorld()
  const context = contextOf(world, balanced)
  const history = runStrategy(closure, world, context, { load: { ...steady, noise: 0.2 } })
  const found = adopted(history).measurement
  const first = (history[0] as Round).measurement
  expect(found.p50Ms.value).toBeLessThan(0.5 * first.p50Ms.value)
  expect(found.costPerMillionUsd?.value).toBeLessThan(0.75 * (first.costPerMillionUsd?.value ?? 0))
  for (const name of ['remote', 'all-fused', 'published']) {
    const rivals = runStrategy(strategies[name] as typeof closure, world, context, { load: { ...steady, noise: 0.2 } })
    for (const rival of rivals) expect(dominates(rival.measurement, found), `${name}: ${rival.summary}`).toBe(false)
  }
})

test('it says so when its routes are those of all-fused', () => {
  const history = runStrategy(closure, iotWorld(), contextOf(iotWorld(), balanced))
  expect(history[1]?.reasons.map((reason) => reason.change)).toContain('one function runs everything')
})

test('it reaches in one step the routes that the published path needs one step per edge for', () => {
  const world = worldOf('chain', {
    a: [{ call: ['b'] }, { cpuMs: 5 }],
    b: [{ call: ['c'] }],
    c: [{ cpuMs: 10 }, { waitMs: 5 }],
  })
  const context = contextOf(world, balanced)
  const [, path] = runStrategy(closure, world, context)
  const all = runStrategy(published, world, context)
  for (const to of ['b', 'c']) {
    expect(routeOf((path as Round).setup, 'a', to, 'call')).toBe('inline')
    expect(routeOf((all.at(-1) as Round).setup, 'a', to, 'call')).toBe('inline')
  }
  expect(all.findIndex((round) => routeOf(round.setup, 'a', 'c', 'call') === 'inline')).toBe(2)
})

test('every change has its reason, with the hand-over that it saves', () => {
  const [, path] = runStrategy(closure, iotWorld(), contextOf(iotWorld(), balanced))
  const reasons = new Map(path?.reasons.map(({ change, why }) => [change, why]))
  expect(reasons.get('check-sound calls check-accident inline')).toMatch(
    /saves 24 ms hand-over .* 1 per run of check-sound/,
  )
  expect(reasons.get('analyze-sensor sends to check-air inline')).toMatch(
    /runs after the reply; predicted .* inline, .* remotely/,
  )
})

test('an async task that only waits stays remote when the goal is cost and the host needs memory', () => {
  const world = worldOf('waiting', { a: [{ cpuMs: 60 }, { send: ['b'] }], b: [{ waitMs: 4000 }] })
  const bounds: Constraints = { memory: { a: { min: 1024 } } }
  const history = runStrategy(closure, world, contextOf(world, { minimize: 'cost' }, bounds))
  const { setup } = history[1] as Round
  expect(routeOf(setup, 'a', 'b', 'send')).toBe('remote')
  expect(history[1]?.reasons.find(({ change }) => change === 'a sends to b remotely')?.why).toMatch(/better apart/)
})

test('parallel items that compute stay remote when latency is the goal, and are inlined when cost is', () => {
  const world = worldOf('fan', { a: [{ map: 'b', items: 8 }], b: [{ cpuMs: 300 }] })
  const routeFor = (minimize: 'p50' | 'cost') =>
    routeOf((runStrategy(closure, world, contextOf(world, { minimize }))[1] as Round).setup, 'a', 'b', 'map')
  expect(routeFor('p50')).toBe('remote')
  expect(routeFor('cost')).toBe('inline')
})

test('isolated tasks, tasks that must be apart, and zones are kept; the reason names the constraint', () => {
  const world = iotWorld()
  const constraints: Constraints = {
    isolate: ['store-event'],
    apart: [['check-sound', 'check-accident']],
    zones: { air: ['check-air'], signs: ['action-signage'] },
  }
  const history = runStrategy(closure, world, contextOf(world, balanced, constraints))
  const { setup, reasons } = history[1] as Round
  expect(artifactTasks(world.app, setup, 'store-event')).toEqual(['store-event'])
  expect(routeOf(setup, 'check-sound', 'check-accident', 'call')).toBe('remote')
  expect(reasons.find(({ change }) => change === 'analyze-sensor calls store-event remotely')?.why).toMatch(/isolated/)
  expect(adopted(history).measurement.p50Ms.value).toBeLessThan((history[0] as Round).measurement.p50Ms.value)
})

const constraintSets: fc.Arbitrary<Constraints> = fc.record({
  isolate: fc.subarray(['b', 'c']),
  apart: fc.constantFrom([], [['entry', 'c']], [['b', 'd']]),
  zones: fc.constantFrom<Record<string, string[]>>({}, { one: ['entry'], two: ['b'] }),
  memory: fc.constantFrom<NonNullable<Constraints['memory']>>({}, { b: { min: 512 } }, { entry: { max: 256 } }),
})

test('whatever the constraints, every proposal of every strategy is valid', () => {
  fc.assert(
    fc.property(worlds, constraintSets, fc.constantFrom(...Object.keys(strategies)), (world, constraints, name) => {
      const known = (tasks: string[]) => tasks.filter((task) => world.app.tasks[task])
      const { isolate = [], apart = [], zones = {}, memory = {} } = constraints
      const fitting: Constraints = {
        isolate: known(isolate),
        apart: apart.map(known),
        zones: Object.fromEntries(Object.entries(zones).map(([zone, tasks]) => [zone, known(tasks)])),
        memory: Object.fromEntries(Object.entries(memory).filter(([task]) => world.app.tasks[task])),
      }
      runStrategy(strategies[name] as typeof closure, world, contextOf(world, balanced, fitting), {
        load: { requests: 3, everyMs: 50 },
      })
    }),
    { numRuns: 60 },
  )
}, 60_000)

test('a recursion is inlined when it was seen to end soon, and stays remote when it was not', () => {
  const world = worldOf('recursive', { a: [{ cpuMs: 5 }, { call: ['a'] }] })
  const depths = (depth: number) => recursing(world, depth)
  expect(routeOf(depths(3), 'a', 'a', 'call')).toBe('inline')
  expect(routeOf(depths(300), 'a', 'a', 'call')).toBe('remote')
})

/** What closure makes of a task that calls itself `depth` times per request. */
function recursing(world: World, depth: number) {
  const scripts = Object.fromEntries(
    Array.from({ length: depth + 1 }, (_, i) => [
      `a${i}`,
      [{ cpuMs: 5 }, ...(i < depth ? [{ call: [`a${i + 1}`] }] : [])],
    ]),
  )
  const context = contextOf(world, balanced)
  const proposal = closure.first(context, 128)
  const chain = worldOf('chain', scripts)
  const round = roundOf(chain, 'closure', closure.first(contextOf(chain, balanced), 128), {
    requests: 3,
    everyMs: 10_000,
  })
  // The same records, with every level of the chain under one name.
  const merged = JSON.parse(JSON.stringify(round.profile).replace(/\ba\d+\b/g, 'a')) as Round['profile']
  const { runs, edges } = levels(round.profile)
  merged.tasks.a = { ...(merged.tasks.a as Round['profile']['tasks'][string]), runs }
  const [edge] = Object.values(merged.edges)
  if (edge) merged.edges = { 'a>a call remote': { ...edge, calls: edges } }
  const next = closure.next([{ ...round, setup: proposal.setup, profile: merged }], context)
  if (!next) throw new Error('nothing proposed')
  return next.setup
}

function levels(profile: Round['profile']) {
  const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0)
  return {
    runs: sum(Object.values(profile.tasks).map((task) => task.runs)),
    edges: sum(Object.values(profile.edges).map((edge) => edge.calls)),
  }
}

test('without enforced CPU shares it changes routes only, and says why', () => {
  const world = iotWorld()
  world.facts = { ...world.facts, cpuShareEnforced: false }
  const history = runStrategy(closure, world, contextOf(world, balanced))
  expect(history).toHaveLength(2)
  expect(new Set(Object.values(memories((history[1] as Round).setup)))).toEqual(new Set([128]))
  expect(history[1]?.reasons.find(({ change }) => change === 'memory stays')?.why).toMatch(/not enforced/)
  expect(history[1]?.measurement.costPerMillionUsd).toBeNull()
})

test('every invocation starting cold, fusing saves start-ups and the adopted setup has one', () => {
  const world = iotWorld()
  const load = { requests: 20, everyMs: 20_000, forceCold: true }
  const history = runStrategy(closure, world, contextOf(world, balanced), { load })
  expect(adopted(history).measurement.invocationsPerRequest).toBe(1)
  expect(adopted(history).measurement.cost?.startup).toBeLessThan((history[0] as Round).measurement.cost?.startup ?? 0)
})

test('a strategy stopped after any round goes on with the same proposal', () => {
  const world = iotWorld()
  const context = contextOf(world, balanced)
  const history = runStrategy(closure, world, context)
  for (let rounds = 1; rounds < history.length; rounds++) {
    const stored = JSON.parse(JSON.stringify(history.slice(0, rounds))) as Round[]
    expect(closure.next(stored, context)?.setup).toEqual(history[rounds]?.setup)
  }
})

test('a run on a busy machine does not mislead the fit, and the reasons say so', () => {
  const world = iotWorld()
  const context = contextOf(world, balanced)
  const [first, path, fitted] = runStrategy(closure, world, context) as [Round, Round, Round]
  const busy = iotWorld()
  for (const steps of Object.values(busy.scripts)) for (const step of steps) if ('cpuMs' in step) step.cpuMs *= 40
  const disturbed = roundOf(busy, 'closure', path)
  const proposal = closure.next([first, disturbed], context)
  expect(proposal?.reasons[0]?.why).toMatch(/machine was busy/)
  const [got, best] = [proposal?.setup.functions, fitted.setup.functions].map((f) => f?.['analyze-sensor']?.memory)
  expect(got).toBeGreaterThanOrEqual((best ?? 0) / 2)
})

test('bounds of the goal are kept when a setup can keep them', () => {
  const world = iotWorld()
  const goal = { minimize: 'cost', subjectTo: { p50Ms: 15 } } as const
  const found = adopted(runStrategy(closure, world, contextOf(world, goal)), goal)
  expect(found.measurement.p50Ms.value).toBeLessThanOrEqual(15)
  expect(validate(world.app, found.setup, {}, world.facts)).toEqual([])
})
