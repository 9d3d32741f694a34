import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Build } from '@fusionize/platform'
import { type App, allFusedSetup, remoteSetup } from 'fusionize/setup'
import { expect, onTestFinished, test } from 'vitest'
import type { Piece } from '../fixtures/buckets-ledger/lib/ledger.js'
import { changed, crossed } from '../support/buckets-app.js'
import { localBuilder, temporaryFolder } from '../support/local.js'
import { firingsOf, type Note, Notes } from '../support/notes.js'
import { random } from '../support/random.js'
import { Ledger } from './ledger.js'
import { type SiegeOptions, type SiegeReport, siege, type Target } from './siege.js'

const seed = Number(process.env.SEED ?? 7)

const fused = (app: App) => allFusedSetup(app, 1769)
const apart = (app: App) => remoteSetup(app, 1769)
const besideIt = (app: App) => crossed(apart(app), fused(app))
const sandboxesAndPlatforms = Array.from({ length: 12 }, (_, i): Target => (i % 2 ? 'platform' : 'sandbox'))
const sandboxes = Array.from({ length: 8 }, (): Target => 'sandbox')

test.each([
  ['sends', 'send'],
  ['calls', 'invoke'],
] as const)(
  `objects and firings of 100 %s survive 12 kill -9, half of sandboxes and half of the whole platform, with durability 'journal' (seed ${seed})`,
  (_what, how) =>
    besiege(
      { how, kills: sandboxesAndPlatforms, sends: 100, setups: [fused, besideIt, apart] },
      { durability: 'journal' },
    ),
)

test.each([
  ['fused', fused],
  ['fused, their tasks apart', besideIt],
  ['apart', apart],
] as const)(
  `those of 80 calls with buckets that are %s survive up to 8 kill -9 of sandboxes with durability 'none' (seed ${seed})`,
  (_where, setup) => besiege({ how: 'invoke', kills: sandboxes, sends: 80, setups: [setup] }, { durability: 'none' }),
)

test.each([
  ['threads', 'fused', fused],
  ['threads', 'fused, their tasks apart', besideIt],
  ['threads', 'apart', apart],
  ['processes', 'fused', fused],
] as const)(
  'and those of 40 sends the ends of %s at every place of their tasks, with buckets that are %s',
  (isolation, _where, setup) =>
    besiege({ how: 'send', kills: [], sends: 40, setups: [setup], deaths: true }, { durability: 'none', isolation }),
)

interface Plan extends Pick<SiegeOptions, 'how' | 'kills' | 'sends'> {
  /** Each start of the platform takes the next. */
  setups: readonly ((app: App) => ReturnType<typeof fused>)[]
  /** The tasks end their sandboxes themselves. */
  deaths?: boolean
}

async function besiege(plan: Plan, options: Partial<SiegeOptions['platform']>): Promise<void> {
  const folder = await temporaryFolder()
  onTestFinished(folder.remove)
  const ledger = new Ledger(join(folder.path, 'ledger'))
  onTestFinished(() => ledger.close())
  const notes = new Notes(join(folder.path, 'notes'))
  const env: Record<string, string> = { LEDGER: ledger.file, NOTES: notes.file }
  if (plan.deaths) {
    env.DEATHS = join(folder.path, 'deaths')
    await mkdir(env.DEATHS)
  }
  const { sends, kills, how } = plan
  const next = random(seed)
  const report = await siege({
    platform: {
      dir: join(folder.path, 'state'),
      app: 'buckets-ledger',
      gateway: false,
      maxSandboxes: 6,
      retries: 30,
      retryDelayMs: 10,
      ...options,
    },
    builds: await buildsOf(plan, env),
    ledger,
    sends,
    kills,
    how: how ?? 'send',
    gap: () => Math.ceil(next() * (sends / Math.max(1, kills.length)) * 1.6),
    settled: () => notes.until((all) => shares(all, 'third').size === shares(all, 'fourth').size),
  })
  expect(report.dead).toBe(0)
  expect(report.kills.sandbox + report.kills.platform).toBeGreaterThanOrEqual(Math.min(3, kills.length))
  expectEachOnce(notes.all(), plan, report)
  console.info(
    `${sends} requests, ${report.kills.sandbox} sandboxes and ${report.kills.platform} platforms killed, ${report.hits} of these with acknowledged work unfinished; ` +
      `${notes.all().length} runs of ${firingsOf(notes.all()).length} firings`,
  )
}

/** Firings have ids, so what ran again is known: by these every object that counts is in one firing. */
function expectEachOnce(all: readonly Note[], { how, sends }: Plan, { sessions }: SiegeReport): void {
  const firings = firingsOf(all)
  const sets = firings.filter(({ task }) => task === 'third')
  const ofSession = new Map(sets.map((set) => [set.session, set]))
  expect(ofSession.size).toBe(sets.length)
  for (const { session, got } of sets) {
    const pieces = got as { key: string; value: Piece; session: string }[]
    const n = pieces[0]?.value.n as number
    expect(pieces).toEqual([0, 1, 2].map((i) => ({ key: `p${i}`, value: { n, share: n * 10 ** i }, session })))
  }
  // A send is known by its id, whatever session it is sent again with.
  const numbers = sets.map(({ got }) => (got[0] as { value: Piece }).value.n)
  if (how === 'invoke') expect(sessions.filter((session) => !ofSession.has(session))).toEqual([])
  else expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: sends }, (_, n) => n))
  // Every sum is in one batch of all sessions.
  const totals = firings
    .filter(({ task }) => task === 'fourth')
    .flatMap(({ got }) => got as { value: Piece; session: string }[])
  expect(totals.map(({ session }) => session).sort()).toEqual([...ofSession.keys()].sort())
  for (const { value } of totals) expect(value.share).toBe(value.n * 111)
}

/** Sessions with a firing of the task, by their objects. */
function shares(all: readonly Note[], task: string): Set<string> {
  return new Set(
    all
      .filter((note) => note.task === task)
      .flatMap(({ got }) => got.map((object) => (object as { session: string }).session)),
  )
}

async function buildsOf({ setups }: Plan, env: Record<string, string>): Promise<Build[]> {
  const builder = localBuilder(fileURLToPath(new URL('../fixtures/buckets-ledger', import.meta.url)), 'buckets-ledger')
  const app = await builder.scan()
  const builds: Build[] = []
  for (const setupOf of setups)
    builds.push(
      await builder.build(
        changed(setupOf(app), (spec) => ({ ...spec, concurrency: 4 })),
        env,
      ),
    )
  await builder.dispose()
  return builds
}
