import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { type App, allFusedSetup, type FusionSetup, printSetup, routeOf } from 'fusionize/setup'
import { drained } from 'fusionize/testing'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { setupArbitrary } from '../packages/fusionize/test/arbitraries.js'
import plainMain from './fixtures/maps-app/tasks/main.js'
import { temporaryFolder } from './support/local.js'
import { type Item, mapsAppBuilder, mapsSetup, type Step, startMapsApp, TWO_CORES_MB } from './support/maps-app.js'

/** Another seed finds others: `SEED=7 npx vitest run test/maps-transparency`. */
const seed = Number(process.env.SEED ?? 20261)

interface Request {
  items: Item[]
  again: Item[]
  catches: boolean
}

let app: App
let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  folder = await temporaryFolder()
  const builder = mapsAppBuilder()
  app = await builder.scan()
  await builder.dispose()
})
afterAll(() => folder.remove())

test.each([
  ['threads', 16],
  ['processes', 5],
] as const)(
  'maps behave as plain functions do in sandboxes as %s: %i generated setups with bundles, pools and loops',
  {
    timeout: 300_000,
  },
  async (isolation, numRuns) => {
    const platform = await startMapsApp({ isolation, maxSandboxes: 24 })
    const taken = new Set<string>()
    try {
      await fc.assert(
        fc.asyncProperty(
          fc.record({ setup: setupsArbitrary(), requests: fc.tuple(requestArbitrary, requestArbitrary) }).map(readable),
          async ({ setup, requests }) => {
            const expected = await plainly(requests)
            await platform.deploy(setup)
            const replies: unknown[] = []
            for (const [i, request] of requests.entries())
              replies.push(await replyOf(platform.request('main', request, { session: `s${i}` })))
            const records = await platform.records()
            expect({ replies: replies.map(general), notes: platform.noted().map(general).sort() }).toEqual(expected)
            for (const { function: fn, spans, items } of records) {
              if (items !== undefined) taken.add('bundle')
              for (const { task, mode, route, pooled, parent } of spans) {
                if (mode === 'map' && parent >= 0) expect(routeOf(setup, fn, task, 'map')).toBe(route)
                if (mode === 'map') taken.add(pooled ? `${route} in a pool` : route)
                else if (pooled && parent >= 0 && spans[parent]?.pooled === undefined) taken.add('a branch in a pool')
                else if (pooled && parent < 0) taken.add('whole in a pool')
              }
            }
          },
        ),
        { seed, numRuns: numRuns + planned().length, examples: planned().map((one) => [one]), endOnFailure: true },
      )
    } finally {
      await platform.stop()
    }
    expect([...taken].sort()).toEqual([
      'a branch in a pool',
      'bundle',
      'inline',
      'inline in a pool',
      'remote',
      'remote in a pool',
      'whole in a pool',
    ])
  },
)

async function plainly(requests: readonly Request[]) {
  const file = join(folder.path, 'notes')
  writeFileSync(file, '')
  vi.stubEnv('NOTES', file)
  const replies: unknown[] = []
  for (const request of requests) replies.push(await replyOf(plainMain(structuredClone(request))))
  await drained()
  vi.unstubAllEnvs()
  const notes = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  return { replies: replies.map(general), notes: notes.map(general).sort() }
}

/** Without what differs by nature: the ids of sessions and of the request itself. */
function general<T>(value: T): T {
  const text = JSON.stringify(value).replace(/[\w-]+((?:\.\d+)+)/g, 'request$1')
  return JSON.parse(text.replace(/\b(?:s|plain-)\d+\b/g, 'session'))
}

async function replyOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    return { output: await promise }
  } catch (thrown) {
    const { name, message, code, at } = thrown as Error & { code?: unknown; at?: unknown }
    return { error: { name, message, code, at } }
  }
}

const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  fc.integer({ min: 0, max: 4 }).map((spin) => ({ spin })),
  fc.integer({ min: 0, max: 2 }).map((pause) => ({ pause })),
  fc.integer({ min: -1, max: 9 }).map((help) => ({ help })),
  fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 4 }).map((helps) => ({ helps })),
  fc.array(fc.integer({ min: -1, max: 9 }), { maxLength: 3 }).map((together) => ({ together })),
  fc.record({ note: fc.constantFrom('one', 'two') }),
  fc.record({ note: fc.constantFrom('three', 'four'), late: fc.constant(true as const) }),
  fc.array(fc.nat({ max: 255 }), { maxLength: 3 }).map((flip) => ({ flip })),
  fc.constantFrom('first', 'second').map((fail) => ({ fail })),
  fc.constant({ change: 'by its own run' }),
)

const itemsArbitrary = fc
  .array(fc.array(stepArbitrary, { maxLength: 3 }), { maxLength: 6 })
  .map((all) => all.map((steps, i): Item => ({ name: `item-${i}`, steps })))

const requestArbitrary: fc.Arbitrary<Request> = fc.record({
  items: itemsArbitrary,
  again: itemsArbitrary,
  catches: fc.boolean(),
})

function setupsArbitrary(): fc.Arbitrary<FusionSetup> {
  return fc.constant(null).chain(() => setupArbitrary(app, [512, TWO_CORES_MB], { routesOnly: true, maps: true }))
}

/** What nobody should have to wait for chance to generate. */
function planned() {
  const steps: Step[] = [
    { spin: 2 },
    { together: [3, -1] },
    { helps: [1, 2] },
    { help: 3 },
    { note: 'one' },
    { flip: [4] },
  ]
  const items = [0, 1, 2, 3].map((i): Item => ({ name: `item-${i}`, steps }))
  const again = items.map((item, i) => (i === 2 ? { ...item, steps: [...steps, { fail: 'first' }] } : item))
  const request: Request = { items, again, catches: true }
  const inline = { call: [], send: [], map: ['work'] }
  const fused = allFusedSetup(app, TWO_CORES_MB)
  for (const spec of Object.values(fused.functions)) spec.parallel = 'processes'
  return [
    mapsSetup(app, { main: { bundle: { work: 3 } }, work: { parallel: 'threads', bundle: { helper: 2 } } }),
    mapsSetup(app, { main: { bundle: { work: 8 } }, work: { parallel: 'processes' } }),
    mapsSetup(app, { main: { inline, parallel: 'threads', bundle: { helper: 2 } } }),
    mapsSetup(app, { work: { parallel: 'threads', concurrency: 5 } }),
    mapsSetup(app, { work: { parallel: 'processes', inline: { call: ['flip', 'helper'], send: [], map: [] } } }),
    fused,
  ].map((setup) => readable({ setup, requests: [request, { ...request, catches: false }] as [Request, Request] }))
}

/** Shows itself in the notation when it is a counterexample. */
function readable<T extends { setup: FusionSetup; requests: unknown }>(one: T): T {
  const text = () => `${printSetup(one.setup, app)} with ${JSON.stringify(one.requests)}`
  return Object.assign(one, { [fc.toStringMethod]: text })
}
