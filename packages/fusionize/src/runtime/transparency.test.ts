import fc from 'fast-check'
import { expect, test } from 'vitest'
import { appArbitrary, setupArbitrary } from '../../test/arbitraries.js'
import { type Given, type Notes, type Program, programArbitrary, tasksOf, told } from '../../test/programs.js'
import { world } from '../../test/world.js'
import { type App, entryTasks, type FusionSetup, routeOf } from '../setup/index.js'
import type { Task } from '../task.js'
import { drained } from '../testing.js'

/** All that can be told of a run from outside. */
interface Observed {
  reply: unknown
  notes: Notes
  failedSends: unknown[]
}

const request: Given = { depth: 3, value: { from: 'outside' } }
const cases = appArbitrary.chain((app) =>
  fc.record({
    app: fc.constant(app),
    program: programArbitrary(app),
    setups: fc.array(setupArbitrary(app, [256], { routesOnly: true, maps: true }), { minLength: 2, maxLength: 2 }),
  }),
)

test('generated programs behave as plain functions do under every setup: replies, errors, effects, failed sends, ids of runs', {
  timeout: 30_000,
}, async () => {
  const routes = new Set<string>()
  await fc.assert(
    fc.asyncProperty(cases, async ({ app, program, setups }) => {
      const expected = await plainly(app, program)
      for (const setup of setups) {
        const { observed, taken } = await underSetup(app, program, setup)
        expect(observed).toEqual(expected)
        for (const route of taken) routes.add(route)
      }
    }),
    { numRuns: 250, seed: 1 },
  )
  const expected = ['call', 'map', 'send'].flatMap((mode) => [`${mode} inline`, `${mode} remote`])
  expect([...routes].sort()).toEqual([...expected, 'map in bundles'].sort())
})

async function plainly(app: App, program: Program): Promise<Observed> {
  const notes: Notes = []
  const reply = await replyOf(entryOf(app, tasksOf(program, notes))(request))
  const failedSends = await drained().then(
    () => [],
    (error: unknown) =>
      error instanceof AggregateError && / sends failed$/.test(error.message) ? error.errors : [error],
  )
  return observedOf(reply, notes, failedSends, /plain-\d+/g)
}

async function underSetup(app: App, program: Program, setup: FusionSetup) {
  const notes: Notes = []
  const tasks = tasksOf(program, notes)
  const leaves = Object.keys(app.tasks).filter((name) => app.edges.every(({ from }) => from !== name))
  const functions = world(
    [...tasks.values()],
    (fn) => (setup.functions[fn] as FusionSetup['functions'][string]).inline,
    {
      leaves,
      bundleOf: (fn) => setup.functions[fn]?.bundle ?? {},
    },
  )
  const reply = await replyOf(functions.request(entryOf(app, tasks).taskName, request))
  await functions.quiet()
  const taken: string[] = functions.records.some(({ items = 1 }) => items > 1) ? ['map in bundles'] : []
  for (const record of functions.records)
    for (const span of record.spans) {
      if (span.parent === -1) continue
      // A send made after the reply was given is handed over, whatever the setup says.
      const late = span.mode === 'send' && span.route === 'remote' && span.start >= record.reply
      if (!late) expect(span.route).toBe(routeOf(setup, record.function, span.task, span.mode))
      taken.push(`${span.mode} ${span.route}`)
    }
  const failedSends = functions.failedSends.map(({ error }) => error)
  return { observed: observedOf(reply, notes, failedSends, /request-\d+/g), taken }
}

function entryOf(app: App, tasks: Map<string, Task<Given, unknown>>): Task<Given, unknown> {
  return tasks.get(entryTasks(app)[0] as string) as Task<Given, unknown>
}

async function replyOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (output) => ({ output }),
    (error: unknown) => ({ error: told(error) }),
  )
}

function observedOf(reply: unknown, notes: Notes, failedSends: unknown[], id: RegExp): Observed {
  const texts = failedSends.map((error) => JSON.stringify(told(error)))
  return { reply, notes: notes.map((note) => note.replace(id, 'request')).sort(), failedSends: texts.sort() }
}
