import { destroyApp, observe, settingsOf } from '@fusionize/aws'
import { parseSetup, printSetup, remoteSetup, setupId } from 'fusionize/setup'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { loadApp } from '../src/app/load-app.js'
import type { Canary } from '../src/manager/state.js'
import { makeApp, shop, writeFiles } from './support/fusionize.js'
import { startManagedBed } from './support/managed.js'

/** Requests that a decision takes. */
const ENOUGH = 20
const config = {
  ...{ app: 'shop', platform: 'aws', goal: { minimize: 'cost' } },
  aws: { manager: { requests: ENOUGH, share: 0.5 } },
}
/** Fused it is one invocation instead of six, whatever else the machine is doing. */
const greet = `import { task } from 'fusionize'
  import title from './title'
  export default task('greet', { http: 'POST /greetings' }, async (name: string) => {
    let titled = name
    for (let i = 0; i < 5; i++) titled = await title(titled)
    return titled
  })`
const files = {
  ...{ 'package.json': shop['package.json'], 'tasks/title.ts': shop['tasks/title.ts'], 'tasks/greet.ts': greet },
  'fusionize.config.ts': `export default ${JSON.stringify(config)}`,
}
const manager = 'fusionize-shop_manager'

let bed: Awaited<ReturnType<typeof startManagedBed>>
beforeAll(async () => {
  bed = await startManagedBed('shop')
}, 300_000)
afterEach(() => bed.aws.faults.clear())
afterAll(() => bed?.close())

/** So many real requests; returns how many failed. */
async function ask(times: number): Promise<number> {
  let failed = 0
  for (let i = 0; i < times; i++) if (!(await bed.platform.invoke('greet', '"Ada"')).ok) failed++
  return failed
}

/** Requests and laps by turns until a lap does this. */
async function until(did: string, laps = 6): Promise<void> {
  for (let i = 0; i < laps; i++) {
    await ask(2 * ENOUGH)
    if ((await bed.lap()).did === did) return
  }
  throw new Error(`no lap of ${laps} ${did}: ${JSON.stringify((await bed.state()).lastRun)}`)
}

const served = async () => (await bed.platform.status()).setups
const uploads = () => bed.aws.calls.filter(({ operation }) => operation === 'UpdateFunctionCode').length

test('a manager fuses by real requests alone: tries a setup beside the one that serves, and adopts it', async () => {
  const dir = await makeApp(files)
  const app = await (await loadApp(dir, {}, 'aws')).scan()
  const first = await bed.deploy(dir, remoteSetup(app, 128))
  const quarter = () => bed.aws.clock.advance(15 * 60_000)
  expect((await bed.lap(quarter)).why).toMatch(/^0 requests of the setup in service; 20 are enough/)
  await ask(ENOUGH + 5)
  const before = uploads()
  expect((await bed.lap()).did).toBe('tried')
  // What its bundler made of functions that did not change is what ours made.
  expect(uploads() - before).toBe(1)
  expect(await served()).toMatchObject([{ weight: 0.5 }, { weight: 0.5 }])
  await until('adopted')
  const { serving, spent, tried } = await bed.state()
  expect(printSetup(serving.setup, app)).toMatch(/^\(greet, title\)/)
  expect(tried.map(({ became }) => became)).toEqual(['first', 'adopted'])
  expect(tried[1]?.costPerMillionUsd).toBeLessThan(tried[0]?.costPerMillionUsd ?? 0)
  expect(await served()).toEqual([{ id: serving.id, weight: 1, sessions: null }])
  expect(spent.runs).toBeGreaterThan(2)
  expect(spent.usd).toBeGreaterThan(0)
  expect(spent.requests).toBeGreaterThanOrEqual(3 * ENOUGH)

  // The same code deployed again, in the setup that it found: nothing to do but to tell the manager so, and then nothing at all.
  const again = await bed.deploy(dir, serving.setup)
  expect(again.deployed).toBe(serving.deployed)
  expect(again.deployed).not.toBe(first.deployed)
  expect(again.steps.filter((step) => !step.startsWith(`function ${manager}`))).toEqual([])
  expect((await bed.deploy(dir, serving.setup)).steps).toEqual([])
  expect((await bed.lap()).why).toMatch(/^0 requests/)
  expect((await bed.state()).tried).toHaveLength(2)
}, 120_000)

test('new code begins anew; a run that is killed half way is ended by the next; a canary that fails is rolled back', async () => {
  // As code that leans on a limit does: it ends the environment of any function but its own.
  const broken = `import { task } from 'fusionize'
    export default task('title', async (name: string) => {
      if (!process.env.AWS_LAMBDA_FUNCTION_NAME?.endsWith('-title')) process.exit(1)
      return \`Dr \${name}\`
    })`
  const dir = await makeApp(files)
  await writeFiles(dir, { 'tasks/title.ts': broken })
  const app = await (await loadApp(dir, {}, 'aws')).scan()
  const setup = parseSetup('(greet)@128-(title)@128', app)
  await bed.deploy(dir, setup)
  expect((await bed.lap()).why).toMatch(/^0 requests/)
  await ask(ENOUGH + 5)

  let kills = 0
  const end = bed.aws.faults.watch(async ({ operation, principal }) => {
    if (operation !== 'PublishVersion' || principal.kind === 'administrator' || kills++ > 0) return
    await bed.aws.lambda.killEnvironments(manager)
  })
  await expect(bed.lap()).rejects.toThrow()
  end()
  expect(kills).toBe(1)
  expect((await bed.state()).canary).toMatchObject({ stage: 'deploying', tries: 1 })
  expect(await served()).toMatchObject([{ id: setupId(setup), weight: 1 }])
  expect(await ask(3)).toBe(0)

  // Its claim holds until it must be over.
  const claimed = bed.aws.calls.length
  await expect(bed.lap()).rejects.toThrow(/is at work until/)
  const { revision, head } = (await bed.store.read()) as { revision: number; head: { claim: object } }
  expect(bed.aws.calls.slice(claimed).map(({ operation }) => operation)).not.toContain('PutItem')
  expect(await bed.store.write(revision, { ...head, claim: { ...head.claim, untilMs: Date.now() - 1 } })).toBe(true)
  expect(await bed.store.write(revision, head)).toBe(false)

  expect((await bed.lap()).did).toBe('tried')
  const canary = (await bed.state()).canary as Canary
  expect(await served()).toMatchObject([{ weight: 0.5 }, { weight: 0.5 }])
  expect(await ask(2 * ENOUGH)).toBeGreaterThan(0)
  const { did, why } = await bed.lap()
  expect(did).toBe('rolled back')
  expect(why).toMatch(/^\d+ of \d+ requests failed, of \d+ in the setup that serves 0$/)
  expect(await served()).toEqual([{ id: setupId(setup), weight: 1, sessions: null }])
  expect(await ask(ENOUGH)).toBe(0)
  expect((await bed.state()).tried.at(-1)).toMatchObject({ id: setupId(canary.setup), became: 'rolled back' })
}, 120_000)

test('who knows nothing of a manager is refused, and destroy removes all of it', async () => {
  const dir = await makeApp(files)
  const loaded = await loadApp(dir, {}, 'aws')
  const build = await loaded.builder.build(remoteSetup(await loaded.scan(), 128))
  await expect(bed.platform.deploy(build)).rejects.toThrow(/function fusionize-shop_manager manages .*--no-managed/)
  const { account, region } = bed.aws
  const settings = settingsOf('shop', { account, region })
  expect((await observe(bed.clients, settings)).manager?.concurrency).toBe(1)
  const { left, removed } = await destroyApp('shop', settings, bed.clients, { pace: { pollMs: 20 } })
  expect(left).toEqual([])
  expect(removed.filter((one) => one.includes('manager')).sort()).toEqual([
    `function ${manager}`,
    `log group /aws/lambda/${manager}`,
    'role fusionize-shop.manager',
    `role ${manager}`,
    `schedule group ${manager}`,
  ])
  expect(await bed.aws.resources()).toEqual([])
}, 120_000)
