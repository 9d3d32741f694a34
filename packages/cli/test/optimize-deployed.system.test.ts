import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { startAwsBed } from '../../aws/test/support/platform.js'
import { loadApp } from '../src/app/load-app.js'
import { optimize } from '../src/control/optimize.js'
import type { Watcher } from '../src/control/watcher.js'
import { makeApp } from './support/fusionize.js'

const iot = fileURLToPath(new URL('../../../examples/iot', import.meta.url))

const silent: Watcher = {
  ...{ plan() {}, section() {}, setup() {}, phase() {}, samples() {}, row() {}, note() {} },
}

// In this process, and not by the command: a deployment there waits for AWS, which here is ready at once.
test('optimize converges on iot where it is deployed: fused, cheaper, and left in service', async () => {
  const dir = await makeApp({})
  for (const part of ['lib', 'tasks', 'fusionize.config.ts', 'package.json'])
    await cp(join(iot, part), join(dir, part), { recursive: true })
  // A new sandbox takes a whole core for a while: few requests at a time.
  const config = join(dir, 'fusionize.config.ts')
  await writeFile(config, (await readFile(config, 'utf8')).replace('rps: 50, seconds: 20', 'rps: 4, seconds: 5'))
  const { platform, stop } = await startAwsBed(dir, 'iot')
  try {
    const loaded = await loadApp(dir, {}, 'aws')
    const options = {
      ...{ strategy: 'plan', goal: { minimize: 'balanced' as const }, profile: 'steady' as const, requests: 20 },
      ...{ seconds: 30, baselines: false, emulate: undefined, compareEmulation: false, fresh: true, maxRounds: 5 },
    }
    const outcome = await optimize(loaded, options, {
      watcher: silent,
      openPlatform: async () => ({ platform, serves: true, close: async () => {} }),
      now: () => new Date(),
    })
    const [first] = outcome.rounds
    const best = outcome.rounds.find(({ id }) => id === outcome.bestId)
    expect(outcome.converged).toBe(true)
    const [before, after] = [first?.measurement, best?.measurement]
    expect(after?.errors).toBe(0)
    expect(after?.invocationsPerRequest).toBeLessThan(before?.invocationsPerRequest ?? 0)
    expect(after?.costPerMillionUsd?.value).toBeLessThan(before?.costPerMillionUsd?.value ?? 0)
    expect((await platform.status()).setups).toMatchObject([{ id: outcome.bestId, weight: 1 }])
  } finally {
    await stop()
  }
}, 200_000)
