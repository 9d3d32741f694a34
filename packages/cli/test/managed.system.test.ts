import { destroyApp } from '@fusionize/aws'
import { printSetup, remoteSetup } from 'fusionize/setup'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeApp, shop } from './support/fusionize.js'
import { type ManagedBed, startManagedBed } from './support/managed.js'

const REQUESTS = 20
let bed: Awaited<ReturnType<typeof startManagedBed>>
beforeAll(async () => {
  bed = await startManagedBed('shop')
}, 300_000)
afterAll(() => bed?.close())

async function ask(times: number): Promise<void> {
  for (let i = 0; i < times; i++) await bed.platform.invoke('greet', '"Ada"')
}

test('a manager fuses what is asked for, from real requests alone, adopts it beside what served, and rests', async () => {
  const config = {
    app: 'shop',
    platform: 'aws',
    goal: { minimize: 'cost' },
    aws: { manager: { requests: REQUESTS, share: 0.5 } },
  }
  const dir = await makeApp({ ...shop, 'fusionize.config.ts': `export default ${JSON.stringify(config)}` })
  const { loaded } = await bed.deploy(
    dir,
    remoteSetup(await (await import('../src/app/load-app.js')).loadApp(dir, {}, 'aws').then((one) => one.scan()), 128),
  )
  console.log(await bed.lap())
  await ask(REQUESTS + 5)
  for (let i = 0; i < 8; i++) {
    console.time('lap')
    console.log(await bed.lap())
    console.timeEnd('lap')
    await ask(3 * REQUESTS)
  }
  console.dir(await bed.state(), { depth: 6 })
}, 120_000)
