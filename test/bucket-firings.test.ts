import { join } from 'node:path'
import fc from 'fast-check'
import { encode } from 'fusionize/runtime'
import { type App, type FusionSetup, printSetup } from 'fusionize/setup'
import { drained } from 'fusionize/testing'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { setupArbitrary } from '../packages/fusionize/test/arbitraries.js'
import answer from './fixtures/buckets-app/tasks/answer.js'
import drive from './fixtures/buckets-app/tasks/drive.js'
import { bucketsAppBuilder, changed, placements } from './support/buckets-app.js'
import { outputOf, startLocal, temporaryFolder } from './support/local.js'
import { firingsOf, type Note, Notes } from './support/notes.js'
import { programArbitrary, type Step } from './support/programs.js'

/** The same setups and requests every time; another seed finds others: `SEED=7 RUNS=200 npx vitest run test/bucket-firings`. */
const seed = Number(process.env.SEED ?? 20260)
const runs = process.env.RUNS === undefined ? undefined : Number(process.env.RUNS)

/** Tasks of triggers of application scope: which objects come together is chance, but each comes once. */
const acrossSessions = ['window']
const atOnce = 4

interface Case {
  setup: FusionSetup
  programs: Step[][]
}

/** What a run of the programs did, without what differs from run to run. */
interface Observed {
  replies: unknown[]
  /** As `request task objects`, sorted; a session that a trigger began is of no request. */
  firings: string[]
  /** Objects that triggers of application scope delivered, sorted. */
  gathered: string[]
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let notes: Notes
const builder = bucketsAppBuilder()
let app: App

beforeAll(async () => {
  folder = await temporaryFolder()
  notes = new Notes(join(folder.path, 'notes'))
  vi.stubEnv('NOTES', notes.file)
  app = await builder.scan()
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await builder.dispose()
  await folder.remove()
})

describe.each([
  ['threads', 'none', 8, 256],
  ['threads', 'journal', 8, 256],
  ['processes', 'journal', 1, 1769],
] as const)('with sandboxes as %s and durability %s', (isolation, durability, generated, memoryMb) => {
  const numRuns = runs ?? generated

  test(`every trigger fires as it does outside of functions, in 4 planned and ${numRuns} generated setups (seed ${seed})`, async () => {
    const local = await startLocal('buckets-app', { isolation, durability, maxSandboxes: 32, retries: 0 })
    const programs = fc.tuple(...Array.from({ length: atOnce + 2 }, (_, i) => programArbitrary(`r${i}`)))
    const planned = Object.values(placements).map((setupOf) => setupOf(app, memoryMb))
    const examples = fc
      .sample(programs, { seed, numRuns: planned.length })
      .map((given, i) => ({ setup: planned[i] as FusionSetup, programs: given }))
      .map(readable)
    const setup = setupArbitrary(app, [memoryMb], { routesOnly: true })
    let session = 0
    try {
      await fc.assert(
        fc.asyncProperty(fc.record({ setup, programs }).map(readable), async (one) => {
          const expected = await plain(one.programs)
          await local.platform.deploy(await builder.build(shared(one.setup), { NOTES: notes.file }))
          expect(await deployed(one.programs, expected, `${++session}`)).toEqual(expected)
        }),
        { seed, numRuns: examples.length + numRuns, examples: examples.map((one) => [one]), endOnFailure: true },
      )
      expect(await local.platform.deadLetters()).toEqual([])
    } finally {
      await local.stop()
    }

    async function deployed(programs: readonly Step[][], expected: Observed, name: string): Promise<Observed> {
      const { platform } = local
      notes.clear()
      const ask = (task: string, input: unknown, request: string) =>
        replyOf(platform.invoke(task, encode(input), { session: `${name}-${request}` }).then(outputOf))
      const begin = (steps: Step[], i: number) => ask('drive', { name: `r${i}`, steps }, `r${i}`)
      const replies = await Promise.all(programs.slice(0, atOnce).map(begin))
      for (const [i, steps] of programs.slice(atOnce).entries()) replies.push(await begin(steps, atOnce + i))
      replies.push(await ask('answer', 5, 'answer'))
      // Should they never come, what is compared says which.
      await notes.until((all) => gatheredIn(all).length >= expected.gathered.length, 5_000).catch(() => {})
      await platform.drained()
      return { replies, ...seenIn(notes.all()) }
    }
  })
})

/** Outside of functions, one request at a time. */
async function plain(programs: readonly Step[][]): Promise<Observed> {
  notes.clear()
  const replies: unknown[] = []
  for (const [i, steps] of programs.entries()) replies.push(await replyOf(drive({ name: `r${i}`, steps })))
  replies.push(await replyOf(answer(5)))
  await drained()
  return { replies, ...seenIn(notes.all()) }
}

function seenIn(all: readonly Note[]): Omit<Observed, 'replies'> {
  const requests = new Map(all.filter(({ task }) => task === 'drive').map(({ session, got }) => [session, got[0]]))
  const firings = all.filter(({ task }) => task !== 'drive')
  expect(firingsOf(firings)).toHaveLength(firings.length)
  for (const { task, session, got } of firings)
    for (const object of got)
      if (typeof object === 'object' && requests.has(session)) expect([task, object.session]).toEqual([task, session])
  return {
    firings: firings
      .filter(({ task }) => !acrossSessions.includes(task))
      .map(({ task, session, got }) => `${requests.get(session)} ${task} ${JSON.stringify(got.map(contentOf))}`)
      .sort(),
    gathered: gatheredIn(all),
  }
}

function gatheredIn(all: readonly Note[]): string[] {
  return all
    .filter(({ task }) => acrossSessions.includes(task))
    .flatMap(({ got }) => got.map((object) => JSON.stringify(contentOf(object))))
    .sort()
}

function contentOf(object: Note['got'][number]): unknown {
  return typeof object === 'string' ? object : [object.key, object.value, object.group]
}

async function replyOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise
  } catch (thrown) {
    const { name, message, code } = thrown as Error & { code?: unknown }
    return { error: { name, message, code } }
  }
}

/** Lets the functions take several requests at a time: fewer sandboxes to start. */
function shared(setup: FusionSetup): FusionSetup {
  return changed(setup, (spec) => ({ ...spec, concurrency: 8 }))
}

/** Shows itself in the notation when it is a counterexample. */
function readable(one: Case): Case {
  const text = () => `${printSetup(one.setup, app)} with ${JSON.stringify(one.programs)}`
  return Object.assign(one, { [fc.toStringMethod]: text })
}
