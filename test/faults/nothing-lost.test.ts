import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createLocalPlatform } from '@fusionize/local'
import type { Build } from '@fusionize/platform'
import { allFusedSetup, type FusionSetup, remoteSetup } from 'fusionize/setup'
import { expect, onTestFinished, test } from 'vitest'
import { localBuilder, temporaryFolder } from '../support/local.js'
import { random } from '../support/random.js'
import { Ledger } from './ledger.js'
import { siege, type Target } from './siege.js'

const seed = Number(process.env.SEED ?? 7)

test(`1,000 sends survive 52 kill -9, half of sandboxes and half of the whole platform, with durability 'journal' (seed ${seed})`, {
  timeout: 120_000,
}, async () => {
  const targets: Target[] = ['sandbox', 'platform']
  const kills = Array.from({ length: 52 }, (_, i) => targets[i % 2] as Target)
  await besiege('journal', 1000, kills, (builds) => builds)
})

test.each([
  ['inline', 0],
  ['remote', 1],
  ['first inline, then remote', 2],
])(
  `300 sends whose own sends are %s survive 24 kill -9 of sandboxes with durability 'none' (seed ${seed})`,
  async (_how, build) => {
    const kills = Array.from({ length: 24 }, () => 'sandbox' as const)
    await besiege('none', 300, kills, (builds) => builds.slice(build, build + 1))
  },
)

test('what was accepted under one setup runs under another in which its task is only inlined', async () => {
  const folder = await temporaryFolder()
  onTestFinished(folder.remove)
  const ledger = new Ledger(join(folder.path, 'ledger'))
  onTestFinished(() => ledger.close())
  const [, remote, mixed] = (await buildsIn(join(folder.path, 'app'), ledger.file)) as [Build, Build, Build]
  expect(Object.keys(remote.artifacts)).toContain('second')
  expect(Object.keys(mixed.artifacts)).not.toContain('second')
  const options = {
    dir: join(folder.path, 'state'),
    app: 'ledger',
    gateway: false,
    durability: 'journal',
    retries: 0,
  } as const
  const before = await createLocalPlatform(options)
  await before.deploy(remote)
  await before.send('second', JSON.stringify({ n: 1 }))
  await before.destroy()
  ledger.read()
  expect(ledger.ended('second').size).toBe(0)
  const after = await createLocalPlatform(options)
  onTestFinished(() => after.destroy())
  await after.deploy(mixed)
  await after.drained()
  expect(await after.deadLetters()).toEqual([])
  ledger.read()
  expect([...ledger.ended('second')]).toEqual([[1, 1]])
  expect([...ledger.ended('third')]).toEqual([[1, 1]])
})

/** Each send makes a second and that a third. Each start of the platform takes the next of the chosen builds. */
async function besiege(
  durability: 'none' | 'journal',
  sends: number,
  kills: Target[],
  choose: (builds: Build[]) => Build[],
): Promise<void> {
  const folder = await temporaryFolder()
  onTestFinished(folder.remove)
  const ledger = new Ledger(join(folder.path, 'ledger'))
  onTestFinished(() => ledger.close())
  const next = random(seed)
  const meanGap = sends / kills.length
  const report = await siege({
    platform: {
      dir: join(folder.path, 'state'),
      app: 'ledger',
      gateway: false,
      durability,
      maxSandboxes: 6,
      retries: 30,
      retryDelayMs: 10,
    },
    builds: choose(await buildsIn(join(folder.path, 'app'), ledger.file)),
    ledger,
    sends,
    kills,
    gap: () => Math.ceil(next() * meanGap * 1.6),
  })

  const runs = ['first', 'second', 'third'].map((task) => ledger.ended(task))
  const again = runs.map((byRequest) => [...byRequest.values()].filter((n) => n > 1).length)
  console.info(
    `durability '${durability}': ${sends} sends acknowledged, ${report.kills.sandbox} sandboxes and ${report.kills.platform} platforms killed, ` +
      `${report.hits} of these with acknowledged work unfinished; all three tasks ran for each, more than once for ${again.join(', ')}`,
  )
  const all = Array.from({ length: sends }, (_, n) => n)
  for (const byRequest of runs) expect(all.filter((n) => !byRequest.has(n))).toEqual([])
  expect(report.dead).toBe(0)
  expect(report.kills.sandbox + report.kills.platform).toBe(kills.length)
  expect(report.hits).toBeGreaterThanOrEqual(20)
}

/** All sends inline, all remote, and the second inline but the third remote. */
async function buildsIn(appDir: string, ledger: string): Promise<Build[]> {
  await cp(fileURLToPath(new URL('../fixtures/ledger', import.meta.url)), appDir, { recursive: true })
  const builder = localBuilder(appDir, 'ledger')
  const app = await builder.scan()
  const shared = ({ functions }: FusionSetup): FusionSetup => ({
    functions: Object.fromEntries(Object.entries(functions).map(([name, spec]) => [name, { ...spec, concurrency: 4 }])),
  })
  const mixed = remoteSetup(app, 1769)
  mixed.functions.first?.inline.send.push('second')
  const setups = [allFusedSetup(app, 1769), remoteSetup(app, 1769), mixed].map(shared)
  const builds: Build[] = []
  for (const setup of setups) builds.push(await builder.build(setup, { LEDGER: ledger }))
  await builder.dispose()
  return builds
}
