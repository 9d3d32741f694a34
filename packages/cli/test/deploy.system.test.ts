import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createClients, managerStore } from '@fusionize/aws'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Aws, startAws } from '../../aws/test/double/index.js'
import { fusionize, makeApp, shop, start } from './support/fusionize.js'

const app = (more: object = {}) => ({
  ...shop,
  'fusionize.config.ts': `export default ${JSON.stringify({ app: 'shop', platform: 'aws', ...more })}`,
})

let aws: Aws
beforeAll(async () => {
  aws = await startAws({ settleMs: 5 })
  Object.assign(process.env, { ...aws.env, AWS_EC2_METADATA_DISABLED: 'true' })
}, 300_000)
afterAll(async () => {
  for (const name of Object.keys(aws?.env ?? {})) delete process.env[name]
  await aws?.close()
})

test('stops by Ctrl-C and goes on where it stopped, changes nothing the second time, and destroys when it is told to', async () => {
  const dir = await makeApp(app())
  const stopped = start(['deploy'], dir)
  await stopped.says(/role fusionize-shop-greet: create/)
  stopped.child.kill('SIGINT')
  expect(await stopped.ended).toMatchObject({
    code: 130,
    stderr: expect.stringMatching(/stopped after \d+ of \d+ steps/),
  })
  const first = await fusionize(['deploy', '--json'], dir)
  expect(first.stderr).not.toMatch(/role fusionize-shop-greet: create/)
  expect(first.stderr).toMatch(/alias fusionize-shop-greet:live: new sessions take setup/)
  const document = JSON.parse(first.stdout)
  expect(document).toMatchObject({ app: 'shop', prefix: 'fusionize-shop', dryRun: false })
  expect(document.changed).toContain('greet')
  const again = await fusionize(['deploy'], dir)
  expect(again.stdout).toContain('nothing was to be changed')
  const asked = await fusionize(['invoke', 'greet', '"Ada"', '--deployed', '--json', '--time'], dir)
  expect(JSON.parse(asked.stdout)).toMatchObject({
    ...{ ok: true, output: 'Hello Dr Ada' },
    invocations: [{ function: 'greet' }, { function: 'title' }],
  })
  const sent = await fusionize(['send', 'greet', '"nobody"', '--deployed', '--json'], dir)
  expect(JSON.parse(sent.stdout)).toMatchObject({ waited: false, dead: [] })
  const status = await fusionize(['status', '--deployed', '--json'], dir)
  expect(JSON.parse(status.stdout)).toMatchObject({ platform: 'aws', setups: [{ id: document.setup, weight: 1 }] })
  const flushed = await fusionize(['flush', '--deployed', '--json'], dir)
  expect(JSON.parse(flushed.stdout)).toEqual({ fired: 0, waited: false })
  await aws.lambda.drained()
  const letters = await fusionize(['dlq', 'list', '--deployed', '--json'], dir)
  expect(JSON.parse(letters.stdout).deadLetters).toMatchObject([
    {
      id: JSON.parse(sent.stdout).id,
      task: 'greet',
      attempts: 3,
      error: { name: 'TypeError', message: 'there is nobody' },
    },
  ])
  const replayed = await fusionize(['dlq', 'replay', '--all', '--deployed', '--json'], dir)
  expect(JSON.parse(replayed.stdout)).toMatchObject({ replayed: 1, waited: false })
  const asks = await fusionize(['destroy'], dir)
  expect(asks).toMatchObject({ code: 2 })
  expect(asks.stderr).toMatch(/would remove function fusionize-shop-greet[\s\S]*say --yes/)
  const gone = await fusionize(['destroy', '--yes', '--json'], dir)
  expect(JSON.parse(gone.stdout).left).toEqual([])
  expect(await aws.resources()).toEqual([])
}, 120_000)

test('plans without an account, and says so', async () => {
  const dir = await makeApp(app({ aws: { region: 'eu-west-1' } }))
  const kept = { ...process.env }
  for (const name of Object.keys(aws.env)) delete process.env[name]
  try {
    const { code, stderr, stdout } = await fusionize(['deploy', '--dry-run'], dir)
    expect({ code }).toEqual({ code: 0 })
    expect(stderr).toMatch(/planned as if nothing were deployed, in region eu-west-1/)
    expect(stdout).toMatch(
      /shop in eu-west-1: setup [\s\S]*About \$[\d.]+ a month at 1,000,000 requests[\s\S]*Nothing was changed/,
    )
    const iot = fileURLToPath(new URL('../../../examples/iot', import.meta.url))
    const example = JSON.parse((await fusionize(['deploy', '--dry-run', '--json'], iot)).stdout)
    expect(example.functions).toHaveLength(10)
    expect(example.cost).toMatchObject({ requests: 1_000_000, totalUsd: expect.any(Number) })
    const real = await fusionize(['deploy'], dir)
    expect(real).toMatchObject({ code: 1, stdout: '' })
    expect(real.stderr).toMatch(/no AWS credentials that AWS accepts; sign in .*\[DEPLOY_FAILED\]/)
  } finally {
    Object.assign(process.env, kept)
  }
}, 60_000)

test('with --managed deploys a manager too, keeps it when it is not asked, tells of it, and ends it with --no-managed', async () => {
  const dir = await makeApp(app())
  const planned = await fusionize(['deploy', '--managed', '--dry-run', '--json'], dir)
  const { cost, steps } = JSON.parse(planned.stdout)
  expect(steps.map(({ resource }: { resource: string }) => resource)).toContain('function fusionize-shop_manager')
  const lines = cost.lines.filter(({ what }: { what: string }) => what.startsWith('manager, '))
  expect(lines.length).toBeGreaterThan(5)
  for (const { usd } of lines) expect(usd).toBeGreaterThan(0)
  await fusionize(['deploy', '--managed'], dir)
  const again = await fusionize(['deploy'], dir)
  expect(again.stderr).toMatch(/The app has a manager, which gets the new code too/)
  expect(again.stdout).toContain('nothing was to be changed')
  const before = JSON.parse((await fusionize(['status', '--deployed', '--json'], dir)).stdout)
  expect(before.manager).toMatchObject({ lastRun: null, tried: [], spent: { runs: 0, share: null } })
  aws.scheduler.fire('fusionize-shop_manager/fusionize-shop_manager')
  await aws.lambda.drained()
  const status = await fusionize(['status', '--deployed'], dir)
  expect(status.stdout).toMatch(/manager {2}\S+Z: 0 requests of the setup in service; 300 are enough\n {2}1 run, \$/)
  // A run that is under way is waited for.
  const store = managerStore(createClients(aws.region, aws.client), { ...aws, prefix: 'fusionize-shop' })
  const { head, revision } = (await store.read()) as { head: object; revision: number }
  await store.write(revision, { ...head, claim: { run: 'x', untilMs: Date.now() + 600_000 } })
  const ending = start(['deploy', '--no-managed'], dir)
  await ending.says(/Waiting for a run of the manager/)
  await store.write(revision + 1, head)
  expect(await ending.ended).toMatchObject({ code: 0 })
  expect((await store.read())?.head).toMatchObject({ claim: null })
  expect((await aws.resources()).filter((arn) => /manager/.test(arn))).toEqual([
    expect.stringMatching(/log-group:.aws.lambda.fusionize-shop_manager/),
  ])
  expect(JSON.parse((await fusionize(['status', '--deployed', '--json'], dir)).stdout).manager).toBeUndefined()
  await fusionize(['destroy', '--yes'], dir)
  expect(await aws.resources()).toEqual([])
}, 120_000)

test('is not done by accident: the configuration must name the platform', async () => {
  const { code, stderr } = await fusionize(['deploy'], await makeApp(app({ platform: 'local' })))
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/set platform: 'aws'.*deploy --dry-run/) })
})

test('exports a template and the zips that it names', async () => {
  const dir = await makeApp(app())
  const { code, stderr } = await fusionize(['export', 'cloudformation', '--out', 't.json', '--code', 'zips'], dir)
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/Template in t\.json[\s\S]*zips in zips/) })
  const template = await readFile(join(dir, 't.json'), 'utf8')
  for (const name of await readdir(join(dir, 'zips'))) expect(template).toContain(name)
  const { stdout } = await fusionize(['export', 'cloudformation'], dir)
  expect(JSON.parse(stdout)).toEqual(JSON.parse(template))
})
