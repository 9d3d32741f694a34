import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createBuilder } from '@fusionize/platform'
import { parseRecord } from 'fusionize/record'
import { remoteSetup } from 'fusionize/setup'
import { expect, it } from 'vitest'
import { startPlatform } from './engine-app.js'

const here = dirname(fileURLToPath(import.meta.url))

it.each(['threads', 'processes'] as const)(
  'what a bucket starts begins in the sandbox that has its data, as an invocation of its own (%s)',
  async (isolation) => {
    const builder = createBuilder({
      appDir: join(here, 'fixtures/buckets'),
      name: 'buckets-fixture',
      taskDirs: ['tasks'],
      outDir: '.fusionize/build',
      adapter: fileURLToPath(import.meta.resolve('@fusionize/local/sandbox')),
    })
    const setup = remoteSetup(await builder.scan(), 256)
    const relay = setup.functions.relay
    if (relay) relay.buckets = ['first', 'second']
    const { platform, stop } = await startPlatform({ isolation })
    try {
      await platform.deploy(await builder.build(setup))
      for (let i = 0; i < 3; i++) expect(await platform.invoke('relay', '4')).toMatchObject({ ok: true, output: '50' })
      await platform.drained()
      const records = (await platform.records()).lines.map(parseRecord)
      expect(records.map(({ task }) => task).sort()).toEqual([
        ...Array(3).fill('last'),
        ...Array(3).fill('middle'),
        ...Array(3).fill('relay'),
      ])
      expect(new Set(records.map(({ sandbox }) => sandbox)).size).toBe(1)
      expect(records.filter(({ task }) => task === 'middle').map(({ fired }) => fired?.bucket)).toEqual([
        'first',
        'first',
        'first',
      ])
    } finally {
      await stop()
      await builder.dispose()
    }
  },
)
