import fc from 'fast-check'
import { type App, allFusedSetup, type FusionSetup, printSetup, remoteSetup, routeOf, setupId } from 'fusionize/setup'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { setupArbitrary } from '../packages/fusionize/test/arbitraries.js'
import {
  approximateSvdApp,
  type Example,
  iot,
  mlPipelineApp,
  tree,
  videoAnalytics,
  webshop,
} from './support/examples.js'
import { localBuilder } from './support/local.js'
import { TWO_CORES_MB } from './support/maps-app.js'
import {
  handlersInOneProcess,
  lambdaFunctions,
  type Observed,
  type Placement,
  plainFunctions,
  sandboxes,
} from './support/placements.js'
import { type Call, callsIn } from './support/records.js'
import { plannedSetups } from './support/setups.js'

/** The same setups and requests every time; another seed finds others: `SEED=7 npx vitest run test/transparency`. */
const seed = Number(process.env.SEED ?? 20260)

interface Case {
  setup: FusionSetup
  requests: unknown[]
}

/** Cases that once failed, by example; kept for good. */
const saved: Record<Example['name'], Case[]> = {
  ...{ iot: [], tree: [], webshop: [] },
  ...{ 'video-analytics': [], 'approximate-svd': [], 'ml-pipeline': [] },
}

/** Quick, so that many setups can be tried. */
const emulatePassing = { putMs: 2, getMs: 1 }

const placements = {
  'handlers in one process': {
    open: handlersInOneProcess,
    startsSandboxes: false,
    inFlight: 6,
    memoryMb: 128,
    generated: { iot: 60, tree: 50, webshop: 20, 'video-analytics': 10, 'approximate-svd': 10, 'ml-pipeline': 4 },
  },
  'sandboxes as threads': {
    open: (example: Example) => sandboxes(example, { isolation: 'threads', maxSandboxes: 24, emulatePassing }),
    startsSandboxes: true,
    inFlight: 4,
    memoryMb: 128,
    generated: { iot: 10, tree: 10, webshop: 3, 'video-analytics': 4, 'approximate-svd': 4, 'ml-pipeline': 2 },
  },
  'sandboxes as processes': {
    open: (example: Example) => sandboxes(example, { isolation: 'processes', maxSandboxes: 24, emulatePassing }),
    startsSandboxes: true,
    inFlight: 3,
    // A whole core each: with the CPU share of a small function its first request alone would take seconds.
    memoryMb: 1769,
    generated: { iot: 4, tree: 4, webshop: 0, 'video-analytics': 1, 'approximate-svd': 1, 'ml-pipeline': 0 },
  },
  'functions of Lambda': {
    open: lambdaFunctions,
    startsSandboxes: true,
    inFlight: 3,
    memoryMb: 128,
    generated: { iot: 1, tree: 1, webshop: 1 },
  },
} as const

describe.each([iot, tree, webshop, videoAnalytics, approximateSvdApp, mlPipelineApp])('$name', (example) => {
  let app: App
  let plain: Placement

  beforeAll(async () => {
    app = await localBuilder(example.appDir, example.name).scan()
    plain = await plainFunctions(example)
  })
  afterAll(() => plain.close())

  for (const [name, { open, startsSandboxes, inFlight, memoryMb, generated }] of Object.entries(placements)) {
    const numRuns = (generated as Partial<Record<Example['name'], number>>)[example.name]
    // Lambda's functions are tried with those that start few of them.
    if (numRuns === undefined) continue
    // Every edge alone is tried where no sandbox has to start; elsewhere each is somewhere in what is generated.
    const onlyEnds = startsSandboxes
    const atOnce = example.atOnce ?? inFlight
    test(`behaves as plain functions do in ${name}: ${numRuns} generated setups (seed ${seed}), all remote, all fused${onlyEnds ? '' : ', and every edge alone inline and alone remote'}, ${atOnce} requests at once and two in turn each`, {
      timeout: 240_000,
    }, async () => {
      const placement = await open(example)
      const seen = new Set<string>()
      const requests = requestsArbitrary(example, atOnce + 2)
      const setups = onlyEnds
        ? [remoteSetup(app, memoryMb), allFusedSetup(app, memoryMb)]
        : plannedSetups(app, memoryMb)
      const planned = fc
        .sample(requests, { seed, numRuns: setups.length })
        .map((given, i) => ({ setup: shared(setups[i] as FusionSetup), requests: given }))
        .concat(saved[example.name])
        .map((one) => readable(app, one))
      // With more memory some have two cores, and so a pool.
      const options = { routesOnly: true, hand: true }
      const setup = setupArbitrary(app, [memoryMb, memoryMb, TWO_CORES_MB], options).chain(withConcurrency)
      try {
        await fc.assert(
          fc.asyncProperty(
            fc.record({ setup, requests }).map((one) => readable(app, one)),
            async (one) => {
              const expected = await plain.run(one.setup, one.requests)
              const observed = await placement.run(one.setup, one.requests)
              expect(observed.replies).toEqual(expected.replies)
              expect(observed.stored).toBe(expected.stored)
              for (const call of routesTaken(app, example, one, observed)) seen.add(call)
            },
          ),
          { seed, numRuns: planned.length + numRuns, examples: planned.map((one) => [one]), endOnFailure: true },
        )
      } finally {
        await placement.close()
      }
      expect([...seen].sort()).toEqual(everyEdgeOnEveryRoute(app))
    })
  }
})

/** The calls that the records tell of, after comparing them with the setup: `from mode to route`. */
function routesTaken(app: App, example: Example, { setup, requests }: Case, { records }: Observed): string[] {
  const calls = callsIn(records)
  for (const [i, request] of requests.entries()) {
    const made = calls.filter((call) => call.session === `s${i}`).map(({ from, mode, to }) => `${from} ${mode} ${to}`)
    expect(made.sort()).toEqual(example.callsOf(request as never, app))
  }
  for (const call of calls) {
    expect({ ...call, route: routeOf(setup, call.function, call.to, call.mode) }).toEqual(call)
    if (call.route === 'remote') expect(call.callee).toMatchObject({ function: call.to, task: call.to })
  }
  // Nothing ran that nobody asked for, and nothing ran twice.
  expect(records).toHaveLength(requests.length + calls.filter((call) => call.route === 'remote').length)
  const id = setupId(setup)
  for (const record of records) expect([id, 'setup']).toContain(record.setup)
  return calls.map(edgeOnRoute)
}

function edgeOnRoute({ from, mode, to, route }: Pick<Call, 'from' | 'mode' | 'to' | 'route'>): string {
  return `${from} ${mode} ${to} ${route}`
}

function everyEdgeOnEveryRoute(app: App): string[] {
  return app.edges
    .flatMap(({ from, to, modes }) =>
      modes.flatMap((mode) => [
        edgeOnRoute({ from, mode, to, route: 'inline' }),
        edgeOnRoute({ from, mode, to, route: 'remote' }),
      ]),
    )
    .sort()
}

function requestsArbitrary(example: Example, count: number): fc.Arbitrary<unknown[]> {
  return fc.tuple(...Array.from({ length: count }, (_, at) => example.requestArbitrary(at)))
}

/** Lets the functions take several requests at a time: fewer sandboxes to start. */
function shared(setup: FusionSetup, functions = Object.keys(setup.functions)): FusionSetup {
  const given = Object.entries(setup.functions)
  return {
    functions: Object.fromEntries(
      given.map(([name, spec]) => [name, functions.includes(name) ? { ...spec, concurrency: 8 } : spec]),
    ),
  }
}

function withConcurrency(setup: FusionSetup): fc.Arbitrary<FusionSetup> {
  return fc.subarray(Object.keys(setup.functions)).map((names) => shared(setup, names))
}

/** Shows itself in the notation when it is a counterexample. */
function readable(app: App, one: Case): Case {
  const text = () => `${printSetup(one.setup, app)} with ${JSON.stringify(one.requests)}`
  return Object.assign(one, { [fc.toStringMethod]: text })
}
